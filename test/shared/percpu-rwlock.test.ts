/**
 * Goal: Xen's per-CPU rwlock excludes with its two full barriers and not without them; a second
 * lock of the same vCPU falls back to the plain rwlock; nobody waits for ever.
 * Method: a writer changes two words, readers compare them, under SC and TSO; the same protocol
 * written out here without a barrier must break under TSO, and only there.
 */
import { describe, expect, test } from 'vitest';
import { BUG_PERCPU_RWLOCK } from '../../src/shared/bugs.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { awaitNotEqual, readOnce, runAlone, writeOnce } from '../../src/shared/operations.ts';
import {
  PERCPU_RWLOCK_WORDS,
  PercpuReader,
  percpuReadLock,
  percpuReadUnlock,
  percpuWriteLock,
  percpuWriteUnlock,
} from '../../src/shared/percpu-rwlock.ts';
import {
  BUG_TORN,
  arena,
  counts,
  expectBroken,
  expectEqual,
  expectSafe,
  increment,
  operationsOf,
  valueOf,
  word,
} from './arena.ts';

const A = 0;
const B = PERCPU_RWLOCK_WORDS;
const PAIR = 20;

function* writer(lock: number): Op<void> {
  yield* percpuWriteLock(word(lock));
  yield* increment(PAIR);
  yield* increment(PAIR + 1);
  yield* percpuWriteUnlock(word(lock));
}
function* reader(v: number, lock: number): Op<void> {
  yield* percpuReadLock(v, word(lock));
  yield* expectEqual(PAIR, PAIR + 1);
  yield* percpuReadUnlock(v, word(lock));
}
function* nestedReader(v: number): Op<void> {
  yield* percpuReadLock(v, word(A));
  yield* reader(v, B);
  yield* percpuReadUnlock(v, word(A));
}
/** Reads a pair under B while it holds A, and drops A first. */
function* crossedReader(v: number): Op<void> {
  yield* percpuReadLock(v, word(B));
  yield* percpuReadLock(v, word(A));
  yield* expectEqual(PAIR, PAIR + 1);
  yield* percpuReadUnlock(v, word(A));
  yield* expectEqual(PAIR, PAIR + 1);
  yield* percpuReadUnlock(v, word(B));
}
/** Neither lock is held, and no writer keeps readers off the fast path. */
function free(): string | null {
  const words = [A, A + 1, B, B + 1].map(valueOf);
  return words.every((value) => value === 0) ? null : `lock: not free at the end: ${words.join()}`;
}

function* readerWithoutBarrier(v: number): Op<void> {
  yield* writeOnce(PercpuReader.lock.at(v), word(A));
  if ((yield* readOnce(word(A + 1))) === 0) yield* expectEqual(PAIR, PAIR + 1);
  yield* writeOnce(PercpuReader.lock.at(v), 0);
}
function* writerWithoutBarrier(): Op<void> {
  yield* writeOnce(word(A + 1), 1);
  yield* awaitNotEqual(PercpuReader.lock.at(0), -1, word(A));
  yield* increment(PAIR);
  yield* increment(PAIR + 1);
}

describe('per-CPU rwlock', () => {
  test('readers and writers exclude each other', () => {
    expectSafe({ bodies: [() => reader(0, A), () => writer(A)], final: free });
    expectSafe({ bodies: [() => reader(0, A), () => reader(3, A), () => writer(A)], final: free });
  });

  test('writers exclude each other', () => {
    expectSafe({ bodies: [() => writer(A), () => writer(A)], final: counts(PAIR, 2) });
  });

  test('a reader without its barrier sees a torn pair under TSO, and only there', () => {
    const bodies = [() => readerWithoutBarrier(0), () => writer(A)];
    expectSafe({ bodies, memories: ['sc'] });
    expectBroken(BUG_TORN, { bodies, memories: ['tso'] });
  });

  test('a writer without its barrier tears a pair under TSO, and only there', () => {
    const bodies = [() => reader(0, A), writerWithoutBarrier];
    const waits = [() => readerWithoutBarrier(0), writerWithoutBarrier];
    expectSafe({ bodies: waits, memories: ['sc'] });
    expectBroken(BUG_TORN, { bodies, memories: ['tso'] });
  });

  test('a second lock of the same vCPU excludes writers through the plain rwlock', () => {
    expectSafe({ bodies: [() => nestedReader(0), () => writer(B)], final: free });
    expectSafe({ bodies: [() => nestedReader(0), () => writer(A)], final: free });
  });

  test('locks may be dropped in the order in which they were taken', () => {
    expectSafe({ bodies: [() => crossedReader(0), () => writer(B)], final: free });
  });

  test('a reader costs no shared store: its pointer, a barrier, a look at the writer', () => {
    arena();
    expect(operationsOf(percpuReadLock(1, word(A)))).toEqual([
      'read_once',
      'write_once',
      'smp_mb',
      'read_once',
    ]);
    expect(mem[PercpuReader.lock.at(1)]).toBe(word(A));
    expect(operationsOf(percpuReadUnlock(1, word(A)))).toEqual(['read_once', 'store_release']);
    expect(mem[PercpuReader.lock.at(1)]).toBe(0);
  });

  test('releasing what is not held is reported', () => {
    expectBroken(BUG_PERCPU_RWLOCK, { bodies: [() => percpuReadUnlock(0, word(A))] });
    expectBroken(BUG_PERCPU_RWLOCK, { bodies: [() => percpuWriteUnlock(word(A))] });
  });

  test('a writer does not wait for readers of another lock', () => {
    arena();
    runAlone(percpuReadLock(0, word(A)));
    runAlone(percpuWriteLock(word(B)));
    expect(valueOf(B + 1)).toBe(1);
  });
});
