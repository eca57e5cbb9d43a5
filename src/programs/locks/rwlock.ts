/**
 * The biased read-write lock of older Linux (arch/x86/include/asm/rwlock.h until 3.15): readers
 * take 1 from a word, a writer takes the whole bias. The word is kept one lower than there, so
 * that "a reader may enter" is its sign.
 */
import type { Op } from '../../shared/op.ts';
import { awaitEqual, fetchAdd, read, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, mustBe, threads } from '../program.ts';

const BIAS = 0x100000;
/** The word of a lock that nobody holds. */
const FREE = BIAS - 1;
const SIGN = -0x80000000;

const Rwlock = defineTable('rwlock', [], {
  count: '[ANY] FREE, less 1 for each reader, less BIAS for a writer',
  first: '[WRITER] protected: equal to second',
  second: '[WRITER] protected: equal to first',
});

/** The lock is free. */
export function* rwlockSetup(): Op<void> {
  yield* write(Rwlock.count.word, FREE);
}

/** Two protected words must be equal. */
export function* rwlockReader(): Op<void> {
  while ((yield* fetchAdd(Rwlock.count.word, -1)) < 0) {
    yield* fetchAdd(Rwlock.count.word, 1);
    yield* awaitEqual(Rwlock.count.word, SIGN, 0);
  }
  const first = yield* read(Rwlock.first.word);
  const second = yield* read(Rwlock.second.word);
  assertThat(first === second, first, second);
  yield* fetchAdd(Rwlock.count.word, 1);
}

/** Increments both words. @param patient - 1: waits for readers, 0: only for writers. */
export function* rwlockWriter(patient: number): Op<void> {
  for (;;) {
    const before = yield* fetchAdd(Rwlock.count.word, -BIAS);
    if (before === FREE || (patient === 0 && before >= 0)) break;
    yield* fetchAdd(Rwlock.count.word, BIAS);
    yield* awaitEqual(Rwlock.count.word, -1, FREE);
  }
  const first = yield* read(Rwlock.first.word);
  yield* write(Rwlock.first.word, first + 1);
  const second = yield* read(Rwlock.second.word);
  yield* write(Rwlock.second.word, second + 1);
  yield* fetchAdd(Rwlock.count.word, BIAS);
}

function rwlockProgram(name: string, about: string, patient: number): Program {
  return {
    name,
    about,
    param: { counts: 'readers', least: 1, usual: 1 },
    tables: [Rwlock],
    config: () => ({}),
    setup: rwlockSetup,
    actors: (n) => [
      { name: 'writer0', body: () => rwlockWriter(patient) },
      { name: 'writer1', body: () => rwlockWriter(patient) },
      ...threads(n, 'reader', () => rwlockReader()),
    ],
    final: () => mustBe(Rwlock.second.word, 2, 'rwlock.second'),
  };
}

export const linuxRwlock = rwlockProgram(
  'linux-rwlock',
  "Linux's biased read-write lock: two writers and n readers.",
  1,
);
export const linuxRwlockWrong = rwlockProgram(
  'linux-rwlock-wrong',
  'A read-write lock whose writers wait for other writers but not for readers.',
  0,
);
