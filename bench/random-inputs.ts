/**
 * What a random campaign of the compiled lookups draws and counts: layouts, keys, ways to look up.
 */
import type { Prng } from '../src/threads/prng.ts';
import type { Kernels } from './kernels.ts';
import type { LookupName } from './lookup-names.ts';
import type { VariantName } from './lookups.ts';
import type { Shape } from './machine.ts';
import { CHUNK } from './machine.ts';
import type { Run, Script } from './scripts.ts';

/** What is compared; `native` works on a copy in a process of its own. */
export const COMPARED = ['threads', 'ts', 'wasm'] as const satisfies readonly VariantName[];
type Variant = (typeof COMPARED)[number];

/** A way to look up. */
export interface Way {
  readonly variant: Variant;
  readonly run: Run;
  /** Does it write what the threads edition writes? Batches take a lock or section for several. */
  readonly exact: boolean;
}

/** Inputs of each variant, and what was not as it must be. */
export class Tally {
  machines = 0;
  readonly alone: Record<Variant, number> = { threads: 0, ts: 0, wasm: 0 };
  readonly beside: Record<Variant, number> = { threads: 0, ts: 0, wasm: 0 };
  /** Keys that the writer changes. */
  readonly changing: Record<Variant, number> = { threads: 0, ts: 0, wasm: 0 };
  readonly findings: string[] = [];
}

/** A machine of any layout. */
export function randomShape(lookup: LookupName, prng: Prng, readers: number): Shape {
  const entries = 1 + prng.below(2 ** (1 + prng.below(14)));
  const vmas = 1 + prng.below(Math.min(entries, 40));
  return { lookup, entries, vmas, readers, keys: CHUNK };
}

/** A key that is there, near, or any number. */
export function drawKey(prng: Prng, keys: Int32Array): number {
  const draw = prng.below(100);
  const key = keys[prng.below(keys.length)] as number;
  if (draw < 70) return key;
  return draw < 90 ? key + prng.below(64) - 32 : prng.below(2 ** 32) | 0;
}

/** All compiled ways of a lookup. */
export function compiledWays(lookup: LookupName, kernels: Kernels, script: Script): Way[] {
  return [
    { variant: 'ts', run: script.loop, exact: true },
    { variant: 'ts', run: script.batch, exact: false },
    { variant: 'wasm', run: kernels.loop(lookup), exact: true },
    { variant: 'wasm', run: kernels.batch(lookup), exact: false },
  ];
}
