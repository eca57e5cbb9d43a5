/**
 * The MCS lock of Linux (kernel/locking/mcs_spinlock.h): waiters queue and each spins on a word
 * of its own, so that handing over the lock touches one waiter's cache line only.
 *
 * lock word       tail: node of the last in the queue, 0 if the lock is free      [ANY]
 * node + NEXT     node of the successor, 0 if none yet             [OWNER, SUCCESSOR]
 * node + LOCKED   1 once the predecessor has handed over           [OWNER, PREDECESSOR]
 *
 * A node is named by its first word. It belongs to one locker from mcsSpinLock to mcsSpinUnlock.
 *
 * Locking: 1. clear the own node. 2. xchg the tail (full barrier). 3. with a predecessor: link
 * behind it, wait for LOCKED (acquire). Unlocking: 1. without successor, cmpxchg the tail to 0.
 * 2. if that fails, somebody is about to link: wait for it. 3. hand over (release).
 */
import {
  awaitEqual,
  awaitNotEqual,
  cmpxchg,
  readOnce,
  storeRelease,
  writeOnce,
  xchg,
} from './operations.ts';
import type { Op } from './op.ts';

/** Words of a queue node. */
export const QUEUED_NODE_WORDS = 2;
const NEXT = 0;
const LOCKED = 1;

/**
 * kernel/locking/mcs_spinlock.h: mcs_spin_lock()
 * @param lock - word of the lock.
 * @param node - first word of a node that nobody uses.
 */
export function* mcsSpinLock(lock: number, node: number): Op<void> {
  yield* writeOnce(node + LOCKED, 0);
  yield* writeOnce(node + NEXT, 0);
  const previous = yield* xchg(lock, node);
  if (previous === 0) return;
  yield* writeOnce(previous + NEXT, node);
  yield* awaitEqual(node + LOCKED, -1, 1);
}

/**
 * kernel/locking/mcs_spinlock.h: mcs_spin_unlock()
 * @param lock - word of the lock, held by the caller.
 * @param node - the node it was locked with.
 */
export function* mcsSpinUnlock(lock: number, node: number): Op<void> {
  let next = yield* readOnce(node + NEXT);
  if (next === 0) {
    if ((yield* cmpxchg(lock, node, 0)) === node) return;
    next = yield* awaitNotEqual(node + NEXT, -1, 0);
  }
  yield* storeRelease(next + LOCKED, 1);
}
