/**
 * The sequence lock (include/linux/seqlock.h): a reader sees both words of one round, or notices
 * that it did not. Readers try once. For one writer of W rounds and R readers there are f(W)^R
 * traces, f = 11, 37, 89 for W = 1, 2, 3.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, smpRmb, smpWmb, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, threads } from '../program.ts';

const Seqlock = defineTable('seqlock', [], {
  sequence: '[WRITER] odd while a writer is inside',
  first: '[WRITER] protected: equal to second',
  second: '[WRITER] protected: equal to first',
});

/** Stores both words, `rounds` times. @param rounds - how often. */
export function* seqlockWriter(rounds: number): Op<void> {
  for (let i = 1; i <= rounds; i++) {
    yield* writeOnce(Seqlock.sequence.word, 2 * i - 1);
    yield* smpWmb();
    yield* writeOnce(Seqlock.first.word, i);
    yield* writeOnce(Seqlock.second.word, i);
    yield* smpWmb();
    yield* writeOnce(Seqlock.sequence.word, 2 * i);
  }
}

/** Reads both words once. @param retries - 1: looks at the sequence again. */
export function* seqlockReader(retries: number): Op<void> {
  const sequence = yield* readOnce(Seqlock.sequence.word);
  if (sequence % 2 === 1) return;
  yield* smpRmb();
  const first = yield* readOnce(Seqlock.first.word);
  const second = yield* readOnce(Seqlock.second.word);
  yield* smpRmb();
  const again = yield* readOnce(Seqlock.sequence.word);
  if (retries === 1 && again !== sequence) return;
  assertThat(first === second, first, second);
}

function seqlockProgram(name: string, about: string, retries: number, readers: number): Program {
  return {
    name,
    about,
    param: { counts: 'rounds of the writer', least: 1, usual: 2 },
    tables: [Seqlock],
    config: () => ({}),
    actors: (n) => [
      { name: 'writer', body: () => seqlockWriter(n) },
      ...threads(readers, 'reader', () => seqlockReader(retries)),
    ],
  };
}

export const seqlock = seqlockProgram(
  'seqlock',
  'One writer of n rounds and one reader of a sequence lock.',
  1,
  1,
);
export const seqlockTwoReaders = seqlockProgram(
  'seqlock-two-readers',
  'One writer of n rounds and two readers of a sequence lock.',
  1,
  2,
);
export const seqlockWrong = seqlockProgram(
  'seqlock-wrong',
  'A reader that does not look at the sequence again.',
  0,
  1,
);
