/**
 * Page tables of an address space (mm/memory.c, mm/pgtable-generic.c, arch/x86/xen/mmu_pv.c). They
 * lie in the domain's own pages and hold machine frames; every change is a hypercall.
 *
 * PtLock[mfn]      split page-table lock of the lowest-level table in that frame: its entries
 *                  change under it (USE_SPLIT_PTE_PTLOCKS)
 * Mm.pageTableLock the entries of the upper tables
 * Walks take no lock. A table is unlinked by munmap when no VMA is left in its range, and its page
 * is freed after an RCU grace period (mmu-gather.ts), so a walk with interrupts off, an RCU read
 * section, may finish on it.
 *
 * A new table: 1. a page. 2. zero it. 3. read-only in the direct map. 4. under the lock: link it,
 * unless another thread was faster; Xen checks it and gives it its type.
 * Not modelled: huge pages, so no upper entry turns from a table into a page; lazy batching of PTE
 * writes (each is a hypercall of its own).
 */
import {
  PTE_PRESENT,
  PTE_RW,
  PTE_USER,
  makePte,
  namesTable,
  ptEntryWord,
  ptIndex,
  pteMfn,
  walkToPte,
} from '../../hardware/paging.ts';
import { domainOf, ptLevels } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, readOnce, warnOn } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { mmuUpdate, ptMfnOfWord } from '../../xen/mmu.ts';
import { ENOMEM } from '../errno.ts';
import { BUG_MMU_UPDATE } from './bugs.ts';
import { clearPage, makePageReadonly, makePageReadwrite } from './direct-map.ts';
import { Mm } from './mm.ts';
import { pfnToMfn } from './p2m.ts';
import { allocTablePage } from './page-alloc.ts';
import { NO_PAGE, pfnOf, putPage } from './page.ts';

/** No entry: a table is missing on the way. */
export const NO_PTE = -1;

export const PtLock = defineTable('ptl[%]', ['ptFrames'], {
  value: '[GST] spinlock of the entries of the lowest-level page table in this frame',
});

/** The top page table of an address space. @returns mfn. */
export function rootOf(mm: number): number {
  return readLocal(Mm.root.at(mm));
}

/** The lock of the table that an entry lies in (pte_lockptr()). @param ptep - word. */
export function pteLock(ptep: number): number {
  return PtLock.value.at(ptMfnOfWord(ptep));
}

/**
 * mm/memory.c: pte_offset_map_lock(): the leaf entry of an address, with its table locked.
 * @returns the word of the entry, to be given to pteUnlock; or NO_PTE with nothing locked.
 */
export function* pteOffsetMapLock(v: number, mm: number, vpn: number): Op {
  const ptep = yield* walkToPte(v, rootOf(mm), vpn);
  if (ptep === NO_PTE) return NO_PTE;
  yield* spinLock(pteLock(ptep));
  return ptep;
}

/** pte_unmap_unlock(). @param ptep - any entry of the locked table. */
export function* pteUnlock(ptep: number): Op<void> {
  yield* spinUnlock(pteLock(ptep));
}

/**
 * arch/x86/xen/mmu_pv.c: xen_set_pte(). The caller holds the lock of the table. Into tables that
 * Xen has not pinned it writes as into any page.
 * @param v - vCPU that runs this. @param ptep - word of the entry. @param pte - its new value.
 */
export function* setPte(v: number, ptep: number, pte: number): Op<void> {
  const status = yield* mmuUpdate(v, ptep, pte);
  warnOn(status < 0, BUG_MMU_UPDATE, ptep, status);
}

/** The entry of an address in the table of some level. @returns its word, or NO_PTE. */
export function* walkToLevel(mm: number, vpn: number, level: number): Op {
  let table = rootOf(mm);
  for (let at = ptLevels(); at > level; at--) {
    const entry = yield* readOnce(ptEntryWord(table, ptIndex(vpn, at)));
    if (!namesTable(entry)) return NO_PTE;
    table = pteMfn(entry);
  }
  return ptEntryWord(table, ptIndex(vpn, level));
}

/** Has Xen pinned the root of an address space? Else its tables are ordinary pages (pgd.ts). */
export function isPinned(mm: number): boolean {
  return readLocal(Mm.pinned.at(mm)) !== 0;
}

/** arch/x86/mm/pgtable.c: pte_alloc_one(), xen_alloc_pte(). @returns the page, or NO_PAGE. */
function* tableAlloc(v: number, mm: number): Op {
  const pg = yield* allocTablePage(v);
  if (pg === NO_PAGE) return NO_PAGE;
  yield* clearPage(v, pg);
  if (isPinned(mm)) yield* makePageReadonly(v, pg);
  return pg;
}

/** mm/memory.c: __pte_alloc() and its kin: fills a missing upper entry. @returns 0 or -ENOMEM. */
function* populate(v: number, mm: number, word: number): Op {
  const pg = yield* tableAlloc(v, mm);
  if (pg === NO_PAGE) return -ENOMEM;
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  yield* spinLock(Mm.pageTableLock.at(mm));
  const taken = ((yield* readOnce(word)) & PTE_PRESENT) !== 0;
  if (!taken) yield* setPte(v, word, makePte(mfn, PTE_PRESENT | PTE_RW | PTE_USER));
  yield* spinUnlock(Mm.pageTableLock.at(mm));
  if (taken) {
    if (isPinned(mm)) yield* makePageReadwrite(v, pg);
    yield* putPage(v, pg);
  }
  return 0;
}

/**
 * include/linux/mm.h: pte_alloc_map(): the leaf entry of an address; missing tables are added.
 * The caller holds mmap_lock or the VMA's lock, so that no table of the range is freed.
 * @returns its word, or NO_PTE if there is no page for a table.
 */
export function* pteAlloc(v: number, mm: number, vpn: number): Op {
  let table = rootOf(mm);
  for (let level = ptLevels(); level > 1; level--) {
    const word = ptEntryWord(table, ptIndex(vpn, level));
    if (((yield* readOnce(word)) & PTE_PRESENT) === 0) {
      if ((yield* populate(v, mm, word)) < 0) return NO_PTE;
    }
    table = pteMfn(yield* readOnce(word));
  }
  return ptEntryWord(table, ptIndex(vpn, 1));
}
