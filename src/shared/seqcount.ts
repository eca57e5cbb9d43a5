/**
 * The sequence counter of Linux (include/linux/seqlock.h): readers see a consistent set of words
 * without writing anything, or notice and try again. Writers exclude each other by a lock of
 * their own.
 *
 * word  sequence: odd while a writer is inside   [WRITER]
 *
 * Writing: 1. sequence + 1. 2. write barrier. 3. the data. 4. write barrier. 5. sequence + 1.
 * Reading: 1. wait for an even sequence (acquire). 2. the data. 3. read barrier. 4. sequence again:
 * if it differs, what was read is worth nothing.
 *
 * The protected words are read while they are written: use readOnce and writeOnce for them.
 */
import {
  awaitEqual,
  loadAcquire,
  read,
  readOnce,
  smpRmb,
  smpWmb,
  writeOnce,
} from './operations.ts';
import type { Op } from './op.ts';

/**
 * include/linux/seqlock.h: read_seqcount_begin()
 * @param word - the counter.
 * @returns the even sequence to give to readSeqRetry.
 */
export function* readSeqBegin(word: number): Op {
  return yield* awaitEqual(word, 1, 0);
}

/**
 * include/linux/seqlock.h: raw_read_seqcount(), for readers that give up rather than wait.
 * @param word - the counter.
 * @returns the sequence; odd: a writer is inside.
 */
export function* rawReadSeqcount(word: number): Op {
  return yield* loadAcquire(word);
}

/**
 * include/linux/seqlock.h: read_seqcount_retry()
 * @param word - the counter.
 * @param seq - the sequence that the read section began with.
 * @returns 1 if a writer came between and the section must be repeated, else 0.
 */
export function* readSeqRetry(word: number, seq: number): Op {
  yield* smpRmb();
  return (yield* readOnce(word)) === seq ? 0 : 1;
}

/**
 * include/linux/seqlock.h: write_seqcount_begin()
 * @param word - the counter; the caller holds the lock that keeps other writers out.
 */
export function* writeSeqBegin(word: number): Op<void> {
  const seq = yield* read(word);
  yield* writeOnce(word, (seq + 1) | 0);
  yield* smpWmb();
}

/**
 * include/linux/seqlock.h: write_seqcount_end()
 * @param word - the counter, odd since writeSeqBegin.
 */
export function* writeSeqEnd(word: number): Op<void> {
  yield* smpWmb();
  const seq = yield* read(word);
  yield* writeOnce(word, (seq + 1) | 0);
}
