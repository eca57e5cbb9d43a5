/**
 * madvise (mm/madvise.c: do_madvise(), madvise_walk_vmas(), madvise_vma_behavior()).
 *
 * MADV_DONTNEED drops the pages of a range and keeps the VMA. In 7.0 the read lock of the one VMA
 * is enough; so it runs beside lookups and beside get_user_pages on the same VMA. Only VM_PFNMAP
 * and VM_LOCKED are refused; VM_MIXEDMAP, gntdev's kind, is not.
 *   1. find and read-lock the VMA. 2. the range must lie inside it, else fall back: mmap_lock for
 *   reading, VMA by VMA. 3. gather, notifiers start, zap, notifiers end, flush. 4. unlock.
 * Advice that changes flags of VMAs: mmap_lock for writing, VMA by VMA (advise-vma.ts).
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import {
  ADVISE_READ_LOCKED,
  ADVISE_WRITE_LOCKED,
  MADV_DONTNEED,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  adviceLock,
} from './advice.ts';
import { adviseVma } from './advise-vma.ts';
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { isUserRange } from './munmap.ts';
import { madvisePopulate } from './populate.ts';
import { NO_VMA, Vma } from './vma.ts';
import { lockVmaUnderRcu, vmaEndRead } from './vma-lock.ts';
import { findVma } from './vma-tree.ts';

/** mm/madvise.c: madvise_walk_vmas() under mmap_lock. @returns 0; -ENOMEM for a hole; an error. */
function* walkVmas(v: number, mm: number, start: number, end: number, advice: number): Op {
  let status = 0;
  let vpn = start;
  while (vpn < end) {
    const vma = yield* findVma(mm, vpn);
    if (vma === NO_VMA) return -ENOMEM;
    const from = yield* read(Vma.vmStart.at(vma));
    if (from > vpn) status = -ENOMEM;
    if (from >= end) return status;
    const to = Math.min(end, yield* read(Vma.vmEnd.at(vma)));
    const error = yield* adviseVma(v, mm, vma, Math.max(from, vpn), to, advice);
    if (error < 0) return error;
    vpn = to;
  }
  return status;
}

/**
 * madvise(2) with MADV_DONTNEED, or other advice for which the lock of the VMA is enough.
 * @param v - vCPU that runs this. @param start - first vpn. @param count - pages.
 * @returns 0 or a negative errno; -ENOMEM if part of the range is not mapped.
 */
function* adviseReadLocked(v: number, mm: number, start: number, end: number, advice: number): Op {
  let status = 0;
  const vma = yield* lockVmaUnderRcu(v, mm, start);
  if (vma !== NO_VMA) {
    if ((yield* read(Vma.vmEnd.at(vma))) >= end) {
      status = yield* adviseVma(v, mm, vma, start, end, advice);
      yield* vmaEndRead(vma);
      return status;
    }
    yield* vmaEndRead(vma);
  }
  yield* mmapReadLock(mm);
  status = yield* walkVmas(v, mm, start, end, advice);
  yield* mmapReadUnlock(mm);
  return status;
}

/**
 * madvise(2), in pages.
 * @param v - vCPU that runs this. @param start - first vpn. @param count - pages, not 0.
 * @param advice - MADV_*. @returns 0 or a negative errno; -ENOMEM if part of the range is not
 * mapped.
 */
export function* madvise(v: number, mm: number, start: number, count: number, advice: number): Op {
  if (!isUserRange(start, count)) return -EINVAL;
  const end = start + count;
  switch (adviceLock(advice)) {
    case ADVISE_READ_LOCKED:
      return yield* adviseReadLocked(v, mm, start, end, advice);
    case ADVISE_WRITE_LOCKED: {
      yield* mmapWriteLock(mm);
      const status = yield* walkVmas(v, mm, start, end, advice);
      yield* mmapWriteUnlock(mm);
      return status;
    }
    default:
      if (advice === MADV_POPULATE_READ) return yield* madvisePopulate(v, mm, start, end, 0);
      if (advice === MADV_POPULATE_WRITE) return yield* madvisePopulate(v, mm, start, end, 1);
      return -EINVAL;
  }
}

/** madvise(2) with MADV_DONTNEED. Arguments and result as madvise. */
export function* madviseDontneed(v: number, mm: number, start: number, count: number): Op {
  return yield* madvise(v, mm, start, count, MADV_DONTNEED);
}
