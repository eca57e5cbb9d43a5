/**
 * Delayed work of Linux (kernel/workqueue.c: queue_delayed_work()): calls that the domain's kernel
 * thread makes when their time has come, on the virtual clock. One queue a domain, linked in order
 * of due time; of equal times the earlier queued is first.
 *
 * WorkQueue.lock    spinlock of all other words of the domain here
 * WorkQueue.first   slot + 1 of the work that is due first, 0 if none        [DOM]
 * WorkQueue.free    slot + 1 of the first slot on the free list, 0 if none   [DOM]
 * WorkQueue.fresh   slots from here on were never used                       [DOM]
 * DelayedWork.next  slot + 1 of the next in the queue or on the free list    [DOM]
 *
 * A call that is already queued is not queued twice (WORK_STRUCT_PENDING): a work item's identity
 * is its kind and object. The functions take a spinlock: not for interrupt handlers.
 */
import { read, warnOn, write } from './operations.ts';
import { BUG_DEFERRED_FULL } from './bugs.ts';
import { jiffies, timeAfterEq } from './clock.ts';
import { NO_CALL, deferredCall, deferredQueued, deferredTaken } from './deferred.ts';
import type { Op } from './op.ts';
import { spinLock, spinUnlock } from './spinlock.ts';
import { defineTable } from './table.ts';

/** The queue of each domain. */
export const WorkQueue = defineTable(
  'd%.workqueue',
  ['domains'],
  {
    lock: '[DOM] spinlock of the queue',
    first: '[DOM] slot + 1 of the work that is due first, 0 if none',
    free: '[DOM] slot + 1 of the first free slot, 0 if none',
    fresh: '[DOM] slots from this one on were never used',
  },
  { lineAligned: true },
);

/** Slots of the queue. */
export const DelayedWork = defineTable('d%.delayed_work[%]', ['domains', 'delayedWorks'], {
  call: '[DOM] the deferred call',
  due: '[DOM] jiffies at which it may be made',
  next: '[DOM] slot + 1 of the next one, 0 at the end',
});

/** Takes a slot off the free list. @returns the slot, -1 if all are in use. */
function* takeSlot(d: number): Op {
  const free = yield* read(WorkQueue.free.at(d));
  if (free !== 0) {
    yield* write(WorkQueue.free.at(d), yield* read(DelayedWork.next.at2(d, free - 1)));
    return free - 1;
  }
  const fresh = yield* read(WorkQueue.fresh.at(d));
  if (fresh === DelayedWork.call.count) return -1;
  yield* write(WorkQueue.fresh.at(d), fresh + 1);
  return fresh;
}

/** Unlinks the slot that `link` names and puts it on the free list. */
function* unlinkSlot(d: number, link: number): Op<void> {
  const slot = (yield* read(link)) - 1;
  yield* write(link, yield* read(DelayedWork.next.at2(d, slot)));
  yield* write(DelayedWork.next.at2(d, slot), yield* read(WorkQueue.free.at(d)));
  yield* write(WorkQueue.free.at(d), slot + 1);
  yield* deferredTaken(d);
}

/** @returns the word that links to `call`, 0 if it is not queued. */
function* findLink(d: number, call: number): Op {
  let link = WorkQueue.first.at(d);
  for (;;) {
    const next = yield* read(link);
    if (next === 0) return 0;
    if ((yield* read(DelayedWork.call.at2(d, next - 1))) === call) return link;
    link = DelayedWork.next.at2(d, next - 1);
  }
}

/** Links a call in by its due time. The caller holds the lock. */
function* insert(d: number, call: number, due: number): Op<void> {
  const slot = yield* takeSlot(d);
  warnOn(slot < 0, BUG_DEFERRED_FULL, d, call);
  if (slot < 0) return;
  let link = WorkQueue.first.at(d);
  let next = yield* read(link);
  while (next !== 0 && timeAfterEq(due, yield* read(DelayedWork.due.at2(d, next - 1)))) {
    link = DelayedWork.next.at2(d, next - 1);
    next = yield* read(link);
  }
  yield* write(DelayedWork.call.at2(d, slot), call);
  yield* write(DelayedWork.due.at2(d, slot), due);
  yield* write(DelayedWork.next.at2(d, slot), next);
  yield* write(link, slot + 1);
  yield* deferredQueued(d);
}

/**
 * kernel/workqueue.c: queue_delayed_work()
 * @param d - the domain whose kernel thread makes the call.
 * @param kind - what to call (deferred.ts).
 * @param object - what to call it on.
 * @param delayJiffies - how long to wait first; 0 for queue_work().
 * @returns 1 if it is queued now, 0 if it already was.
 */
export function* queueDelayedWork(
  d: number,
  kind: number,
  object: number,
  delayJiffies: number,
): Op {
  const call = deferredCall(kind, object);
  yield* spinLock(WorkQueue.lock.at(d));
  const queued = yield* findLink(d, call);
  if (queued === 0) yield* insert(d, call, ((yield* jiffies()) + delayJiffies) | 0);
  yield* spinUnlock(WorkQueue.lock.at(d));
  return queued === 0 ? 1 : 0;
}

/**
 * kernel/workqueue.c: cancel_delayed_work()
 * @param d - the domain.
 * @param kind - of the call.
 * @param object - of the call.
 * @returns 1 if it was queued and no longer is, 0 if it was not (it may be running).
 */
export function* cancelDelayedWork(d: number, kind: number, object: number): Op {
  yield* spinLock(WorkQueue.lock.at(d));
  const link = yield* findLink(d, deferredCall(kind, object));
  if (link !== 0) yield* unlinkSlot(d, link);
  yield* spinUnlock(WorkQueue.lock.at(d));
  return link === 0 ? 0 : 1;
}

/**
 * Takes the first work whose time has come (kernel/workqueue.c: delayed_work_timer_fn()).
 * @param d - the domain.
 * @returns the deferred call, which the caller makes; NO_CALL if none is due.
 */
export function* nextDueWork(d: number): Op {
  let call = NO_CALL;
  yield* spinLock(WorkQueue.lock.at(d));
  const first = yield* read(WorkQueue.first.at(d));
  if (
    first !== 0 &&
    timeAfterEq(yield* jiffies(), yield* read(DelayedWork.due.at2(d, first - 1)))
  ) {
    call = yield* read(DelayedWork.call.at2(d, first - 1));
    yield* unlinkSlot(d, WorkQueue.first.at(d));
  }
  yield* spinUnlock(WorkQueue.lock.at(d));
  return call;
}

/**
 * How long until the first work is due.
 * @param d - the domain.
 * @returns jiffies, 0 if it is due already, -1 if the queue is empty.
 */
export function* delayOfNextWork(d: number): Op {
  let delay = -1;
  yield* spinLock(WorkQueue.lock.at(d));
  const first = yield* read(WorkQueue.first.at(d));
  if (first !== 0) {
    const due = yield* read(DelayedWork.due.at2(d, first - 1));
    delay = Math.max(0, (due - (yield* jiffies())) | 0);
  }
  yield* spinUnlock(WorkQueue.lock.at(d));
  return delay;
}
