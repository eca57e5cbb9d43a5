/**
 * A fuzzed program in shared memory, and what its threads share while it runs: the places of the
 * maps of the process, the grants and the pages of the granting domain.
 *
 * A word that several threads use as a place (slot.index, grant.ref, page.page) is claimed: who
 * swaps the value for FUZZ_BUSY has it until a new value is stored.
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg, readOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';

/** A place that holds nothing. */
export const FUZZ_EMPTY = -1;
/** A place that somebody works on. */
export const FUZZ_BUSY = -2;

export const FuzzStep = defineTable('fuzz.actor[%].step[%]', ['fuzzActors', 'fuzzSteps'], {
  op: '[BOOT] FUZZ_*',
  a: '[BOOT] first operand',
  b: '[BOOT] second operand',
  c: '[BOOT] third operand',
  d: '[BOOT] fourth operand',
  e: '[BOOT] fifth operand',
});

export const FuzzActor = defineTable('fuzz.actor[%]', ['fuzzActors'], {
  steps: '[BOOT] steps of the program',
  op: '[CPU] FUZZ_* of the step under way, for whoever watches',
  held: '[CPU] pages that the thread holds',
});

export const FuzzHeld = defineTable('fuzz.actor[%].held[%]', ['fuzzActors', 'fuzzHeld'], {
  page: '[CPU] a page that the thread got and has not put',
  write: '[CPU] 1 if it got the page to write to it',
});

export const FuzzArgument = defineTable('fuzz.actor[%].argument[%]', ['fuzzActors', 'raceGrants'], {
  domid: '[CPU] struct ioctl_gntdev_grant_ref: who grants it',
  ref: '[CPU] grant reference',
});

export const FuzzRun = defineTable('fuzz.run', [], {
  threads: '[CPU] threads of the process that have not finished',
});

export const FuzzSlot = defineTable('fuzz.slot[%]', ['fuzzSlots'], {
  index: '[CPU] offset of a map in the gntdev file, or FUZZ_EMPTY, FUZZ_BUSY',
  count: '[CPU] its grants',
});

export const FuzzGrant = defineTable('fuzz.grant[%]', ['raceGrants'], {
  ref: '[CPU] reference of a published grant, or FUZZ_EMPTY, FUZZ_BUSY',
  page: '[CPU] the granted page; the grant holds a reference of it',
});

export const FuzzPage = defineTable('fuzz.page[%]', ['fuzzPages'], {
  page: '[CPU] a page of the granting domain, or FUZZ_EMPTY, FUZZ_BUSY',
});

export const fuzzTables = [
  FuzzStep,
  FuzzActor,
  FuzzHeld,
  FuzzArgument,
  FuzzRun,
  FuzzSlot,
  FuzzGrant,
  FuzzPage,
];

export const fuzzDefaults = {
  /** The prologue, and the threads. */
  fuzzActors: 5,
  fuzzSteps: 16,
  /** Pages that a thread holds at most. */
  fuzzHeld: 2,
  fuzzSlots: 3,
  fuzzPages: 3,
};

/**
 * Takes a place, if there is something in it.
 * @param word - the place. @returns what it held, or FUZZ_EMPTY: then it is not taken.
 */
export function* claimPlace(word: number): Op {
  const held = yield* readOnce(word);
  if (held < 0 || (yield* cmpxchg(word, held, FUZZ_BUSY)) !== held) return FUZZ_EMPTY;
  return held;
}

/** Takes an empty place. @param word - the place. @returns 1 or 0. */
export function* claimEmpty(word: number): Op {
  return (yield* cmpxchg(word, FUZZ_EMPTY, FUZZ_BUSY)) === FUZZ_EMPTY ? 1 : 0;
}
