/**
 * futex(2): FUTEX_WAIT, FUTEX_WAKE and their _BITSET forms (kernel/futex/waitwake.c). Keys are
 * futex-key.ts.
 *
 * FutexBucket.lock      spinlock: the list of the bucket
 * FutexBucket.waiters   tasks that are on the list, or about to look at the value: a waker that
 *                       sees 0 needs no lock. Adding is a full barrier before the value is read;
 *                       the waker stores the value, has a barrier, and reads the count.
 * FutexQ                the sleeping task of a vCPU; `lockPtr` 1 while it is on a list, 0 once
 *                       somebody has taken it off to wake it
 *
 * Waiting: 1. the key. 2. waiters + 1, the bucket's lock. 3. the value, with page faults off; if it
 * cannot be read: all back, bring the page, from 1. 4. another value: -EAGAIN. 5. on the list,
 * unlock, sleep. Waking: 1. the key. 2. lock. 3. take off the list, lockPtr = 0.
 *
 * Not modelled: priority inheritance, requeueing, FUTEX_WAKE_OP; signals that interrupt a sleeper.
 */
import { cpuLoad } from '../../hardware/access.ts';
import { REG_VALUE, reg, setReg } from '../../hardware/vcpu.ts';
import { msleep } from '../../shared/clock.ts';
import type { Op } from '../../shared/op.ts';
import {
  awaitEqual,
  fetchAdd,
  read,
  readOnce,
  smpMb,
  storeRelease,
  write,
} from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT } from '../errno.ts';
import { currentMm } from '../mm/mm-life.ts';
import { userLoad } from '../mm/user-access.ts';
import { offsetInPage, vpnOf } from './copy-bytes.ts';
import {
  REG_KEY_KIND,
  REG_KEY_OBJECT,
  REG_KEY_OFFSET,
  REG_KEY_PAGE,
  futexBytes,
  getFutexKey,
} from './futex-key.ts';

/** include/uapi/linux/futex.h */
export const FUTEX_WAIT = 0;
export const FUTEX_WAKE = 1;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_WAKE_BITSET = 10;
export const FUTEX_PRIVATE_FLAG = 128;
export const FUTEX_BITSET_MATCH_ANY = -1;
/** Sleeps as long as it takes. */
export const FUTEX_FOREVER = -1;

export const FutexBucket = defineTable(
  'futex.bucket[%]',
  ['futexBuckets'],
  {
    lock: '[GST] spinlock of the list',
    waiters: '[GST] tasks on the list or about to be',
    first: '[GST] first waiter + 1, 0 if none; lock',
  },
  { lineAligned: true },
);

/** struct futex_q: on the kernel stack of the task that sleeps on a vCPU. */
export const FutexQ = defineTable(
  '%v.futex_q',
  ['vcpus'],
  {
    lockPtr: '[GST] 1 while it is on a list; the waker stores 0 with release',
    next: '[GST] next waiter of the bucket + 1; its lock',
    kind: '[GST] key; written before it is on a list',
    object: '[GST] key',
    page: '[GST] key',
    offset: '[GST] key',
    bitset: '[GST] which wake-ups it is for',
  },
  { lineAligned: true },
);

/** Register with the value of a futex. */
const REG_FUTEX_VALUE = 21;

/** kernel/futex/core.c: futex_hash(), of the key in the registers. */
function futexHash(v: number): number {
  const mix = reg(v, REG_KEY_OBJECT) * 31 + reg(v, REG_KEY_PAGE) * 7 + reg(v, REG_KEY_OFFSET);
  return (mix >>> 0) % FutexBucket.lock.count;
}

/** Is the key in the registers the one of a waiter? The caller holds the bucket's lock. */
function* matchesKey(v: number, q: number): Op {
  if ((yield* read(FutexQ.kind.at(q))) !== reg(v, REG_KEY_KIND)) return 0;
  if ((yield* read(FutexQ.object.at(q))) !== reg(v, REG_KEY_OBJECT)) return 0;
  if ((yield* read(FutexQ.page.at(q))) !== reg(v, REG_KEY_PAGE)) return 0;
  return (yield* read(FutexQ.offset.at(q))) === reg(v, REG_KEY_OFFSET) ? 1 : 0;
}

