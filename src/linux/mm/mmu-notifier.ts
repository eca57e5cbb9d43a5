/**
 * MMU notifiers, the interval flavour (mm/mmu_notifier.c): a driver that keeps mappings of its own
 * behind a range of addresses is told before the page tables of the range change, and the change
 * waits until it has let go.
 *
 * mm.invalidateSeq            even: idle; odd: some invalidation that meets a subscriber is under
 *                             way, and the list of subscriptions must not change
 * mm.activeInvalidateRanges   invalidations under way
 * mm.notifierHead, .notifierDeferred   lists through MmuInterval.next and .deferredNext
 * all of them change under mm.notifierLock. Linux finds subscribers in an interval tree; a list
 * serves for the few that an address space has.
 *
 * Invalidating: 1. start: active + 1; if a subscriber intersects, seq becomes odd. 2. tell each,
 *   and each returns with its mappings gone. 3. change the page tables. 4. end: active - 1; at the
 *   last end seq becomes even, deferred inserts and removes happen, and waiters go on.
 * Inserting: between start and end of others the new range may be among theirs: if seq is odd, the
 *   insert is deferred; else seq becomes odd, so that readBegin waits.
 * Removing: if seq is odd, deferred, and the caller sleeps until the end: afterwards no callback
 *   runs, and its object can be freed.
 * Reading: readBegin waits while an invalidation that the range was inserted into is under way.
 * Callbacks are not told why a range changes: gntdev, whose they are, never looks; so mprotect,
 * mremap and MADV_DONTNEED tear grants down as munmap does.
 *
 * The whole-mm notifier of kernels before 5.5 is a subscription to all addresses.
 */
import { kernelBase } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import {
  awaitNotEqual,
  read,
  readOnce,
  trace,
  warnOn,
  write,
  writeOnce,
} from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { EAGAIN, ENOMEM } from '../errno.ts';
import { BUG_NOTIFIER_STATE } from './bugs.ts';
import { Mm } from './mm.ts';
import { notifierInvalidate } from './notifier-ops.ts';
import { TRACE_INVALIDATE_END, TRACE_INVALIDATE_START } from './tracepoints.ts';

/** MmuInterval.ops: drivers/xen/gntdev.c: gntdev_mmu_ops; the object is the driver's. */
export const NOTIFIER_GNTDEV = 1;

/** MmuInterval.state: on no list. */
const OUTSIDE = 0;
/** MmuInterval.state: in the list of subscriptions (its tree node is linked). */
const INSERTED = 1;

/** No subscription. */
const NO_NOTIFIER = -1;

export const MmuInterval = defineTable(
  'mmu_interval[%]',
  ['notifiers'],
  {
    mm: '[GST] address space',
    start: '[GST] first vpn',
    end: '[GST] vpn after the last',
    ops: '[GST] NOTIFIER_*',
    object: '[GST] object of the driver',
    invalidateSeq: '[GST] mm.invalidateSeq of the last invalidation that met it; always odd',
    state: '[GST] 1 while in the list of subscriptions; notifierLock',
    next: '[GST] next subscription, -1 at the end; notifierLock, constant while seq is odd',
    deferredNext: '[GST] next deferred insert or remove, -1 at the end; notifierLock',
  },
  { lineAligned: true, watched: true },
);

export const MmuIntervalPool = defineTable('mmu_interval_cache[%]', ['notifiers'], {
  value: '[GST] bitmap of the subscriptions in use (slab.ts)',
});

/** Gives a new address space no subscriptions. */
export function* mmuNotifierInit(mm: number): Op<void> {
  yield* write(Mm.invalidateSeq.at(mm), 2);
  yield* write(Mm.activeInvalidateRanges.at(mm), 0);
  yield* write(Mm.notifierHead.at(mm), NO_NOTIFIER);
  yield* write(Mm.notifierDeferred.at(mm), NO_NOTIFIER);
}

/** interval_tree_insert(). Under notifierLock. */
function* link(mm: number, sub: number): Op<void> {
  yield* write(MmuInterval.next.at(sub), yield* read(Mm.notifierHead.at(mm)));
  yield* write(Mm.notifierHead.at(mm), sub);
  yield* write(MmuInterval.state.at(sub), INSERTED);
}

/** Takes a subscription out of a list. Under notifierLock. */
function* unlinkFrom(headWord: number, nextWord0: number, sub: number): Op<void> {
  let word = headWord;
  for (;;) {
    const at = yield* read(word);
    if (at === NO_NOTIFIER) return;
    const nextWord = nextWord0 + at * MmuInterval.next.stride;
    if (at === sub) {
      yield* write(word, yield* read(nextWord));
      return;
    }
    word = nextWord;
  }
}

