/**
 * madvise(MADV_DONTNEED) (mm/madvise.c: madvise_dontneed_single_vma()): drops the pages of a range
 * and keeps the VMA. In 7.0 the read lock of the one VMA is enough; so it runs beside lookups and
 * beside get_user_pages on the same VMA. Only VM_PFNMAP is refused; VM_MIXEDMAP, gntdev's kind, is
 * not.
 *
 * 1. find and read-lock the VMA. 2. the range must lie inside it, else fall back: mmap_lock for
 * reading, VMA by VMA. 3. gather, notifiers start, zap, notifiers end, flush. 4. unlock.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import { mmapReadLock, mmapReadUnlock } from './mm.ts';
import { isUserRange } from './munmap.ts';
import { NO_VMA, VM_PFNMAP, Vma } from './vma.ts';
import { lockVmaUnderRcu, vmaEndRead } from './vma-lock.ts';
import { findVma } from './vma-tree.ts';
import { zapRange } from './zap-range.ts';

/** madvise_dontneed_single_vma(). The VMA is stable. @returns 0 or -EINVAL. */
function* dontneedSingleVma(v: number, mm: number, vma: number, start: number, end: number): Op {
  if (((yield* read(Vma.flags.at(vma))) & VM_PFNMAP) !== 0) return -EINVAL;
  yield* zapRange(v, mm, vma, start, end);
  return 0;
}

/** mm/madvise.c: madvise_walk_vmas() under mmap_lock. @returns 0, -EINVAL, -ENOMEM for a hole. */
function* walkVmas(v: number, mm: number, start: number, end: number): Op {
  let status = 0;
  let vpn = start;
  while (vpn < end) {
    const vma = yield* findVma(mm, vpn);
    if (vma === NO_VMA) return -ENOMEM;
    const from = yield* read(Vma.vmStart.at(vma));
    if (from > vpn) status = -ENOMEM;
    if (from >= end) return status;
    const to = Math.min(end, yield* read(Vma.vmEnd.at(vma)));
    const error = yield* dontneedSingleVma(v, mm, vma, Math.max(from, vpn), to);
    if (error < 0) return error;
    vpn = to;
  }
  return status;
}

/**
 * madvise(2) with MADV_DONTNEED.
 * @param v - vCPU that runs this. @param start - first vpn. @param count - pages.
 * @returns 0 or a negative errno; -ENOMEM if part of the range is not mapped.
 */
export function* madviseDontneed(v: number, mm: number, start: number, count: number): Op {
  if (!isUserRange(start, count)) return -EINVAL;
  const end = start + count;
  let status = 0;
  const vma = yield* lockVmaUnderRcu(v, mm, start);
  if (vma !== NO_VMA) {
    if ((yield* read(Vma.vmEnd.at(vma))) >= end) {
      status = yield* dontneedSingleVma(v, mm, vma, start, end);
      yield* vmaEndRead(vma);
      return status;
    }
    yield* vmaEndRead(vma);
  }
  yield* mmapReadLock(mm);
  status = yield* walkVmas(v, mm, start, end);
  yield* mmapReadUnlock(mm);
  return status;
}
