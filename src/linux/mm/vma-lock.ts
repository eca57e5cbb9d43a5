/**
 * The per-VMA lock (mm/mmap_lock.c, include/linux/mmap_lock.h): readers lock one VMA without
 * touching mmap_lock.
 *
 * Write-locked: vmLockSeq === mm.mmLockSeq. Only a holder of mmap_lock for writing write-locks, and
 * the end of its write section moves mmLockSeq, which unlocks all its VMAs at once.
 *
 * Reading: 1. look whether the VMA is write-locked (a hint). 2. vmRefcnt + 1 unless it is 0
 *   (detached) or VM_REFCNT_EXCLUDE is set. 3. does the VMA still belong to this address space?
 *   4. is it write-locked? (acquire) Then give back.
 * Writing: 1. vmRefcnt + VM_REFCNT_EXCLUDE. 2. wait until only this and the attachment are left.
 *   3. vmLockSeq = mmLockSeq. 4. vmRefcnt - VM_REFCNT_EXCLUDE: late readers fail at their step 4.
 * Detaching (write-locked): 1. vmRefcnt - 1. 2. if readers were on their way, wait for them.
 */
import type { Op } from '../../shared/op.ts';
import {
  awaitEqual,
  cmpxchg,
  fetchAdd,
  loadAcquire,
  read,
  readOnce,
  storeRelease,
  trace,
  warnOn,
  writeOnce,
} from '../../shared/operations.ts';
import { rcuReadLock, rcuReadUnlock } from '../../shared/rcu.ts';
import { EAGAIN } from '../errno.ts';
import { BUG_VMA_REFCNT } from './bugs.ts';
import { Mm } from './mm.ts';
import { TRACE_VMA_LOCKED } from './tracepoints.ts';
import { NO_VMA, Vma } from './vma.ts';
import { vmaLookup } from './vma-tree.ts';

/** VM_REFCNT_EXCLUDE_READERS_FLAG */
export const VM_REFCNT_EXCLUDE = 1 << 30;

/** vma_refcount_put(). @returns the count afterwards. */
function* vmaRefcountPut(vma: number): Op {
  const before = yield* fetchAdd(Vma.vmRefcnt.at(vma), -1);
  warnOn((before & ~VM_REFCNT_EXCLUDE) <= 0, BUG_VMA_REFCNT, vma, before);
  return before - 1;
}

/**
 * mm/mmap_lock.c: vma_start_read(). The caller is in an RCU read section.
 * @param mm - the address space it was found in. @param vma - candidate, perhaps gone.
 * @returns 1 if it is read-locked; 0 if a writer has it; -EAGAIN if it is detached.
 */
export function* vmaStartRead(mm: number, vma: number): Op {
  const lockSeq = yield* readOnce(Vma.vmLockSeq.at(vma));
  if (lockSeq === (yield* readOnce(Mm.mmLockSeq.at(mm)))) return 0;
  const refcnt = Vma.vmRefcnt.at(vma);
  let old = yield* readOnce(refcnt);
  for (;;) {
    if (old === 0) return -EAGAIN;
    if ((old & VM_REFCNT_EXCLUDE) !== 0) return 0;
    const seen = yield* cmpxchg(refcnt, old, old + 1);
    if (seen === old) break;
    old = seen;
  }
  if ((yield* read(Vma.mm.at(vma))) !== mm) {
    yield* vmaRefcountPut(vma);
    return 0;
  }
  const sequence = yield* loadAcquire(Mm.mmLockSeq.at(mm));
  if ((yield* readOnce(Vma.vmLockSeq.at(vma))) === sequence) {
    yield* vmaRefcountPut(vma);
    return 0;
  }
  return 1;
}

/** include/linux/mmap_lock.h: vma_end_read(). @param vma - read-locked by the caller. */
export function* vmaEndRead(vma: number): Op<void> {
  yield* vmaRefcountPut(vma);
}

/**
 * mm/mmap_lock.c: lock_vma_under_rcu(): finds and read-locks the VMA of an address.
 * @param v - vCPU that runs this. @param vpn - address.
 * @returns the VMA, stable until vmaEndRead; NO_VMA: take mmap_lock and look again.
 */
export function* lockVmaUnderRcu(v: number, mm: number, vpn: number): Op {
  let vma = NO_VMA;
  for (;;) {
    yield* rcuReadLock(v);
    vma = yield* vmaLookup(mm, vpn);
    const locked = vma === NO_VMA ? 0 : yield* vmaStartRead(mm, vma);
    yield* rcuReadUnlock(v);
    if (locked === 1) break;
    if (locked === 0) return NO_VMA;
  }
  const start = yield* read(Vma.vmStart.at(vma));
  const end = yield* read(Vma.vmEnd.at(vma));
  if (vpn < start || vpn >= end) {
    yield* vmaEndRead(vma);
    return NO_VMA;
  }
  trace(TRACE_VMA_LOCKED, vma, vpn, mm);
  return vma;
}

/**
 * __vma_start_exclude_readers(). @param attached - 1, or 0 when detaching. @returns 1 if it did.
 */
function* excludeReaders(vma: number, attached: number): Op {
  const refcnt = Vma.vmRefcnt.at(vma);
  let old = yield* readOnce(refcnt);
  for (;;) {
    if (old === 0) return 0;
    const seen = yield* cmpxchg(refcnt, old, old + VM_REFCNT_EXCLUDE);
    if (seen === old) break;
    old = seen;
  }
  yield* awaitEqual(refcnt, -1, VM_REFCNT_EXCLUDE + attached);
  return 1;
}

/**
 * include/linux/mmap_lock.h: vma_start_write(): waits out the readers of a VMA and keeps new ones
 * away until the write section of mmap_lock ends. The caller holds mmap_lock for writing.
 */
export function* vmaStartWrite(vma: number): Op<void> {
  const mm = yield* read(Vma.mm.at(vma));
  const sequence = yield* read(Mm.mmLockSeq.at(mm));
  if ((yield* readOnce(Vma.vmLockSeq.at(vma))) === sequence) return;
  const exclusive = yield* excludeReaders(vma, 1);
  yield* writeOnce(Vma.vmLockSeq.at(vma), sequence);
  if (exclusive === 1) yield* fetchAdd(Vma.vmRefcnt.at(vma), -VM_REFCNT_EXCLUDE);
}

/** include/linux/mmap_lock.h: vma_mark_attached(). @param vma - complete, write-locked. */
export function* vmaMarkAttached(vma: number): Op<void> {
  yield* storeRelease(Vma.vmRefcnt.at(vma), 1);
}

/** include/linux/mmap_lock.h: vma_mark_detached(). @param vma - write-locked. */
export function* vmaMarkDetached(vma: number): Op<void> {
  if ((yield* vmaRefcountPut(vma)) === 0) return;
  if ((yield* excludeReaders(vma, 0)) === 1) {
    yield* fetchAdd(Vma.vmRefcnt.at(vma), -VM_REFCNT_EXCLUDE);
  }
}
