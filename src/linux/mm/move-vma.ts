/**
 * A VMA at another place (mm/mremap.c: move_vma(), move_page_tables(), move_ptes()).
 *
 * With mmap_lock held for writing: 1. a copy of the VMA at the new place: vm_ops->open. 2. attach
 * and store it; add its page tables. 3. notifiers start for the old place. 4. for each entry, with
 * the page-table locks of both places: clear the old entry, flush, store the new one. The flush
 * comes before the locks are dropped: afterwards another thread may zap the new entry and free the
 * page (eb66ae030829, CVE-2018-18281). 5. notifiers end. 6. munmap of the old place, unless it
 * stays, empty. Linux adds page tables as it goes and moves back what it moved if it cannot.
 */
import { PTE_PRESENT, PTE_PROTNONE } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, write } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { ENOMEM } from '../errno.ts';
import { flushTlbMm } from './flush.ts';
import { mmuNotifierInvalidateEnd, mmuNotifierInvalidateStart } from './mmu-notifier.ts';
import { Mm } from './mm.ts';
import { doVmiMunmap } from './munmap.ts';
import { NO_PTE, pteAlloc, pteLock, pteOffsetMapLock, pteUnlock, setPte } from './pgtable.ts';
import { vmOpsOpen } from './vm-ops.ts';
import { NO_VMA, VM_LOCKED_MASK, Vma, vmAreaDup, vmAreaFree } from './vma.ts';
import { vmaMarkAttached, vmaStartWrite } from './vma-lock.ts';
import { maxMapCount, vmaNodeAlloc, vmaTreeStore } from './vma-tree.ts';

/** mm/mremap.c: move_ptes(), one entry; the new place has its page table. */
function* movePte(v: number, mm: number, from: number, to: number): Op<void> {
  const oldPtep = yield* pteOffsetMapLock(v, mm, from);
  if (oldPtep === NO_PTE) return;
  const newPtep = yield* pteAlloc(v, mm, to);
  const otherLock = pteLock(newPtep) !== pteLock(oldPtep);
  if (otherLock) yield* spinLock(pteLock(newPtep));
  const pte = yield* readOnce(oldPtep);
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) !== 0) {
    yield* setPte(v, oldPtep, 0);
    yield* flushTlbMm(v, mm);
    yield* setPte(v, newPtep, pte);
  }
  if (otherLock) yield* spinUnlock(pteLock(newPtep));
  yield* pteUnlock(oldPtep);
}

/** Adds the page tables of the new place. @returns 0 or -ENOMEM. */
function* addTables(v: number, mm: number, to: number, count: number): Op {
  for (let i = 0; i < count; i++) {
    if ((yield* pteAlloc(v, mm, to + i)) === NO_PTE) return -ENOMEM;
  }
  return 0;
}

/** mm/vma.c: copy_vma(): the VMA of the new place. @returns it, or -ENOMEM. */
function* copyVma(v: number, mm: number, vma: number, from: number, to: number, count: number): Op {
  if ((yield* read(Mm.mapCount.at(mm))) >= maxMapCount()) return -ENOMEM;
  const copy = yield* vmAreaDup(vma);
  if (copy === NO_VMA) return -ENOMEM;
  const node = yield* vmaNodeAlloc();
  if (node < 0) {
    yield* vmAreaFree(copy);
    return -ENOMEM;
  }
  const skipped = from - (yield* read(Vma.vmStart.at(vma)));
  yield* write(Vma.vmStart.at(copy), to);
  yield* write(Vma.vmEnd.at(copy), to + count);
  yield* write(Vma.pgoff.at(copy), (yield* read(Vma.pgoff.at(copy))) + skipped);
  yield* vmOpsOpen(v, copy);
  yield* vmaStartWrite(copy);
  yield* vmaMarkAttached(copy);
  yield* vmaTreeStore(v, mm, node, to, to + count, copy);
  yield* write(Mm.mapCount.at(mm), (yield* read(Mm.mapCount.at(mm))) + 1);
  return copy;
}

/**
 * mm/mremap.c: move_vma(). The caller holds mmap_lock for writing; the new place is empty.
 * @param vma - VMA of the old place. @param from - first vpn of what moves. @param count - its
 * pages.
 * @param to - new first vpn. @param newCount - pages of the new VMA. @param keep - 1: the old place
 *   stays mapped, without pages (MREMAP_DONTUNMAP). @returns 0 or a negative errno.
 */
export function* moveVma(
  v: number,
  mm: number,
  vma: number,
  from: number,
  count: number,
  to: number,
  newCount: number,
  keep: number,
): Op {
  const copy = yield* copyVma(v, mm, vma, from, to, newCount);
  if (copy < 0) return copy;
  if ((yield* addTables(v, mm, to, count)) < 0) {
    yield* doVmiMunmap(v, mm, to, to + newCount, 0);
    return -ENOMEM;
  }
  yield* vmaStartWrite(vma);
  yield* mmuNotifierInvalidateStart(v, mm, from, from + count, 1);
  for (let i = 0; i < count; i++) yield* movePte(v, mm, from + i, to + i);
  yield* mmuNotifierInvalidateEnd(v, mm, from, from + count);
  if (count === 0) return 0;
  if (keep === 0) return yield* doVmiMunmap(v, mm, from, from + count, 0);
  yield* write(Vma.flags.at(vma), (yield* read(Vma.flags.at(vma))) & ~VM_LOCKED_MASK);
  return 0;
}
