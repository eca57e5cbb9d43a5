/**
 * Where a new mapping goes (mm/mmap.c: get_unmapped_area(), arch_get_unmapped_area_topdown(),
 * vm_unmapped_area()): at a fixed address, at the hint if there is room, else in the highest gap.
 */
import { kernelBase } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { ENOMEM } from '../errno.ts';
import { fitsTask } from './address.ts';
import { NO_VMA, Vma } from './vma.ts';
import { endOfPrevious, findVma } from './vma-tree.ts';

/** mmap_min_addr, in pages: nothing is put at the null pointer. */
const MMAP_MIN_VPN = 1;

/** include/linux/mm.h: find_vma_intersection(). @returns a VMA of the range, or NO_VMA. */
export function* findVmaIntersection(mm: number, start: number, end: number): Op {
  const vma = yield* findVma(mm, start);
  if (vma === NO_VMA || (yield* read(Vma.vmStart.at(vma))) >= end) return NO_VMA;
  return vma;
}

/** mm/mmap.c: vm_unmapped_area(), VM_UNMAPPED_AREA_TOPDOWN. @returns vpn or -ENOMEM. */
function* highestGap(mm: number, count: number): Op {
  let top = kernelBase();
  for (;;) {
    const bottom = yield* endOfPrevious(mm, top);
    const low = Math.max(bottom, MMAP_MIN_VPN);
    if (top - low >= count) return top - count;
    if (bottom <= MMAP_MIN_VPN) return -ENOMEM;
    top = yield* read(Vma.vmStart.at(yield* findVma(mm, bottom - 1)));
  }
}

/**
 * mm/mmap.c: get_unmapped_area(). The caller holds mmap_lock.
 * @param hint - vpn that is wished for, 0 for any. @param count - pages.
 * @param fixed - 1: there or nowhere. @returns vpn or -ENOMEM.
 */
export function* getUnmappedArea(mm: number, hint: number, count: number, fixed: number): Op {
  if (count > kernelBase()) return -ENOMEM;
  if (fixed === 1) return fitsTask(hint, count) ? hint : -ENOMEM;
  if (hint >= MMAP_MIN_VPN && fitsTask(hint, count)) {
    if ((yield* findVmaIntersection(mm, hint, hint + count)) === NO_VMA) return hint;
  }
  return yield* highestGap(mm, count);
}
