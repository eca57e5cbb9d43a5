/**
 * Pages before they are used: MAP_POPULATE, mlock, MADV_POPULATE_* (mm/gup.c: __mm_populate(),
 * populate_vma_page_range(), faultin_vma_page_range()). It is get_user_pages() that keeps nothing.
 */
import { PTE_PRESENT, PTE_RW } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce } from '../../shared/operations.ts';
import { EFAULT, EINVAL, ENOMEM } from '../errno.ts';
import { FAULT_FLAG_WRITE } from './fault-codes.ts';
import { handleMmFault, vmFaultToErrno } from './fault.ts';
import { mmapReadLock, mmapReadUnlock } from './mm.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock } from './pgtable.ts';
import { vmaLookup } from './vma-tree.ts';
import { findVmaIntersection } from './unmapped-area.ts';
import {
  NO_VMA,
  VM_ACCESS_FLAGS,
  VM_IO,
  VM_LOCKONFAULT,
  VM_PFNMAP,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
  Vma,
} from './vma.ts';

/** follow_page_pte() without taking the page. @returns 1 if the access needs no fault. */
function* isPopulated(v: number, mm: number, vpn: number, write: number): Op {
  const ptep = yield* pteOffsetMapLock(v, mm, vpn);
  if (ptep === NO_PTE) return 0;
  const pte = yield* readOnce(ptep);
  yield* pteUnlock(ptep);
  const needed = write === 1 ? PTE_PRESENT | PTE_RW : PTE_PRESENT;
  return (pte & needed) === needed ? 1 : 0;
}

/**
 * mm/gup.c: __get_user_pages() without an array for pages. The caller holds mmap_lock.
 * @param start - first vpn. @param end - after the last, in the same VMA. @param write - 1 or 0.
 * @returns pages that are there, from the first on; a negative errno if there is none.
 */
function* faultInRange(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  write: number,
): Op {
  for (let vpn = start; vpn < end; vpn++) {
    while ((yield* isPopulated(v, mm, vpn, write)) === 0) {
      const fault = yield* handleMmFault(v, mm, vma, vpn, write === 1 ? FAULT_FLAG_WRITE : 0);
      if (fault !== 0) return vpn > start ? vpn - start : vmFaultToErrno(fault);
    }
  }
  return end - start;
}

/** mm/gup.c: populate_vma_page_range(). @returns as faultInRange. */
function* populateVmaPageRange(v: number, mm: number, vma: number, start: number, end: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & VM_LOCKONFAULT) !== 0) return end - start;
  if ((flags & VM_ACCESS_FLAGS) === 0) return -EFAULT;
  // A page that will be copied on the first store is copied now; a shared one stays clean.
  const write = (flags & (VM_WRITE | VM_SHARED)) === VM_WRITE ? 1 : 0;
  return yield* faultInRange(v, mm, vma, start, end, write);
}

/** check_vma_flags(), of MADV_POPULATE_*. @param flags - VM_*. */
function mayPopulate(flags: number, write: number): boolean {
  if ((flags & (VM_IO | VM_PFNMAP)) !== 0) return false;
  return (flags & (write === 1 ? VM_WRITE : VM_READ)) !== 0;
}

/**
 * mm/madvise.c: madvise_populate().
 * @param start - first vpn. @param end - after the last. @param write - 1: as by a store.
 * @returns 0; -ENOMEM for a hole; -EINVAL where the access is not permitted; -EFAULT for SIGBUS.
 */
export function* madvisePopulate(
  v: number,
  mm: number,
  start: number,
  end: number,
  write: number,
): Op {
  let status = 0;
  let vpn = start;
  yield* mmapReadLock(mm);
  while (vpn < end && status >= 0) {
    const vma = yield* vmaLookup(mm, vpn);
    if (vma === NO_VMA) {
      status = -ENOMEM;
    } else if (!mayPopulate(yield* read(Vma.flags.at(vma)), write)) {
      status = -EINVAL;
    } else {
      const last = Math.min(end, yield* read(Vma.vmEnd.at(vma)));
      status = yield* faultInRange(v, mm, vma, vpn, last, write);
      vpn += Math.max(0, status);
    }
  }
  yield* mmapReadUnlock(mm);
  return status < 0 ? status : 0;
}

/**
 * mm/gup.c: __mm_populate().
 * @param start - first vpn. @param end - after the last. @param ignoreErrors - 1: go on after one.
 * @returns 0, -EFAULT or -ENOMEM.
 */
export function* mmPopulate(
  v: number,
  mm: number,
  start: number,
  end: number,
  ignoreErrors: number,
): Op {
  let status = 0;
  let vpn = start;
  yield* mmapReadLock(mm);
  while (vpn < end) {
    const vma = yield* findVmaIntersection(mm, vpn, end);
    if (vma === NO_VMA) break;
    const last = Math.min(end, yield* read(Vma.vmEnd.at(vma)));
    const first = Math.max(vpn, yield* read(Vma.vmStart.at(vma)));
    vpn = last;
    if (((yield* read(Vma.flags.at(vma))) & (VM_IO | VM_PFNMAP)) !== 0) continue;
    const got = yield* populateVmaPageRange(v, mm, vma, first, last);
    if (got >= 0) vpn = first + got;
    if (got >= 0 || ignoreErrors === 1) continue;
    status = got;
    break;
  }
  yield* mmapReadUnlock(mm);
  return status;
}
