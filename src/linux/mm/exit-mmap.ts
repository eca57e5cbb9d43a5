/**
 * The end of an address space (mm/mmap.c: exit_mmap()). No task runs in it any more; others may
 * still look at it under mmap_lock.
 *
 * 1. notifiers: subscribers let go of all addresses (mmu_notifier_release()). 2. Xen lets go of the
 * page tables (arch_exit_mmap()): they are ordinary pages from now on. 3. under mmap_lock for
 * reading: notifiers start, clear the entries of all VMAs, notifiers end. 4. under mmap_lock for
 * writing: free the page tables; flush, then put the pages; vm_ops->close of each VMA, and free it.
 *
 * An entry of a grant must be gone after step 1: step 2 drops what Xen counts for it.
 */
import { kernelBase } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { VM_FOREIGN_ARRAY, design } from '../designs/design.ts';
import { freePgtables } from './free-pgtables.ts';
import {
  mmuNotifierInvalidateEnd,
  mmuNotifierInvalidateStart,
  mmuNotifierRelease,
} from './mmu-notifier.ts';
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { tlbFinish, tlbGather } from './mmu-gather.ts';
import { removeVmas } from './munmap.ts';
import { xenPgdUnpin } from './pgd.ts';
import { isPinned } from './pgtable.ts';
import { NO_VMA, Vma } from './vma.ts';
import { vmaMarkDetached, vmaStartWrite } from './vma-lock.ts';
import { findVma } from './vma-tree.ts';
import { unmapSingleVma } from './zap.ts';

/** Strings the VMAs together as those of an munmap. @returns the first, or NO_VMA. */
function* linkAll(mm: number): Op {
  const first = yield* findVma(mm, 0);
  let vma = first;
  while (vma !== NO_VMA) {
    const next = yield* findVma(mm, yield* read(Vma.vmEnd.at(vma)));
    yield* write(Vma.detachedNext.at(vma), next);
    vma = next;
  }
  return first;
}

/** vma_mark_detached() of all: their memory is the next one's. */
function* detachAll(first: number): Op<void> {
  let vma = first;
  while (vma !== NO_VMA) {
    yield* vmaStartWrite(vma);
    yield* vmaMarkDetached(vma);
    vma = yield* read(Vma.detachedNext.at(vma));
  }
}

/** mm/memory.c: unmap_vmas(), of all addresses. */
function* unmapVmas(v: number, mm: number, first: number): Op<void> {
  yield* mmuNotifierInvalidateStart(v, mm, 0, kernelBase(), 1);
  let vma = first;
  while (vma !== NO_VMA) {
    yield* unmapSingleVma(v, mm, vma, 0, kernelBase());
    vma = yield* read(Vma.detachedNext.at(vma));
  }
  yield* mmuNotifierInvalidateEnd(v, mm, 0, kernelBase());
}

/**
 * 2.6.18-xen: mm->context.has_foreign_mappings: grants are unmapped where the zap meets their
 * entries, which Xen does in page tables alone; so these stay pinned until the VMAs are gone.
 */
function hasForeignMappings(): number {
  return design() === VM_FOREIGN_ARRAY ? 1 : 0;
}

/**
 * mm/mmap.c: exit_mmap().
 * @param v - vCPU that runs this, in another address space. @param mm - without users.
 */
export function* exitMmap(v: number, mm: number): Op<void> {
  yield* mmuNotifierRelease(v, mm);
  yield* mmapReadLock(mm);
  if (hasForeignMappings() === 0 && isPinned(mm)) yield* xenPgdUnpin(v, mm);
  const first = yield* linkAll(mm);
  if (first === NO_VMA) {
    yield* mmapReadUnlock(mm);
    if (isPinned(mm)) yield* xenPgdUnpin(v, mm);
    return;
  }
  yield* tlbGather(v, mm);
  yield* unmapVmas(v, mm, first);
  yield* mmapReadUnlock(mm);
  yield* mmapWriteLock(mm);
  yield* freePgtables(v, mm, first, 0, kernelBase(), 0, kernelBase());
  yield* tlbFinish(v);
  yield* detachAll(first);
  yield* removeVmas(v, first);
  yield* mmapWriteUnlock(mm);
  if (isPinned(mm)) yield* xenPgdUnpin(v, mm);
}
