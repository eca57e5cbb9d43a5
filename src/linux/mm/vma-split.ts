/**
 * Splitting a VMA in two (mm/vma.c: __split_vma()).
 *
 * 1. copy the VMA; the copy gets its bounds. 2. the design splits its page array (Draft B: the
 * pointer of the part that begins at the cut moves on, before any bound of the old VMA does, and it
 * does not come back if the split fails later). 3. vm_ops->open of the copy. 4. write-lock both:
 * readers of the per-VMA lock are waited out here and not before. 5. the old VMA's bounds. 6. the
 * tree, in one store. The steps before 4 race with holders of the old VMA's read lock.
 *
 * Direction: `newBelow` says which part is the copy. Kernels differ (munmap.ts), and drivers that
 * remember a VMA notice which part the old object is.
 */
import type { Op } from '../../shared/op.ts';
import { read, trace, warnOn, write } from '../../shared/operations.ts';
import { designVmaSplit } from '../designs/design.ts';
import { ENOMEM } from '../errno.ts';
import { BUG_SPLIT_ADDRESS } from './bugs.ts';
import { Mm } from './mm.ts';
import { TRACE_VMA_SPLIT } from './tracepoints.ts';
import { vmOpsOpen } from './vm-ops.ts';
import { NO_VMA, Vma, vmAreaDup, vmAreaFree } from './vma.ts';
import { vmaMarkAttached, vmaStartWrite } from './vma-lock.ts';
import { maxMapCount, vmaNodeAlloc, vmaTreeStore } from './vma-tree.ts';

/** Moves the lower bound of a VMA up. */
function* raiseStart(vma: number, vpn: number): Op<void> {
  const delta = vpn - (yield* read(Vma.vmStart.at(vma)));
  yield* write(Vma.vmStart.at(vma), vpn);
  yield* write(Vma.pgoff.at(vma), (yield* read(Vma.pgoff.at(vma))) + delta);
}

/**
 * mm/vma.c: __split_vma(). The caller holds mmap_lock for writing.
 * @param v - vCPU that runs this. @param vma - VMA to cut; it stays one of the parts.
 * @param vpn - the cut, inside the VMA. @param newBelow - 1: the new VMA is the lower part.
 * @returns the new VMA, or -ENOMEM with nothing changed.
 */
export function* splitVmaUnchecked(
  v: number,
  mm: number,
  vma: number,
  vpn: number,
  newBelow: number,
): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const end = yield* read(Vma.vmEnd.at(vma));
  warnOn(start >= vpn || end <= vpn, BUG_SPLIT_ADDRESS, vma, vpn);
  const copy = yield* vmAreaDup(vma);
  if (copy === NO_VMA) return -ENOMEM;
  if (newBelow === 1) yield* write(Vma.vmEnd.at(copy), vpn);
  else yield* raiseStart(copy, vpn);
  const node = yield* vmaNodeAlloc();
  if (node < 0) {
    yield* vmAreaFree(copy);
    return -ENOMEM;
  }
  yield* designVmaSplit(v, vma, copy, vpn - start, newBelow);
  yield* vmOpsOpen(v, copy);
  yield* vmaStartWrite(vma);
  yield* vmaStartWrite(copy);
  if (newBelow === 1) yield* raiseStart(vma, vpn);
  else yield* write(Vma.vmEnd.at(vma), vpn);
  trace(TRACE_VMA_SPLIT, vma, copy, vpn);
  yield* vmaMarkAttached(copy);
  if (newBelow === 1) yield* vmaTreeStore(v, mm, node, start, vpn, copy);
  else yield* vmaTreeStore(v, mm, node, vpn, end, copy);
  yield* write(Mm.mapCount.at(mm), (yield* read(Mm.mapCount.at(mm))) + 1);
  return copy;
}

/** mm/vma.c: split_vma(): as above, within the limit of VMAs of an address space. */
export function* splitVma(v: number, mm: number, vma: number, vpn: number, newBelow: number): Op {
  if ((yield* read(Mm.mapCount.at(mm))) >= maxMapCount()) return -ENOMEM;
  return yield* splitVmaUnchecked(v, mm, vma, vpn, newBelow);
}