/** interval_tree_remove(). Under notifierLock. */
function* unlink(mm: number, sub: number): Op<void> {
  yield* unlinkFrom(Mm.notifierHead.at(mm), MmuInterval.next.word, sub);
  yield* write(MmuInterval.state.at(sub), OUTSIDE);
}

/** Queues an insert or a remove for the end of the invalidation. Under notifierLock. */
function* defer(mm: number, sub: number): Op<void> {
  yield* write(MmuInterval.deferredNext.at(sub), yield* read(Mm.notifierDeferred.at(mm)));
  yield* write(Mm.notifierDeferred.at(mm), sub);
}

/**
 * mm/mmu_notifier.c: mmu_interval_notifier_insert()
 * @param v - vCPU that runs this. @param mm - address space. @param start - first vpn.
 * @param count - pages. @param ops - NOTIFIER_*. @param object - handed to the callback.
 * @returns the subscription, or -ENOMEM.
 */
export function* mmuIntervalNotifierInsert(
  v: number,
  mm: number,
  start: number,
  count: number,
  ops: number,
  object: number,
): Op {
  const sub = yield* slabAlloc(MmuIntervalPool.value.at(0), MmuIntervalPool.value.count);
  if (sub < 0) return -ENOMEM;
  yield* write(MmuInterval.mm.at(sub), mm);
  yield* write(MmuInterval.start.at(sub), start);
  yield* write(MmuInterval.end.at(sub), start + count);
  yield* write(MmuInterval.ops.at(sub), ops);
  yield* write(MmuInterval.object.at(sub), object);
  yield* write(MmuInterval.state.at(sub), OUTSIDE);
  yield* spinLock(Mm.notifierLock.at(mm));
  let seq = yield* read(Mm.invalidateSeq.at(mm));
  if ((yield* read(Mm.activeInvalidateRanges.at(mm))) !== 0) {
    if ((seq & 1) !== 0) {
      yield* defer(mm, sub);
    } else {
      seq |= 1;
      yield* writeOnce(Mm.invalidateSeq.at(mm), seq);
      yield* link(mm, sub);
    }
    yield* writeOnce(MmuInterval.invalidateSeq.at(sub), seq);
  } else {
    yield* writeOnce(MmuInterval.invalidateSeq.at(sub), seq - 1);
    yield* link(mm, sub);
  }
  yield* spinUnlock(Mm.notifierLock.at(mm));
  return sub;
}

/**
 * mm/mmu_notifier.c: mmu_interval_seq_released(), and the wait for it: the sequence changes under
 * notifierLock, and the deferred list is worked off before the lock is dropped. Who has only seen
 * the sequence change could free a subscription that is still on that list (the race in
 * mmu_interval_notifier_remove() that was fixed in 2022, after 5.17).
 */
export function* waitForRelease(mm: number, seq: number): Op<void> {
  yield* awaitNotEqual(Mm.invalidateSeq.at(mm), -1, seq);
  yield* spinLock(Mm.notifierLock.at(mm));
  yield* spinUnlock(Mm.notifierLock.at(mm));
}

/**
 * mm/mmu_notifier.c: mmu_interval_notifier_remove(): when it returns, no callback of the
 * subscription runs or will run. The caller holds no lock that a callback takes.
 * @param v - vCPU that runs this. @param sub - subscription; freed.
 */
export function* mmuIntervalNotifierRemove(v: number, sub: number): Op<void> {
  const mm = yield* read(MmuInterval.mm.at(sub));
  let waitFor = 0;
  yield* spinLock(Mm.notifierLock.at(mm));
  const state = yield* read(MmuInterval.state.at(sub));
  const seq = yield* read(Mm.invalidateSeq.at(mm));
  if ((seq & 1) !== 0) {
    if (state === OUTSIDE) {
      yield* unlinkFrom(Mm.notifierDeferred.at(mm), MmuInterval.deferredNext.word, sub);
    } else {
      yield* defer(mm, sub);
      waitFor = seq;
    }
  } else {
    warnOn(state !== INSERTED, BUG_NOTIFIER_STATE, sub, state);
    yield* unlink(mm, sub);
  }
  yield* spinUnlock(Mm.notifierLock.at(mm));
  if (waitFor !== 0) yield* waitForRelease(mm, waitFor);
  yield* slabFree(MmuIntervalPool.value.at(0), sub);
}

/** The next subscription from `sub` on that meets a range (interval_tree_iter_first, _next). */
function* nextIntersecting(sub: number, start: number, end: number): Op {
  let at = sub;
  while (at !== NO_NOTIFIER) {
    const from = yield* read(MmuInterval.start.at(at));
    const to = yield* read(MmuInterval.end.at(at));
    if (from < end && to > start) return at;
    at = yield* read(MmuInterval.next.at(at));
  }
  return NO_NOTIFIER;
}

