/**
 * The mutex of Linux (kernel/locking/mutex.c), without its spinning and its wait list: who of
 * several waiters comes next is any of them.
 *
 * word  0 free, 1 held   [ANY]
 *
 * Ordering: locking is acquire; unlocking is a compare-and-exchange, as __mutex_unlock_fast() is.
 */
import { acquireWhen, cmpxchg, readOnce, warnOn } from './operations.ts';
import { BUG_MUTEX_UNBALANCED } from './bugs.ts';
import type { Op } from './op.ts';

const HELD = 1;

/**
 * kernel/locking/mutex.c: mutex_lock()
 * @param word - the mutex.
 */
export function* mutexLock(word: number): Op<void> {
  yield* acquireWhen(word, -1, 0, HELD);
}

/**
 * kernel/locking/mutex.c: mutex_trylock()
 * @param word - the mutex.
 * @returns 1 if the mutex is now held, 0 if it was busy.
 */
export function* mutexTrylock(word: number): Op {
  return (yield* cmpxchg(word, 0, HELD)) === 0 ? 1 : 0;
}

/**
 * kernel/locking/mutex.c: mutex_unlock()
 * @param word - the mutex, held by the caller.
 */
export function* mutexUnlock(word: number): Op<void> {
  const before = yield* cmpxchg(word, HELD, 0);
  warnOn(before !== HELD, BUG_MUTEX_UNBALANCED, word, before);
}

/**
 * include/linux/mutex.h: mutex_is_locked()
 * @param word - the mutex.
 * @returns 1 if somebody holds it.
 */
export function* mutexIsLocked(word: number): Op {
  return yield* readOnce(word);
}
