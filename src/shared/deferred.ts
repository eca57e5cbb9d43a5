/**
 * A call that is made later, in one word: simulated code has no function pointers, so what Linux
 * keeps as a function and its argument is here a small number and an object's index. The domain's
 * kernel thread takes such calls from the queues (rcu.ts, delayed-work.ts) and dispatches by a
 * switch on the kind.
 *
 * word               kind:7 | object:24   never negative, so that -1 means "no call"
 * Deferred.pending   calls in all queues of the domain   [DOM]   the kernel thread sleeps while 0
 */
import { fetchAdd } from './operations.ts';
import type { Op } from './op.ts';
import { defineTable } from './table.ts';

/** Largest object index of a deferred call; kinds are 1 … 127. */
export const DEFERRED_OBJECT_MAX = 0xffffff;
/** No call. */
export const NO_CALL = -1;

/** What the kernel thread of each domain waits on. */
export const Deferred = defineTable(
  'd%.deferred',
  ['domains'],
  { pending: '[DOM] calls that wait in the queues of this domain' },
  { lineAligned: true },
);

/**
 * @param kind - 1 … 127, declared by the room that runs it.
 * @param object - 0 … DEFERRED_OBJECT_MAX.
 * @returns the call as one word.
 */
export function deferredCall(kind: number, object: number): number {
  return (kind << 24) | object;
}

/** The kind of a deferred call. */
export function deferredKind(call: number): number {
  return call >>> 24;
}

/** The object of a deferred call. */
export function deferredObject(call: number): number {
  return call & DEFERRED_OBJECT_MAX;
}

/**
 * A queue of the domain holds one more call.
 * @param d - the domain.
 */
export function* deferredQueued(d: number): Op<void> {
  yield* fetchAdd(Deferred.pending.at(d), 1);
}

/**
 * A queue of the domain holds one call less.
 * @param d - the domain.
 */
export function* deferredTaken(d: number): Op<void> {
  yield* fetchAdd(Deferred.pending.at(d), -1);
}
