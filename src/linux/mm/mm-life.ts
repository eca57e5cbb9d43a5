/**
 * Creation, use and end of address spaces (kernel/fork.c: mm_alloc(), mmput(); mm/mmap.c:
 * exit_mmap(); arch/x86/mm/tlb.c: switch_mm_irqs_off(); arch/x86/xen/mmu_pv.c: xen_pgd_alloc(),
 * xen_pgd_pin()).
 *
 * A new root gets the upper entries of the kernel half, which all address spaces of a domain share,
 * and is pinned in Xen, so that it stays a page table while no vCPU uses it.
 *
 * Switching: 1. the own bit in the cpumask of the next mm. 2. load cr3. 3. the own bit out of the
 * cpumask of the last. In this order a flush of an mm reaches every vCPU that may hold entries of
 * it.
 */
import { ptEntryWord, ptIndex } from '../../hardware/paging.ts';
import { domainOf, kernelBase, ptEntryCount, ptLevels } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import {
  fetchAnd,
  fetchOr,
  read,
  readLocal,
  readOnce,
  warnOn,
  write,
  writeLocal,
  writeOnce,
} from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { mmuextNewBaseptr, mmuextPinTable, mmuextUnpinTable } from '../../xen/mmu.ts';
import { BUG_MMU_UPDATE } from './bugs.ts';
import { clearPage, makePageReadonly, makePageReadwrite, writePageWord } from './direct-map.ts';
import { mmuNotifierInit } from './mmu-notifier.ts';
import { Mm, NO_MM, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { doVmiMunmap } from './munmap.ts';
import { mfnToLocalPfn, pfnToMfn } from './p2m.ts';
import { allocTablePage } from './page-alloc.ts';
import { NO_PAGE, pageOf, pfnOf, putPage } from './page.ts';
import { rootOf } from './pgtable.ts';
import { vmaNodeFree, vmaTreeInit } from './vma-tree.ts';

export const MmPool = defineTable('mm_cache[%]', ['mms'], {
  value: '[GST] bitmap of the address spaces in use (slab.ts)',
});

export const Kernel = defineTable('d%.kernel', ['domains'], {
  root: '[BOOT] mfn of swapper_pg_dir, the top page table of the kernel alone',
});

export const CurrentMm = defineTable('%v.mm', ['vcpus'], {
  value: '[VCPU] address space whose root is in cr3, -1: the kernel alone',
});

/** `current->mm` of the task that runs on a vCPU, NO_MM for a kernel thread. */
export function currentMm(v: number): number {
  return readLocal(CurrentMm.value.at(v));
}

/** arch/x86/mm/pgtable.c: pgd_alloc(). @returns mfn of a pinned root, or -1. */
function* pgdAlloc(v: number): Op {
  const d = domainOf(v);
  const pg = yield* allocTablePage(v);
  if (pg === NO_PAGE) return -1;
  yield* clearPage(v, pg);
  const kernelRoot = readLocal(Kernel.root.at(d));
  for (let i = ptIndex(kernelBase(), ptLevels()); i < ptEntryCount(); i++) {
    const entry = yield* readOnce(ptEntryWord(kernelRoot, i));
    if (entry !== 0) yield* writePageWord(v, pg, i, entry);
  }
  yield* makePageReadonly(v, pg);
  const mfn = yield* pfnToMfn(d, pfnOf(pg));
  const status = yield* mmuextPinTable(v, mfn, ptLevels());
  warnOn(status < 0, BUG_MMU_UPDATE, mfn, status);
  return mfn;
}

/** arch/x86/mm/pgtable.c: pgd_free(). @param root - mfn; no vCPU has it in cr3. */
function* pgdFree(v: number, root: number): Op<void> {
  const status = yield* mmuextUnpinTable(v, root);
  warnOn(status < 0, BUG_MMU_UPDATE, root, status);
  const d = domainOf(v);
  const pg = pageOf(d, yield* mfnToLocalPfn(d, root));
  yield* makePageReadwrite(v, pg);
  yield* putPage(v, pg);
}

/** kernel/fork.c: mm_init(): an empty address space. @returns 0 or -1. */
function* mmInit(v: number, mm: number): Op {
  if ((yield* vmaTreeInit(mm)) < 0) return -1;
  const root = yield* pgdAlloc(v);
  if (root < 0) {
    yield* vmaNodeFree(yield* read(Mm.vmaNode.at(mm)));
    return -1;
  }
  yield* write(Mm.owner.at(mm), domainOf(v));
  writeLocal(Mm.root.at(mm), root);
  yield* write(Mm.mapCount.at(mm), 0);
  yield* write(Mm.rss.at(mm), 0);
  yield* writeOnce(Mm.cpumask.at(mm), 0);
  yield* mmuNotifierInit(mm);
  return 0;
}

/**
 * kernel/fork.c: mm_alloc(): an address space of the vCPU's domain without VMAs.
 * @param v - vCPU that runs this. @returns the mm, or NO_MM if there is no memory.
 */
export function* mmCreate(v: number): Op {
  const mm = yield* slabAlloc(MmPool.value.at(0), MmPool.value.count);
  if (mm < 0) return NO_MM;
  if ((yield* mmInit(v, mm)) === 0) return mm;
  yield* slabFree(MmPool.value.at(0), mm);
  return NO_MM;
}

/**
 * arch/x86/mm/tlb.c: switch_mm_irqs_off(): the vCPU leaves its address space for another.
 * @param v - vCPU that runs this. @param next - mm of its domain, or NO_MM for the kernel alone.
 */
export function* switchMm(v: number, next: number): Op<void> {
  const last = readLocal(CurrentMm.value.at(v));
  if (last === next) return;
  if (next !== NO_MM) yield* fetchOr(Mm.cpumask.at(next), 1 << v);
  const root = next === NO_MM ? readLocal(Kernel.root.at(domainOf(v))) : rootOf(next);
  const status = yield* mmuextNewBaseptr(v, root);
  warnOn(status < 0, BUG_MMU_UPDATE, root, status);
  writeLocal(CurrentMm.value.at(v), next);
  if (last !== NO_MM) yield* fetchAnd(Mm.cpumask.at(last), ~(1 << v));
}

/**
 * kernel/fork.c: mmput() of the last user, mm/mmap.c: exit_mmap(): unmaps all and frees it.
 * @param v - vCPU that runs this. @param mm - address space that no vCPU has loaded.
 */
export function* mmDestroy(v: number, mm: number): Op<void> {
  yield* mmapWriteLock(mm);
  yield* doVmiMunmap(v, mm, 0, kernelBase(), 0);
  yield* mmapWriteUnlock(mm);
  yield* pgdFree(v, rootOf(mm));
  yield* vmaNodeFree(yield* read(Mm.vmaNode.at(mm)));
  yield* slabFree(MmPool.value.at(0), mm);
}