/**
 * futex_get_value_locked(), get_user(): the value, little-endian, byte by byte.
 * @param atomic - 1: with page faults off. @returns 0, the value in REG_FUTEX_VALUE; or -EFAULT.
 */
function* loadValue(v: number, addr: number, atomic: number): Op {
  let value = 0;
  for (let i = 0; i < futexBytes(); i++) {
    const vpn = vpnOf(addr + i);
    const offset = offsetInPage(addr + i);
    const fault =
      atomic === 1 ? yield* cpuLoad(v, vpn, offset) : yield* userLoad(v, currentMm(v), vpn, offset);
    if (fault !== 0) return -EFAULT;
    value |= (reg(v, REG_VALUE) & 0xff) << (8 * i);
  }
  setReg(v, REG_FUTEX_VALUE, value);
  return 0;
}

/** futex_q_unlock(): the task does not sleep after all. */
function* queueUnlock(bucket: number): Op<void> {
  yield* spinUnlock(FutexBucket.lock.at(bucket));
  yield* fetchAdd(FutexBucket.waiters.at(bucket), -1);
}

/** kernel/futex/core.c: futex_queue(): step 5. The caller holds the lock, which is dropped. */
function* futexQueue(v: number, bucket: number, bitset: number): Op<void> {
  yield* write(FutexQ.kind.at(v), reg(v, REG_KEY_KIND));
  yield* write(FutexQ.object.at(v), reg(v, REG_KEY_OBJECT));
  yield* write(FutexQ.page.at(v), reg(v, REG_KEY_PAGE));
  yield* write(FutexQ.offset.at(v), reg(v, REG_KEY_OFFSET));
  yield* write(FutexQ.bitset.at(v), bitset);
  yield* write(FutexQ.lockPtr.at(v), 1);
  // At the end: the longest sleeper is woken first.
  let word = FutexBucket.first.at(bucket);
  let next = yield* read(word);
  while (next !== 0) {
    word = FutexQ.next.at(next - 1);
    next = yield* read(word);
  }
  yield* write(FutexQ.next.at(v), 0);
  yield* write(word, v + 1);
  yield* spinUnlock(FutexBucket.lock.at(bucket));
}

/** __futex_unqueue(). The caller holds the lock. @param q - waiter on the list. */
function* takeOff(bucket: number, q: number): Op<void> {
  let word = FutexBucket.first.at(bucket);
  let at = yield* read(word);
  while (at !== q + 1) {
    word = FutexQ.next.at(at - 1);
    at = yield* read(word);
  }
  yield* write(word, yield* read(FutexQ.next.at(q)));
  yield* fetchAdd(FutexBucket.waiters.at(bucket), -1);
}

/** kernel/futex/core.c: futex_unqueue(). @returns 1, or 0 if somebody woke the task. */
function* futexUnqueue(v: number, bucket: number): Op {
  let queued = 0;
  yield* spinLock(FutexBucket.lock.at(bucket));
  if ((yield* read(FutexQ.lockPtr.at(v))) !== 0) {
    yield* takeOff(bucket, v);
    yield* write(FutexQ.lockPtr.at(v), 0);
    queued = 1;
  }
  yield* spinUnlock(FutexBucket.lock.at(bucket));
  return queued;
}

/**
 * kernel/futex/waitwake.c: futex_wait_setup(): steps 1 to 4.
 * @returns the bucket, whose lock is held; -EAGAIN, -EFAULT or -EINVAL.
 */
function* futexWaitSetup(v: number, addr: number, value: number, shared: number): Op {
  for (;;) {
    const status = yield* getFutexKey(v, addr, shared, 1);
    if (status < 0) return status;
    const bucket = futexHash(v);
    yield* fetchAdd(FutexBucket.waiters.at(bucket), 1);
    yield* spinLock(FutexBucket.lock.at(bucket));
    if ((yield* loadValue(v, addr, 1)) === 0) {
      if (reg(v, REG_FUTEX_VALUE) === value) return bucket;
      yield* queueUnlock(bucket);
      return -EAGAIN;
    }
    yield* queueUnlock(bucket);
    if ((yield* loadValue(v, addr, 0)) < 0) return -EFAULT;
  }
}

