/**
 * Stop-the-world checkpoints: a barrier that all actors reach, in the middle of their work for
 * invariants that hold at every operation, or at rest for those that hold when all work is done.
 */
import type { Machine } from '../shared/layout.ts';
import {
  BARRIER,
  ENDED,
  REST,
  RESTING,
  RUNNING,
  ask,
  isStopped,
  release,
  stateOf,
} from './control.ts';
import type { Member } from './crew.ts';
import type { World } from './world.ts';

/** How long the main thread sleeps between two looks. */
const LOOK_MS = 1;
/** How often in a row the machine must look at rest: it may be between two steps. */
const REST_LOOKS = 3;

/** Sleeps for a while with the event loop turning. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Waits until `condition` holds. @returns false if it did not within `timeoutMs`. */
export async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/** Waits for all, as long as nobody dies. */
async function untilAll(
  crew: readonly Member[],
  condition: (member: Member) => boolean,
  timeoutMs: number,
): Promise<boolean> {
  const done = await until(
    () => crew.some((member) => member.exited) || crew.every(condition),
    timeoutMs,
  );
  return done && !crew.some((member) => member.exited);
}

/**
 * Stops all actors before their next operations, runs `look`, and lets them go on.
 * @returns false if not all stopped in time; then `look` did not run.
 */
export async function whileStopped(
  machine: Machine,
  crew: readonly Member[],
  timeoutMs: number,
  look: () => void,
): Promise<boolean> {
  for (const { index } of crew) ask(machine, index, BARRIER);
  const stopped = await untilAll(crew, ({ index }) => isStopped(machine, index), timeoutMs);
  if (stopped) look();
  for (const { index } of crew) release(machine, index, BARRIER);
  return stopped;
}

/**
 * Brings the machine to rest: those who ask for work finish their iterations first, then those
 * who do it. Runs `look` and lets all go on.
 * @returns false if there was no rest in time.
 */
export async function whileAtRest(
  machine: Machine,
  crew: readonly Member[],
  world: World,
  timeoutMs: number,
  look: () => void,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const ranks = [...new Set(crew.map((member) => member.plan.restsAs))].sort((a, b) => a - b);
  let rested = true;
  for (const rank of ranks) {
    const some = crew.filter((member) => member.plan.restsAs === rank);
    if (rank === 0) for (const { index } of some) ask(machine, index, REST);
    rested &&= await untilAll(
      some,
      (member) => rests(machine, member),
      deadline - performance.now(),
    );
  }
  rested &&= await staysAtRest(machine, crew, world, deadline);
  if (rested) {
    const left = Math.max(deadline - performance.now(), 100);
    rested = await whileStopped(machine, crew, left, () => {
      if (world.atRest(machine)) look();
    });
  }
  for (const { index } of crew) release(machine, index, REST);
  return rested;
}

function rests(machine: Machine, member: Member): boolean {
  const state = stateOf(machine, member.index);
  if (state === RESTING || state === ENDED) return true;
  return member.plan.restsAs > 0 && state === RUNNING && member.waits() !== 0;
}

/** Is everybody at rest, without an operation in between, for several looks? */
async function staysAtRest(
  machine: Machine,
  crew: readonly Member[],
  world: World,
  deadline: number,
): Promise<boolean> {
  let before = -1;
  let looks = 0;
  const done = await until(() => {
    if (crew.some((member) => member.exited)) return true;
    const operations = crew.reduce((sum, member) => sum + member.operations(), 0);
    const quiet =
      operations === before &&
      crew.every((member) => rests(machine, member)) &&
      world.atRest(machine);
    before = operations;
    looks = quiet ? looks + 1 : 0;
    return looks >= REST_LOOKS;
  }, deadline - performance.now());
  return done && looks >= REST_LOOKS;
}
