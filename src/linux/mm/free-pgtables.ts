/**
 * Freeing page tables that no VMA needs any more (mm/memory.c: free_pgtables(), free_pgd_range()).
 *
 * Between the VMAs that remain below and above an unmapped range lie whole tables that can go. The
 * caller holds mmap_lock at least for reading and has taken its VMAs out of the tree, so no fault
 * fills them again and no mmap uses them.
 *
 * For each table, from the lowest level up: 1. clear the entry that names it, under
 * mm.pageTableLock; Xen takes the type off the page and flushes the TLBs of the domain. 2. make the
 * page writable in the direct map. 3. free it after a grace period, for a walker with interrupts
 * off may still be on it (mmu-gather.ts).
 */
import { PTE_PRESENT, pteMfn } from '../../hardware/paging.ts';
import { domainOf, ptLevels, ptShift } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { makePageReadwrite } from './direct-map.ts';
import { unlinkFileVma } from './mapping.ts';
import { Mm } from './mm.ts';
import { tlbFreeVmas, tlbRemoveTable } from './mmu-gather.ts';
import { mfnToLocalPfn } from './p2m.ts';
import { pageOf } from './page.ts';
import { NO_PTE, isPinned, setPte, walkToLevel } from './pgtable.ts';
import { NO_VMA, Vma } from './vma.ts';

/** arch/x86/mm/pgtable.c: ___pte_free_tlb() and its kin. @param word - entry that names it. */
function* freeTable(v: number, mm: number, word: number): Op<void> {
  const entry = yield* readOnce(word);
  if ((entry & PTE_PRESENT) === 0) return;
  yield* spinLock(Mm.pageTableLock.at(mm));
  yield* setPte(v, word, 0);
  yield* spinUnlock(Mm.pageTableLock.at(mm));
  const d = domainOf(v);
  const pg = pageOf(d, yield* mfnToLocalPfn(d, pteMfn(entry)));
  if (isPinned(mm)) yield* makePageReadwrite(v, pg);
  yield* tlbRemoveTable(v, pg);
}

/** unlink_file_vma() of all; after the flush of VMAs whose pages nobody counts. */
function* unlinkFileVmas(first: number): Op<void> {
  let vma = first;
  while (vma !== NO_VMA) {
    yield* unlinkFileVma(vma);
    vma = yield* read(Vma.detachedNext.at(vma));
  }
}

/**
 * mm/memory.c: free_pgtables().
 * @param v - vCPU, inside tlbGather. @param first - first of the detached VMAs.
 * @param start - first vpn unmapped. @param end - after the
 * last.
 * @param floor - end of the VMA below, 0 if none. @param ceiling - start of the VMA above, or the
 *   end of user addresses.
 */
export function* freePgtables(
  v: number,
  mm: number,
  first: number,
  start: number,
  end: number,
  floor: number,
  ceiling: number,
): Op<void> {
  yield* tlbFreeVmas(v);
  yield* unlinkFileVmas(first);
  for (let level = 1; level < ptLevels(); level++) {
    const span = 1 << (ptShift() * level);
    const above = span << ptShift();
    let next = 0;
    for (let from = start & ~(span - 1); from < end; from = next) {
      next = from + span;
      if (from < floor || next > ceiling) continue;
      const word = yield* walkToLevel(mm, from, level + 1);
      if (word !== NO_PTE) yield* freeTable(v, mm, word);
      // The table above is missing, and with it all that it would name (pud_none_or_clear_bad()).
      else next = (from & ~(above - 1)) + above;
    }
  }
}
