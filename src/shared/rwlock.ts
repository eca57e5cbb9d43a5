/**
 * The fair read-write spinlock of Xen (xen/common/rwlock.c) and Linux (kernel/locking/qrwlock.c).
 *
 * word  readers:16 | waiting writers:15 | writer:1   [ANY]
 *
 * A waiting writer keeps new readers out, as there: a reader that takes the lock again while it
 * holds it deadlocks as soon as a writer waits. The wait queue inside the original lock is left
 * out: who of several waiters comes next is any of them.
 *
 * Ordering: taking is acquire, every change is one atomic read-modify-write.
 */
import { acquireWhen, cmpxchg, fetchAdd, readOnce, warnOn } from './operations.ts';
import { BUG_RWLOCK_UNBALANCED } from './bugs.ts';
import type { Op } from './op.ts';

/** A writer holds the lock. */
export const RWLOCK_WRITER = 1;
/** One writer waits. */
export const RWLOCK_WAITER = 2;
/** One reader holds the lock. */
export const RWLOCK_READER = 0x10000;
/** Why a reader must wait: a writer holds the lock or waits for it. */
export const RWLOCK_WRITERS_MASK = 0xffff;
/** Why a writer must wait: anybody holds the lock. */
export const RWLOCK_HELD_MASK = ~0xffff | RWLOCK_WRITER;

/**
 * xen/common/rwlock.c: read_lock()
 * @param word - the lock.
 */
export function* readLock(word: number): Op<void> {
  yield* acquireWhen(word, RWLOCK_WRITERS_MASK, 0, RWLOCK_READER);
}

/**
 * xen/common/rwlock.c: read_trylock()
 * @param word - the lock.
 * @returns 1 if the lock is now held for reading, 0 if a writer is in the way.
 */
export function* readTrylock(word: number): Op {
  let value = yield* readOnce(word);
  while ((value & RWLOCK_WRITERS_MASK) === 0) {
    const before = yield* cmpxchg(word, value, (value + RWLOCK_READER) | 0);
    if (before === value) return 1;
    value = before;
  }
  return 0;
}

/**
 * xen/common/rwlock.c: read_unlock()
 * @param word - the lock, held for reading.
 */
export function* readUnlock(word: number): Op<void> {
  const before = yield* fetchAdd(word, -RWLOCK_READER);
  warnOn(before >>> 16 === 0, BUG_RWLOCK_UNBALANCED, word, before);
}

/**
 * xen/common/rwlock.c: write_lock()
 * @param word - the lock.
 */
export function* writeLock(word: number): Op<void> {
  if ((yield* cmpxchg(word, 0, RWLOCK_WRITER)) === 0) return;
  yield* fetchAdd(word, RWLOCK_WAITER);
  yield* acquireWhen(word, RWLOCK_HELD_MASK, 0, RWLOCK_WRITER - RWLOCK_WAITER);
}

/**
 * xen/common/rwlock.c: write_trylock()
 * @param word - the lock.
 * @returns 1 if the lock is now held for writing, 0 if it was busy.
 */
export function* writeTrylock(word: number): Op {
  return (yield* cmpxchg(word, 0, RWLOCK_WRITER)) === 0 ? 1 : 0;
}

/**
 * xen/common/rwlock.c: write_unlock()
 * @param word - the lock, held for writing.
 */
export function* writeUnlock(word: number): Op<void> {
  const before = yield* fetchAdd(word, -RWLOCK_WRITER);
  warnOn((before & RWLOCK_WRITER) === 0, BUG_RWLOCK_UNBALANCED, word, before);
}
