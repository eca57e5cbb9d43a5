/**
 * The ticket lock of Xen (xen/common/spinlock.c) and of Linux before qspinlock
 * (arch/x86/include/asm/spinlock.h): first come, first served.
 *
 * word  next:16 | owner:16   [ANY]  the high half is the next free ticket, the low half the
 *                                   ticket that is being served; equal halves: unlocked
 *
 * Locking: 1. take a ticket (one atomic add, full barrier). 2. wait until it is served (acquire).
 * Unlocking: serve the next ticket. Only the holder changes the low half, so what it reads there
 * stays true; the carry out of ticket 0xffff is taken back by the same addition.
 *
 * Ordering: a word has no half-word store, so unlocking is a read-modify-write and a full
 * barrier where x86 has a release store. Code that leans on that is not found out here; the
 * queued lock unlocks with a release store.
 */
import { awaitEqual, cmpxchg, fetchAdd, readLocal, readOnce } from './operations.ts';
import type { Op } from './op.ts';

/** Adding it takes a ticket. */
export const TICKET = 0x10000;
/** The half of the word with the ticket that is being served. */
export const OWNER_MASK = 0xffff;

/** The ticket that an add of TICKET took, from the word before it. */
export function ticketOf(before: number): number {
  return before >>> 16;
}

/** What to add to the word so that the next ticket is served and no carry reaches `next`. */
export function serveNext(value: number): number {
  return (value & OWNER_MASK) === OWNER_MASK ? 1 - TICKET : 1;
}

/** Is this the word of a free lock? */
export function isUnlocked(value: number): boolean {
  return value >>> 16 === (value & OWNER_MASK);
}

/**
 * xen/common/spinlock.c: _spin_lock()
 * @param word - the lock.
 */
export function* spinLock(word: number): Op<void> {
  const ticket = ticketOf(yield* fetchAdd(word, TICKET));
  yield* awaitEqual(word, OWNER_MASK, ticket);
}

/**
 * xen/common/spinlock.c: _spin_trylock()
 * @param word - the lock.
 * @returns 1 if the lock is now held, 0 if it was busy.
 */
export function* spinTrylock(word: number): Op {
  const value = yield* readOnce(word);
  if (!isUnlocked(value)) return 0;
  return (yield* cmpxchg(word, value, (value + TICKET) | 0)) === value ? 1 : 0;
}

/**
 * xen/common/spinlock.c: _spin_unlock()
 * @param word - the lock, held by the caller.
 */
export function* spinUnlock(word: number): Op<void> {
  yield* fetchAdd(word, serveNext(readLocal(word)));
}

/**
 * xen/common/spinlock.c: _spin_is_locked()
 * @param word - the lock.
 * @returns 1 if somebody holds it or waits for it.
 */
export function* spinIsLocked(word: number): Op {
  return isUnlocked(yield* readOnce(word)) ? 0 : 1;
}
