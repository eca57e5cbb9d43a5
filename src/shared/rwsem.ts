/**
 * The read-write semaphore of Linux (kernel/locking/rwsem.c): the kind of lock mmap_lock is.
 *
 * word  readers:24 | waiting writers:7 | writer:1   [ANY]
 *
 * A waiting writer keeps new readers out (RWSEM_FLAG_WAITERS there): reading twice in one task
 * deadlocks as soon as a writer waits in between. The wait list is left out: who of several
 * waiters comes next is any of them.
 *
 * Ordering: taking is acquire, every change is one atomic read-modify-write. Downgrading lets
 * readers in without a moment in which another writer could have had the lock.
 */
import { acquireWhen, cmpxchg, fetchAdd, readOnce, warnOn } from './operations.ts';
import { BUG_RWSEM_UNBALANCED } from './bugs.ts';
import type { Op } from './op.ts';

const WRITER = 1;
const WAITER = 2;
const READER = 0x100;
/** Why a reader must wait: a writer holds the semaphore or waits for it. */
const WRITERS_MASK = 0xff;
/** Why a writer must wait: anybody holds the semaphore. */
const HELD_MASK = ~0xff | WRITER;

/**
 * kernel/locking/rwsem.c: down_read()
 * @param word - the semaphore.
 */
export function* downRead(word: number): Op<void> {
  yield* acquireWhen(word, WRITERS_MASK, 0, READER);
}

/**
 * kernel/locking/rwsem.c: down_read_trylock()
 * @param word - the semaphore.
 * @returns 1 if it is now held for reading, 0 if a writer is in the way.
 */
export function* downReadTrylock(word: number): Op {
  let value = yield* readOnce(word);
  while ((value & WRITERS_MASK) === 0) {
    const before = yield* cmpxchg(word, value, (value + READER) | 0);
    if (before === value) return 1;
    value = before;
  }
  return 0;
}

/**
 * kernel/locking/rwsem.c: up_read()
 * @param word - the semaphore, held for reading.
 */
export function* upRead(word: number): Op<void> {
  const before = yield* fetchAdd(word, -READER);
  warnOn(before >>> 8 === 0, BUG_RWSEM_UNBALANCED, word, before);
}

/**
 * kernel/locking/rwsem.c: down_write()
 * @param word - the semaphore.
 */
export function* downWrite(word: number): Op<void> {
  if ((yield* cmpxchg(word, 0, WRITER)) === 0) return;
  yield* fetchAdd(word, WAITER);
  yield* acquireWhen(word, HELD_MASK, 0, WRITER - WAITER);
}

/**
 * kernel/locking/rwsem.c: down_write_trylock()
 * @param word - the semaphore.
 * @returns 1 if it is now held for writing, 0 if it was busy.
 */
export function* downWriteTrylock(word: number): Op {
  return (yield* cmpxchg(word, 0, WRITER)) === 0 ? 1 : 0;
}

/**
 * kernel/locking/rwsem.c: up_write()
 * @param word - the semaphore, held for writing.
 */
export function* upWrite(word: number): Op<void> {
  const before = yield* fetchAdd(word, -WRITER);
  warnOn((before & WRITER) === 0, BUG_RWSEM_UNBALANCED, word, before);
}

/**
 * kernel/locking/rwsem.c: downgrade_write()
 * @param word - the semaphore, held for writing; afterwards held for reading.
 */
export function* downgradeWrite(word: number): Op<void> {
  const before = yield* fetchAdd(word, READER - WRITER);
  warnOn((before & WRITER) === 0, BUG_RWSEM_UNBALANCED, word, before);
}
