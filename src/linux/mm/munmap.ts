/**
 * munmap (mm/vma.c: do_vmi_align_munmap(), vms_gather_munmap_vmas(), vms_complete_munmap_vmas();
 * mm/memory.c: unmap_vmas()).
 *
 * With mmap_lock held for writing: 1. cut the first VMA at the start of the range and the last at
 * its end. 2. write-lock each VMA of the range and mark it detached. 3. take the range out of the
 * tree. From now on nobody finds the VMAs, and nobody holds one. 4. perhaps downgrade mmap_lock.
 * 5. notifiers: start. 6. clear the entries. 7. notifiers: end. 8. free the page tables. 9. flush,
 * then put the pages. 10. vm_ops->close of each VMA, and free it. 11. unlock.
 *
 * Directions of the cuts: 7.0 puts the new VMA below at the start and above at the end, so the old
 * object is the part that goes. Up to 6.0 (4.11, 3.12: do_munmap()) it was above at the start and
 * below at the end, so the old object is the part that stays. LinuxParams.splitNewAbove.
 */
import { kernelBase } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import { splitNewAbove } from '../params.ts';
import { freePgtables } from './free-pgtables.ts';
import { mmuNotifierInvalidateEnd, mmuNotifierInvalidateStart } from './mmu-notifier.ts';
import { Mm, mmapReadUnlock, mmapWriteDowngrade, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { tlbFinish, tlbGather } from './mmu-gather.ts';
import { vmOpsClose } from './vm-ops.ts';
import { NO_VMA, Vma, vmAreaFree } from './vma.ts';
import { vmaMarkDetached, vmaStartWrite } from './vma-lock.ts';
import { splitVmaUnchecked } from './vma-split.ts';
import {
  endOfPrevious,
  findVma,
  maxMapCount,
  vmaNodeAlloc,
  vmaNodeFree,
  vmaTreeStore,
} from './vma-tree.ts';
import { unmapSingleVma } from './zap.ts';

/** Cuts the VMAs at both ends of the range. @returns 0 or -ENOMEM, with cuts left as they are. */
function* cutEnds(v: number, mm: number, start: number, end: number): Op {
  const above = splitNewAbove();
  const first = yield* findVma(mm, start);
  if (first === NO_VMA) return 0;
  if ((yield* read(Vma.vmStart.at(first))) < start) {
    const endsInside = (yield* read(Vma.vmEnd.at(first))) > end;
    if (endsInside && (yield* read(Mm.mapCount.at(mm))) >= maxMapCount()) return -ENOMEM;
    const cut = yield* splitVmaUnchecked(v, mm, first, start, 1 - above);
    if (cut < 0) return cut;
  }
  const last = yield* findVma(mm, end - 1);
  if (last === NO_VMA || (yield* read(Vma.vmStart.at(last))) >= end) return 0;
  if ((yield* read(Vma.vmEnd.at(last))) > end) {
    const cut = yield* splitVmaUnchecked(v, mm, last, end, above);
    if (cut < 0) return cut;
  }
  return 0;
}

/** vms_gather_munmap_vmas(), its loop. @returns first of the detached VMAs, or NO_VMA. */
function* detachRange(mm: number, start: number, end: number): Op {
  let head = NO_VMA;
  let tail = NO_VMA;
  let vpn = start;
  for (;;) {
    const vma = yield* findVma(mm, vpn);
    if (vma === NO_VMA || (yield* read(Vma.vmStart.at(vma))) >= end) return head;
    yield* vmaStartWrite(vma);
    yield* write(Vma.detachedNext.at(vma), NO_VMA);
    if (tail === NO_VMA) head = vma;
    else yield* write(Vma.detachedNext.at(tail), vma);
    tail = vma;
    yield* vmaMarkDetached(vma);
    yield* write(Mm.mapCount.at(mm), (yield* read(Mm.mapCount.at(mm))) - 1);
    vpn = yield* read(Vma.vmEnd.at(vma));
  }
}

/** mm/vma.c: unmap_region(): steps 5 to 9. @param first - first of the detached VMAs. */
function* unmapRegion(v: number, mm: number, first: number, start: number, end: number): Op<void> {
  const floor = yield* endOfPrevious(mm, start);
  const next = yield* findVma(mm, end);
  const ceiling = next === NO_VMA ? kernelBase() : yield* read(Vma.vmStart.at(next));
  yield* tlbGather(v, mm);
  yield* mmuNotifierInvalidateStart(v, mm, start, end, 1);
  let vma = first;
  while (vma !== NO_VMA) {
    yield* unmapSingleVma(v, mm, vma, start, end);
    vma = yield* read(Vma.detachedNext.at(vma));
  }
  yield* mmuNotifierInvalidateEnd(v, mm, start, end);
  yield* freePgtables(v, mm, first, start, end, floor, ceiling);
  yield* tlbFinish(v);
}

/**
 * mm/vma.c: remove_vma() for each. The caller holds mmap_lock.
 * @param first - first of the detached VMAs.
 */
export function* removeVmas(v: number, first: number): Op<void> {
  let vma = first;
  while (vma !== NO_VMA) {
    const next = yield* read(Vma.detachedNext.at(vma));
    yield* vmOpsClose(v, vma);
    yield* vmAreaFree(vma);
    vma = next;
  }
}

/**
 * mm/vma.c: do_vmi_align_munmap(). The caller holds mmap_lock for writing.
 * @param v - vCPU that runs this. @param start - first vpn. @param end - vpn after the last.
 * @param downgrade - 1: on success mmap_lock is held for reading afterwards.
 * @returns 0 or -ENOMEM.
 */
export function* doVmiMunmap(
  v: number,
  mm: number,
  start: number,
  end: number,
  downgrade: number,
): Op {
  const status = yield* cutEnds(v, mm, start, end);
  if (status < 0) return status;
  const node = yield* vmaNodeAlloc();
  if (node < 0) return node;
  const first = yield* detachRange(mm, start, end);
  if (first === NO_VMA) yield* vmaNodeFree(node);
  else yield* vmaTreeStore(v, mm, node, start, end, NO_VMA);
  if (downgrade === 1) yield* mmapWriteDowngrade(mm);
  if (first === NO_VMA) return 0;
  yield* unmapRegion(v, mm, first, start, end);
  yield* removeVmas(v, first);
  return 0;
}

/** Is [start, start + count) a range of user addresses? */
export function isUserRange(start: number, count: number): boolean {
  return start >= 0 && count > 0 && start + count <= kernelBase();
}

/**
 * munmap(2). mm/mmap.c: __vm_munmap(), with the downgrade of 7.0 unless munmap cuts as 4.11 did.
 * @param v - vCPU that runs this. @param start - first vpn. @param count - pages.
 * @returns 0 or a negative errno.
 */
export function* doMunmap(v: number, mm: number, start: number, count: number): Op {
  if (!isUserRange(start, count)) return -EINVAL;
  const downgrade = 1 - splitNewAbove();
  yield* mmapWriteLock(mm);
  const status = yield* doVmiMunmap(v, mm, start, start + count, downgrade);
  if (status === 0 && downgrade === 1) yield* mmapReadUnlock(mm);
  else yield* mmapWriteUnlock(mm);
  return status;
}