/** kernel/futex/waitwake.c: futex_wait() */
function* futexWait(
  v: number,
  addr: number,
  value: number,
  timeout: number,
  bitset: number,
  shared: number,
): Op {
  if (bitset === 0) return -EINVAL;
  const bucket = yield* futexWaitSetup(v, addr, value, shared);
  if (bucket < 0) return bucket;
  yield* futexQueue(v, bucket, bitset);
  if (timeout === FUTEX_FOREVER) {
    yield* awaitEqual(FutexQ.lockPtr.at(v), -1, 0);
    return 0;
  }
  yield* msleep(timeout);
  return (yield* futexUnqueue(v, bucket)) === 1 ? -ETIMEDOUT : 0;
}

/** The waiters of a bucket that have the key and the bits. The caller holds the lock. */
function* wakeMatching(v: number, bucket: number, count: number, bitset: number): Op {
  let woken = 0;
  let next = yield* read(FutexBucket.first.at(bucket));
  while (next !== 0 && woken < count) {
    const q = next - 1;
    next = yield* read(FutexQ.next.at(q));
    if ((yield* matchesKey(v, q)) === 0) continue;
    if (((yield* read(FutexQ.bitset.at(q))) & bitset) === 0) continue;
    yield* takeOff(bucket, q);
    yield* storeRelease(FutexQ.lockPtr.at(q), 0);
    woken++;
  }
  return woken;
}

/** kernel/futex/waitwake.c: futex_wake(). @returns tasks that were woken, or an error. */
function* futexWake(v: number, addr: number, count: number, bitset: number, shared: number): Op {
  if (bitset === 0) return -EINVAL;
  const status = yield* getFutexKey(v, addr, shared, 1);
  if (status < 0) return status;
  const bucket = futexHash(v);
  // What the waker stored before the call comes before the question: futex_hb_waiters_pending().
  yield* smpMb();
  if ((yield* readOnce(FutexBucket.waiters.at(bucket))) === 0) return 0;
  yield* spinLock(FutexBucket.lock.at(bucket));
  // A count of 0 wakes one, as there.
  const woken = yield* wakeMatching(v, bucket, Math.max(1, count), bitset);
  yield* spinUnlock(FutexBucket.lock.at(bucket));
  return woken;
}

/**
 * futex(2)
 * @param v - vCPU of the task. @param addr - user address. @param op - FUTEX_*, perhaps with
 *   FUTEX_PRIVATE_FLAG. @param value - what it must have, or how many to wake.
 * @param timeout - of a wait in milliseconds of the virtual clock, or FUTEX_FOREVER.
 * @param bitset - of the _BITSET forms.
 * @returns 0 or tasks that were woken; -EAGAIN, -ETIMEDOUT, -EFAULT, -EINVAL or -ENOSYS.
 */
export function* sysFutex(
  v: number,
  addr: number,
  op: number,
  value: number,
  timeout: number,
  bitset: number,
): Op {
  const shared = (op & FUTEX_PRIVATE_FLAG) === 0 ? 1 : 0;
  switch (op & ~FUTEX_PRIVATE_FLAG) {
    case FUTEX_WAIT:
      return yield* futexWait(v, addr, value, timeout, FUTEX_BITSET_MATCH_ANY, shared);
    case FUTEX_WAIT_BITSET:
      return yield* futexWait(v, addr, value, timeout, bitset, shared);
    case FUTEX_WAKE:
      return yield* futexWake(v, addr, value, FUTEX_BITSET_MATCH_ANY, shared);
    case FUTEX_WAKE_BITSET:
      return yield* futexWake(v, addr, value, bitset, shared);
    default:
      return -ENOSYS;
  }
}
