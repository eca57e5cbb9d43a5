/**
 * Changing the flags or the end of VMAs (mm/vma.c: vma_modify_flags(), vma_expand()). Neighbours
 * that become alike are not merged.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { NO_VMA, Vma } from './vma.ts';
import { vmaStartWrite } from './vma-lock.ts';
import { splitVma } from './vma-split.ts';
import { vmaNodeAlloc, vmaTreeStore } from './vma-tree.ts';
import { findVmaIntersection } from './unmapped-area.ts';

/**
 * mm/vma.c: vma_modify(), without merging: cuts a VMA so that it is the range. The caller holds
 * mmap_lock for writing. @returns 0 or -ENOMEM, with a cut left as it is.
 */
export function* cutToRange(v: number, mm: number, vma: number, start: number, end: number): Op {
  if ((yield* read(Vma.vmStart.at(vma))) < start) {
    const cut = yield* splitVma(v, mm, vma, start, 1);
    if (cut < 0) return cut;
  }
  if ((yield* read(Vma.vmEnd.at(vma))) > end) {
    const cut = yield* splitVma(v, mm, vma, end, 0);
    if (cut < 0) return cut;
  }
  return 0;
}

/**
 * mm/vma.c: vma_modify_flags(), and the flags. The caller holds mmap_lock for writing.
 * @param start - first vpn. @param end - vpn after the last, both inside the VMA.
 * @param flags - VM_* of the range from now on. @returns 0 or -ENOMEM.
 */
export function* vmaModifyFlags(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  flags: number,
): Op {
  const status = yield* cutToRange(v, mm, vma, start, end);
  if (status < 0) return status;
  yield* vmaStartWrite(vma);
  yield* write(Vma.flags.at(vma), flags);
  return 0;
}

/**
 * mm/vma.c: vma_expand(), at its end, if nothing is there. The caller holds mmap_lock for writing.
 * @param end - new vpn after the last. @returns 0; -ENOMEM; 1: there is no room.
 */
export function* vmaExpand(v: number, mm: number, vma: number, end: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const oldEnd = yield* read(Vma.vmEnd.at(vma));
  if ((yield* findVmaIntersection(mm, oldEnd, end)) !== NO_VMA) return 1;
  const node = yield* vmaNodeAlloc();
  if (node < 0) return node;
  yield* vmaStartWrite(vma);
  yield* write(Vma.vmEnd.at(vma), end);
  yield* vmaTreeStore(v, mm, node, start, end, vma);
  return 0;
}
