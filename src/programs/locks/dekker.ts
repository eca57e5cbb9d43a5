/**
 * Dekker's algorithm (1962): the first that let two threads exclude each other, and the small
 * `dekker_f` of GenMC's test suite, which only tries once.
 */
import type { Op } from '../../shared/op.ts';
import { awaitEqual, readOnce, smpMb, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, fixedSize, threads } from '../program.ts';
import { criticalSection, lockProgram } from './critical-section.ts';

const Dekker = defineTable('dekker', [], {
  flag0: '[T0] 1: wants to enter',
  flag1: '[T1] 1: wants to enter',
  turn: '[HOLDER] who may insist',
  c: '[HOLDER] number of the thread that is inside',
});

const RIGHT = 1;
const UNFENCED = 2;
/** Looks at the other's flag before it sets its own. */
const LOOKS_FIRST = 3;

function flagOf(i: number): number {
  return i === 0 ? Dekker.flag0.word : Dekker.flag1.word;
}

/** Sets its flag; if the other's is clear, it is alone. @param i - number of the thread. */
export function* dekkerOnce(i: number): Op<void> {
  yield* writeOnce(flagOf(i), 1);
  yield* smpMb();
  if ((yield* readOnce(flagOf(1 - i))) !== 0) return;
  yield* writeOnce(Dekker.c.word, i);
  const inside = yield* readOnce(Dekker.c.word);
  assertThat(inside === i, inside, i);
}

/** Enters the critical section once. @param version - RIGHT, UNFENCED or LOOKS_FIRST. */
export function* dekkerThread(i: number, version: number): Op<void> {
  if (version === LOOKS_FIRST) {
    yield* awaitEqual(flagOf(1 - i), -1, 0);
    yield* writeOnce(flagOf(i), 1);
  } else {
    yield* dekkerEnter(i, version);
  }
  yield* criticalSection();
  yield* writeOnce(Dekker.turn.word, 1 - i);
  yield* writeOnce(flagOf(i), 0);
}

function* dekkerEnter(i: number, version: number): Op<void> {
  yield* writeOnce(flagOf(i), 1);
  if (version === RIGHT) yield* smpMb();
  while ((yield* readOnce(flagOf(1 - i))) === 1) {
    if ((yield* readOnce(Dekker.turn.word)) === i) {
      yield* awaitEqual(flagOf(1 - i), -1, 0);
      return;
    }
    yield* writeOnce(flagOf(i), 0);
    yield* awaitEqual(Dekker.turn.word, -1, i);
    yield* writeOnce(flagOf(i), 1);
    if (version === RIGHT) yield* smpMb();
  }
}

export const dekkerF: Program = {
  name: 'dekker_f',
  about: "Two threads set their flag and enter if the other's is clear; full fences between.",
  param: fixedSize,
  tables: [Dekker],
  config: () => ({}),
  actors: () => threads(2, 'thread', (i) => dekkerOnce(i)),
};

export const dekker = lockProgram({
  name: 'dekker',
  about: "Dekker's algorithm with a full fence after each raised flag.",
  tables: [Dekker],
  body: (i) => dekkerThread(i, RIGHT),
});
export const dekkerUnfenced = lockProgram({
  name: 'dekker-unfenced',
  about: "Dekker's algorithm without fences: right under SC, broken under TSO.",
  tables: [Dekker],
  body: (i) => dekkerThread(i, UNFENCED),
});
export const dekkerWrong = lockProgram({
  name: 'dekker-wrong',
  about: "A thread waits for the other's flag and only then raises its own.",
  tables: [Dekker],
  body: (i) => dekkerThread(i, LOOKS_FIRST),
});
