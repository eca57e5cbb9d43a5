/** Steps that wait for the hypervisor's view to change. */
import type { Seen } from '../compare.ts';
import { activeGrants } from '../dump.ts';
import type { Scene } from '../scene.ts';
import { now } from '../stage.ts';
import type { Call, Handler } from './arguments.ts';
import { numberOf } from './arguments.ts';

/** Milliseconds between two looks. */
const INTERVAL = 5;

/** "<100ms", "<1s", ">=1s" */
function classOf(elapsed: number, recorded: unknown): string {
  const match = /^(<|>=?)(\d+)(ms|s)$/.exec(String(recorded));
  const [, sign, amount, unit] = match ?? [];
  const limit = Number(amount) * (unit === 's' ? 1000 : 1);
  const holds = sign === '<' ? elapsed < limit : elapsed >= limit;
  return match !== null && holds ? String(recorded) : `${elapsed}ms`;
}

function waitActiveGrantCount(scene: Scene, { step }: Call): Seen {
  const want = numberOf(step, 'want');
  const limit = numberOf(step, 'maxMs');
  const start = now();
  const count = (): number => activeGrants(2, scene.names).length;
  while (count() !== want && now() - start < limit) scene.guest.stage.wait(INTERVAL);
  const elapsed = now() - start;
  const observed = {
    reached: count() === want,
    elapsedClass: classOf(elapsed, step.observed?.['elapsedClass']),
  };
  return { result: 0, errno: null, observed };
}

export const waitingOperations: Readonly<Record<string, Handler>> = { waitActiveGrantCount };
