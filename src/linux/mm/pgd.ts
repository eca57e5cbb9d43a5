/**
 * Top page tables of a PV guest (arch/x86/mm/pgtable.c: pgd_alloc(), pgd_free();
 * arch/x86/xen/mmu_pv.c: xen_pgd_pin(), xen_pgd_unpin()).
 *
 * A new root gets the upper entries of the kernel half, which all address spaces of a domain share.
 * Pinning: 1. every table below it becomes read-only in the direct map. 2. Xen checks and counts
 *   the whole tree, and keeps it a tree of page tables while no vCPU uses it.
 * Unpinning: 1. Xen lets go of all that the tree maps. 2. its pages become writable again.
 * Before the first and after the second the tables are pages like others, and entries are plain
 * stores. Only the task that makes or ends the address space has it then.
 */
import { PTE_PRESENT, namesTable, ptEntryWord, ptIndex, pteMfn } from '../../hardware/paging.ts';
import { domainOf, kernelBase, ptEntryCount, ptLevels } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, readOnce, warnOn, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { mmuextPinTable, mmuextUnpinTable } from '../../xen/mmu.ts';
import { BUG_MMU_UPDATE } from './bugs.ts';
import { clearPage, makePageReadonly, makePageReadwrite, writePageWord } from './direct-map.ts';
import { Mm } from './mm.ts';
import { mfnToLocalPfn, pfnToMfn } from './p2m.ts';
import { allocTablePage } from './page-alloc.ts';
import { NO_PAGE, pageOf, pfnOf, putPage } from './page.ts';
import { rootOf } from './pgtable.ts';

export const Kernel = defineTable('d%.kernel', ['domains'], {
  root: '[BOOT] mfn of swapper_pg_dir, the top page table of the kernel alone',
});

/** The page of a table. @param mfn - its frame, of v's domain. */
function* pageOfTable(v: number, mfn: number): Op {
  const d = domainOf(v);
  return pageOf(d, yield* mfnToLocalPfn(d, mfn));
}

/** arch/x86/mm/pgtable.c: pgd_alloc(). @returns mfn of a root that is not pinned, or -1. */
export function* pgdAlloc(v: number): Op {
  const d = domainOf(v);
  const pg = yield* allocTablePage(v);
  if (pg === NO_PAGE) return -1;
  yield* clearPage(v, pg);
  const kernelRoot = readLocal(Kernel.root.at(d));
  for (let i = ptIndex(kernelBase(), ptLevels()); i < ptEntryCount(); i++) {
    const entry = yield* readOnce(ptEntryWord(kernelRoot, i));
    if (entry !== 0) yield* writePageWord(v, pg, i, entry);
  }
  return yield* pfnToMfn(d, pfnOf(pg));
}

/** arch/x86/mm/pgtable.c: pgd_free(). @param root - mfn, not pinned, of no user page any more. */
export function* pgdFree(v: number, root: number): Op<void> {
  yield* putPage(v, yield* pageOfTable(v, root));
}

/** __xen_pgd_walk(): the tables that the user half of a table names become read-only, or not. */
function* walkTables(v: number, table: number, level: number, readonly: number): Op<void> {
  const all = level === ptLevels() ? ptIndex(kernelBase(), level) : ptEntryCount();
  const tables = level > 1 ? all : 0;
  for (let i = 0; i < tables; i++) {
    const entry = yield* readOnce(ptEntryWord(table, i));
    if ((entry & PTE_PRESENT) === 0 || !namesTable(entry)) continue;
    yield* walkTables(v, pteMfn(entry), level - 1, readonly);
  }
  const pg = yield* pageOfTable(v, table);
  if (readonly === 1) yield* makePageReadonly(v, pg);
  else yield* makePageReadwrite(v, pg);
}

/** arch/x86/xen/mmu_pv.c: xen_pgd_pin(). @param mm - complete, of this task alone. */
export function* xenPgdPin(v: number, mm: number): Op<void> {
  const root = rootOf(mm);
  yield* walkTables(v, root, ptLevels(), 1);
  const status = yield* mmuextPinTable(v, root, ptLevels());
  warnOn(status < 0, BUG_MMU_UPDATE, root, status);
  writeLocal(Mm.pinned.at(mm), 1);
}

/** arch/x86/xen/mmu_pv.c: xen_pgd_unpin(). @param mm - no vCPU has its root in cr3. */
export function* xenPgdUnpin(v: number, mm: number): Op<void> {
  const root = rootOf(mm);
  const status = yield* mmuextUnpinTable(v, root);
  warnOn(status < 0, BUG_MMU_UPDATE, root, status);
  yield* walkTables(v, root, ptLevels(), 0);
  writeLocal(Mm.pinned.at(mm), 0);
}
