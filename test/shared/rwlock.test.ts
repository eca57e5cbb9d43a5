/**
 * Goal: readers share, writers exclude everybody, a waiting writer keeps new readers out.
 * Method: a writer changes two words, a reader compares them, in all short interleavings under SC
 * and TSO; the deadlock of reading twice around a waiting writer must be found.
 */
import { describe, expect, test } from 'vitest';
import { BUG_RWLOCK_UNBALANCED } from '../../src/shared/bugs.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { runAlone } from '../../src/shared/operations.ts';
import {
  RWLOCK_READER,
  RWLOCK_WRITER,
  readLock,
  readTrylock,
  readUnlock,
  writeLock,
  writeTrylock,
  writeUnlock,
} from '../../src/shared/rwlock.ts';
import {
  BUG_TORN,
  arena,
  counts,
  expectBroken,
  expectEqual,
  expectSafe,
  increment,
  valueOf,
  word,
} from './arena.ts';

const LOCK = 0;
const PAIR = 20;

function* writer(): Op<void> {
  yield* writeLock(word(LOCK));
  yield* increment(PAIR);
  yield* increment(PAIR + 1);
  yield* writeUnlock(word(LOCK));
}
function* reader(): Op<void> {
  yield* readLock(word(LOCK));
  yield* expectEqual(PAIR, PAIR + 1);
  yield* readUnlock(word(LOCK));
}
function* tryingReader(): Op<void> {
  if ((yield* readTrylock(word(LOCK))) === 0) return;
  yield* expectEqual(PAIR, PAIR + 1);
  yield* readUnlock(word(LOCK));
}
function* tryingWriter(): Op<void> {
  if ((yield* writeTrylock(word(LOCK))) === 0) return;
  yield* increment(PAIR);
  yield* increment(PAIR + 1);
  yield* writeUnlock(word(LOCK));
}
function* careless(): Op<void> {
  yield* expectEqual(PAIR, PAIR + 1);
}
function* readsTwice(): Op<void> {
  yield* readLock(word(LOCK));
  yield* readLock(word(LOCK));
  yield* readUnlock(word(LOCK));
  yield* readUnlock(word(LOCK));
}
const free = (): string | null => (valueOf(LOCK) === 0 ? null : 'lock: not free at the end');

describe('rwlock', () => {
  test('a reader without the lock sees a torn pair, so the following tests can fail', () => {
    expectBroken(BUG_TORN, { bodies: [writer, careless] });
  });

  test('a reader never sees what a writer does', () => {
    expectSafe({ bodies: [writer, reader], final: free });
    expectSafe({ bodies: [writer, reader, reader], final: free });
  });

  test('writers exclude each other', () => {
    expectSafe({ bodies: [writer, writer], final: counts(PAIR, 2) });
    expectSafe({ bodies: [writer, writer, reader], final: counts(PAIR + 1, 2) });
  });

  test('trylocks that succeed exclude like locks', () => {
    expectSafe({ bodies: [writer, tryingReader], final: free });
    expectSafe({ bodies: [tryingWriter, reader], final: free });
    expectSafe({ bodies: [tryingWriter, tryingReader, tryingReader], final: free });
  });

  test('readers share', () => {
    arena();
    runAlone(readLock(word(LOCK)));
    runAlone(readLock(word(LOCK)));
    expect(valueOf(LOCK)).toBe(2 * RWLOCK_READER);
    expect(runAlone(writeTrylock(word(LOCK)))).toBe(0);
    expect(runAlone(readTrylock(word(LOCK)))).toBe(1);
  });

  test('reading twice deadlocks with a writer that waits in between', () => {
    expectBroken('deadlock', { bodies: [readsTwice, writer] });
  });

  test('a release without a lock is reported', () => {
    expectBroken(BUG_RWLOCK_UNBALANCED, { bodies: [() => readUnlock(word(LOCK))] });
    expectBroken(BUG_RWLOCK_UNBALANCED, { bodies: [() => writeUnlock(word(LOCK))] });
  });

  test('a writer that holds the lock keeps everybody out', () => {
    arena();
    mem[word(LOCK)] = RWLOCK_WRITER;
    expect(runAlone(readTrylock(word(LOCK)))).toBe(0);
    expect(runAlone(writeTrylock(word(LOCK)))).toBe(0);
  });
});
