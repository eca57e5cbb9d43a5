/**
 * Read-copy-update (kernel/rcu/): readers mark their sections, and whoever waits a grace period
 * knows that every section that began before it is over. Every domain's kernel has its own RCU;
 * its readers are its vCPUs.
 *
 * RcuReader.section   generation:24 | nesting:8   [VCPU]   nesting of read sections; the outermost
 *                     end makes it 0 and starts the next generation
 * Rcu, RcuCallback    callbacks that wait for a grace period, a ring under Rcu.lock   [DOM]
 *
 * Reading: 1. nesting + 1, 2. the section, 3. nesting - 1, at the outermost end generation + 1.
 * Grace period: 1. full barrier: what was unlinked before it is seen as unlinked by sections that
 * begin from now on. 2. for every vCPU that is inside a section, wait until its generation changes.
 *
 * Ordering: in Linux a reader executes no barrier, since every CPU reports its quiescent states in
 * its own program order. Here the ends of a section are atomic read-modify-write operations, full
 * barriers both; the nesting is one word, so an interrupt's own sections balance within it.
 *
 * callRcu and the functions that run callbacks take a spinlock: not for interrupt handlers.
 */
import {
  awaitNotEqual,
  fetchAdd,
  read,
  readLocal,
  readOnce,
  smpMb,
  warnOn,
  write,
} from './operations.ts';
import { BUG_DEFERRED_FULL } from './bugs.ts';
import { NO_CALL, deferredCall, deferredQueued, deferredTaken } from './deferred.ts';
import type { Op } from './op.ts';
import { spinLock, spinUnlock } from './spinlock.ts';
import { defineTable } from './table.ts';

const NESTING_MASK = 0xff;
const GENERATION = 0x100;

/** The read sections of each vCPU. */
export const RcuReader = defineTable(
  'd%.rcu[%]',
  ['domains', 'vcpusPerDomain'],
  { section: '[VCPU] generation:24 | nesting:8 of this vCPU' },
  { lineAligned: true },
);

/** The callbacks of each domain. */
export const Rcu = defineTable(
  'd%.rcu_callbacks',
  ['domains'],
  {
    lock: '[DOM] spinlock of the other words and of the ring',
    head: '[DOM] slot of the oldest callback',
    count: '[DOM] callbacks in the ring',
    ready: '[DOM] of these, from the oldest on, those whose grace period is over',
  },
  { lineAligned: true },
);

/** Slots of the ring. */
export const RcuCallback = defineTable('d%.rcu_callback[%]', ['domains', 'rcuCallbacks'], {
  value: '[DOM] the deferred call',
});

/**
 * Which read section a vCPU is in, for whoever watches a run; simulated code never asks.
 * @returns its generation, -1 outside.
 */
export function rcuSectionOf(v: number): number {
  const section = readLocal(sectionWord(v));
  return (section & NESTING_MASK) === 0 ? -1 : section >>> 8;
}

/** The domain of a vCPU. */
function domainOfReader(v: number): number {
  return (v / RcuReader.section.count) | 0;
}

function sectionWord(v: number): number {
  return RcuReader.section.at2(domainOfReader(v), v % RcuReader.section.count);
}

/**
 * include/linux/rcupdate.h: rcu_read_lock()
 * @param v - the vCPU that runs this.
 */
export function* rcuReadLock(v: number): Op<void> {
  yield* fetchAdd(sectionWord(v), 1);
}

/**
 * include/linux/rcupdate.h: rcu_read_unlock()
 * @param v - the vCPU that runs this.
 */
export function* rcuReadUnlock(v: number): Op<void> {
  const word = sectionWord(v);
  const outermost = (readLocal(word) & NESTING_MASK) === 1;
  yield* fetchAdd(word, outermost ? GENERATION - 1 : -1);
}

/**
 * kernel/rcu/tree.c: synchronize_rcu()
 * @param v - the vCPU that runs this, outside any read section of its own.
 */
export function* synchronizeRcu(v: number): Op<void> {
  const d = domainOfReader(v);
  yield* smpMb();
  for (let i = 0; i < RcuReader.section.count; i++) {
    const word = RcuReader.section.at2(d, i);
    const seen = yield* readOnce(word);
    if ((seen & NESTING_MASK) !== 0) {
      yield* awaitNotEqual(word, ~NESTING_MASK, seen & ~NESTING_MASK);
    }
  }
  yield* smpMb();
}

/**
 * kernel/rcu/tree.c: call_rcu()
 * @param v - the vCPU that runs this.
 * @param kind - what to call after a grace period (deferred.ts).
 * @param object - what to call it on.
 */
export function* callRcu(v: number, kind: number, object: number): Op<void> {
  const d = domainOfReader(v);
  const capacity = RcuCallback.value.count;
  yield* spinLock(Rcu.lock.at(d));
  const head = yield* read(Rcu.head.at(d));
  const count = yield* read(Rcu.count.at(d));
  warnOn(count === capacity, BUG_DEFERRED_FULL, d, deferredCall(kind, object));
  if (count < capacity) {
    const slot = (head + count) % capacity;
    yield* write(RcuCallback.value.at2(d, slot), deferredCall(kind, object));
    yield* write(Rcu.count.at(d), count + 1);
    yield* deferredQueued(d);
  }
  yield* spinUnlock(Rcu.lock.at(d));
}

/**
 * Waits a grace period for the callbacks queued so far (kernel/rcu/tree.c: rcu_gp_kthread()).
 * Called by the domain's kernel thread, which is also the only one that takes callbacks.
 * @param v - the vCPU of the kernel thread.
 * @returns callbacks that rcuNextCallback will now give.
 */
export function* rcuGracePeriod(v: number): Op {
  const d = domainOfReader(v);
  yield* spinLock(Rcu.lock.at(d));
  const queued = yield* read(Rcu.count.at(d));
  yield* spinUnlock(Rcu.lock.at(d));
  if (queued === 0) return 0;
  yield* synchronizeRcu(v);
  yield* spinLock(Rcu.lock.at(d));
  yield* write(Rcu.ready.at(d), queued);
  yield* spinUnlock(Rcu.lock.at(d));
  return queued;
}

/**
 * Takes the oldest callback whose grace period is over (kernel/rcu/tree.c: rcu_do_batch()).
 * @param v - the vCPU of the domain's kernel thread.
 * @returns the deferred call, which the caller makes; NO_CALL if there is none.
 */
export function* rcuNextCallback(v: number): Op {
  const d = domainOfReader(v);
  yield* spinLock(Rcu.lock.at(d));
  const ready = yield* read(Rcu.ready.at(d));
  let call = NO_CALL;
  if (ready > 0) {
    const head = yield* read(Rcu.head.at(d));
    call = yield* read(RcuCallback.value.at2(d, head));
    yield* write(Rcu.head.at(d), (head + 1) % RcuCallback.value.count);
    yield* write(Rcu.count.at(d), (yield* read(Rcu.count.at(d))) - 1);
    yield* write(Rcu.ready.at(d), ready - 1);
    yield* deferredTaken(d);
  }
  yield* spinUnlock(Rcu.lock.at(d));
  return call;
}
