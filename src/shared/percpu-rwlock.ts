/**
 * Xen's per-CPU read-write lock (xen/include/xen/rwlock.h, xen/common/rwlock.c), which guards
 * every grant table: readers write only a pointer of their own CPU, writers look at all of them.
 *
 * lock + RWLOCK              an ordinary rwlock: writers, and readers that come second   [ANY]
 * lock + WRITER_ACTIVATING   1 while a writer holds the lock or waits for readers    [WRITER]
 * PercpuReader.lock          first word of the lock that this vCPU reads, 0 if none    [VCPU]
 *
 * Reading: 1. store the pointer. 2. full barrier. 3. test writer_activating; if it is set, take
 * the pointer back, wait on the rwlock, store the pointer again. A vCPU that reads another such
 * lock already takes the rwlock itself for the second.
 * Writing: 1. rwlock. 2. set writer_activating. 3. full barrier. 4. wait for every vCPU's pointer
 * to differ. The two barriers make it Dekker's pattern: at least one side sees the other.
 *
 * Of a pointer class (DEFINE_PERCPU_RWLOCK_GLOBAL) there is one here, that of grant tables.
 */
import {
  awaitNotEqual,
  readLocal,
  readOnce,
  smpMb,
  storeRelease,
  warnOn,
  writeOnce,
} from './operations.ts';
import { BUG_PERCPU_RWLOCK } from './bugs.ts';
import type { Op } from './op.ts';
import { readLock, readUnlock, writeLock, writeUnlock } from './rwlock.ts';
import { defineTable } from './table.ts';

/** Words of a lock; a table that embeds one declares its fields in this order. */
export const PERCPU_RWLOCK_WORDS = 2;
const RWLOCK = 0;
const WRITER_ACTIVATING = 1;

/** The pointer of each vCPU. */
export const PercpuReader = defineTable(
  '%v.grant_rwlock',
  ['vcpus'],
  { lock: '[VCPU] first word of the per-CPU rwlock that this vCPU reads, 0 if none' },
  { lineAligned: true },
);

/**
 * xen/include/xen/rwlock.h: percpu_read_lock()
 * @param v - the vCPU that runs this.
 * @param lock - first word of the lock; this vCPU does not read it already.
 */
export function* percpuReadLock(v: number, lock: number): Op<void> {
  const mine = PercpuReader.lock.at(v);
  const held = yield* readOnce(mine);
  warnOn(held === lock, BUG_PERCPU_RWLOCK, v, lock);
  if (held !== 0) {
    yield* readLock(lock + RWLOCK);
    return;
  }
  yield* writeOnce(mine, lock);
  yield* smpMb();
  if ((yield* readOnce(lock + WRITER_ACTIVATING)) === 0) return;
  yield* writeOnce(mine, 0);
  yield* readLock(lock + RWLOCK);
  yield* writeOnce(mine, lock);
  yield* readUnlock(lock + RWLOCK);
}

/**
 * xen/include/xen/rwlock.h: percpu_read_unlock()
 * @param v - the vCPU that took the lock.
 * @param lock - first word of the lock.
 */
export function* percpuReadUnlock(v: number, lock: number): Op<void> {
  const mine = PercpuReader.lock.at(v);
  const held = yield* readOnce(mine);
  warnOn(held === 0, BUG_PERCPU_RWLOCK, v, lock);
  if (held !== lock) {
    yield* readUnlock(lock + RWLOCK);
    return;
  }
  yield* storeRelease(mine, 0);
}

/**
 * xen/common/rwlock.c: percpu_write_lock()
 * @param lock - first word of the lock.
 */
export function* percpuWriteLock(lock: number): Op<void> {
  yield* writeLock(lock + RWLOCK);
  yield* writeOnce(lock + WRITER_ACTIVATING, 1);
  yield* smpMb();
  for (let v = 0; v < PercpuReader.lock.count; v++) {
    yield* awaitNotEqual(PercpuReader.lock.at(v), -1, lock);
  }
}

/**
 * xen/include/xen/rwlock.h: percpu_write_unlock()
 * @param lock - first word of the lock, held for writing.
 */
export function* percpuWriteUnlock(lock: number): Op<void> {
  const activating = readLocal(lock + WRITER_ACTIVATING);
  warnOn(activating === 0, BUG_PERCPU_RWLOCK, -1, lock);
  yield* writeOnce(lock + WRITER_ACTIVATING, 0);
  yield* writeUnlock(lock + RWLOCK);
}