/**
 * mm/mmu_notifier.c: mmu_notifier_invalidate_range_start(): returns when no subscriber uses the
 * range. What it returned 0 for, mmuNotifierInvalidateEnd must follow.
 * @param v - vCPU that runs this. @param start - first vpn. @param end - vpn after the last.
 * @param blockable - 1 if callbacks may sleep. @returns 0, or -EAGAIN if one would have to sleep
 * and must not.
 */
export function* mmuNotifierInvalidateStart(
  v: number,
  mm: number,
  start: number,
  end: number,
  blockable: number,
): Op {
  yield* spinLock(Mm.notifierLock.at(mm));
  const active = yield* read(Mm.activeInvalidateRanges.at(mm));
  yield* write(Mm.activeInvalidateRanges.at(mm), active + 1);
  let sub = yield* nextIntersecting(yield* read(Mm.notifierHead.at(mm)), start, end);
  let seq = yield* read(Mm.invalidateSeq.at(mm));
  if (sub !== NO_NOTIFIER) {
    seq |= 1;
    yield* writeOnce(Mm.invalidateSeq.at(mm), seq);
  }
  yield* spinUnlock(Mm.notifierLock.at(mm));
  trace(TRACE_INVALIDATE_START, mm, start, end);
  while (sub !== NO_NOTIFIER) {
    const gone = yield* notifierInvalidate(v, sub, start, end, blockable);
    if (gone === 0 && blockable === 0) {
      yield* mmuNotifierInvalidateEnd(v, mm, start, end);
      return -EAGAIN;
    }
    sub = yield* nextIntersecting(yield* read(MmuInterval.next.at(sub)), start, end);
  }
  return 0;
}

/** mm/mmu_notifier.c: mn_itree_inv_end(), its deferred part. Under notifierLock. */
function* runDeferred(mm: number): Op<void> {
  let sub = yield* read(Mm.notifierDeferred.at(mm));
  while (sub !== NO_NOTIFIER) {
    if ((yield* read(MmuInterval.state.at(sub))) === OUTSIDE) yield* link(mm, sub);
    else yield* unlink(mm, sub);
    sub = yield* read(MmuInterval.deferredNext.at(sub));
  }
  yield* write(Mm.notifierDeferred.at(mm), NO_NOTIFIER);
}

/** mm/mmu_notifier.c: mmu_notifier_invalidate_range_end(). @param v - vCPU that runs this. */
export function* mmuNotifierInvalidateEnd(
  v: number,
  mm: number,
  start: number,
  end: number,
): Op<void> {
  trace(TRACE_INVALIDATE_END, mm, start, end);
  yield* spinLock(Mm.notifierLock.at(mm));
  const active = (yield* read(Mm.activeInvalidateRanges.at(mm))) - 1;
  yield* write(Mm.activeInvalidateRanges.at(mm), active);
  const seq = yield* read(Mm.invalidateSeq.at(mm));
  if (active === 0 && (seq & 1) !== 0) {
    yield* writeOnce(Mm.invalidateSeq.at(mm), seq + 1);
    yield* runDeferred(mm);
  }
  yield* spinUnlock(Mm.notifierLock.at(mm));
}

/**
 * mm/mmu_notifier.c: mmu_interval_read_begin(): waits while an invalidation meets the range.
 * @param sub - subscription. @returns the sequence of the subscription.
 */
export function* mmuIntervalReadBegin(sub: number): Op {
  const mm = yield* read(MmuInterval.mm.at(sub));
  yield* spinLock(Mm.notifierLock.at(mm));
  const seq = yield* readOnce(MmuInterval.invalidateSeq.at(sub));
  const invalidating = seq === (yield* read(Mm.invalidateSeq.at(mm)));
  yield* spinUnlock(Mm.notifierLock.at(mm));
  if (invalidating) yield* awaitNotEqual(Mm.invalidateSeq.at(mm), -1, seq);
  return seq;
}

/**
 * mm/mmu_notifier.c: mmu_notifier_release(), mn_itree_release(): the address space ends, and every
 * subscriber lets go of all of it. Subscriptions stay until their owners remove them.
 * @param v - vCPU that runs this, in another address space. @param mm - without users.
 */
export function* mmuNotifierRelease(v: number, mm: number): Op<void> {
  if ((yield* read(Mm.notifierHead.at(mm))) === NO_NOTIFIER) return;
  yield* mmuNotifierInvalidateStart(v, mm, 0, kernelBase(), 1);
  yield* mmuNotifierInvalidateEnd(v, mm, 0, kernelBase());
}
