/**
 * Taking pages out of page tables (mm/memory.c: unmap_page_range(), zap_pte_range(),
 * zap_present_ptes()).
 *
 * For each entry, under its page-table lock: 1. which page is it? 2. clear the entry. 3. the page
 * has one mapping less (rmap). 4. remember the page: it is put after the flush (mmu-gather.ts).
 * Whoever takes a page reference from an entry without the lock looks at the entry again
 * afterwards; this side clears first and puts later.
 *
 * Notifiers are the callers' business. An entry that maps a grant must be gone by then: clearing it
 * here drops Xen's page references but not the grant's pin, and the page of the design has no rmap
 * and no reference of this entry to give back (BUG_BAD_RMAP). The classic kernel has no notifier:
 * there the entry is the driver's to clear (vm_ops->zap_pte).
 */
import { PTE_PRESENT, PTE_PROTNONE } from '../../hardware/paging.ts';
import { ptEntryCount } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce, trace } from '../../shared/operations.ts';
import { designZapPte } from '../designs/design.ts';
import { Mm } from './mm.ts';
import { tlbFlushMmu, tlbRemovePage, tlbRemoveTlbEntry, tlbStartVma } from './mmu-gather.ts';
import { vmNormalPage } from './normal-page.ts';
import { NO_PAGE } from './page.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock, setPte } from './pgtable.ts';
import { pageRemoveRmap } from './rmap.ts';
import { TRACE_ZAP } from './tracepoints.ts';
import { Vma } from './vma.ts';

/** mm/memory.c: zap_present_ptes(), one entry. @returns 1 if the batch of pages is full. */
function* zapPte(v: number, mm: number, vma: number, vpn: number, ptep: number): Op {
  const pte = yield* readOnce(ptep);
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) return 0;
  if ((yield* designZapPte(v, vma, vpn, ptep)) === 1) {
    tlbRemoveTlbEntry(v);
    trace(TRACE_ZAP, mm, vpn, pte);
    return 0;
  }
  const pg = yield* vmNormalPage(v, vma, vpn, pte);
  yield* setPte(v, ptep, 0);
  tlbRemoveTlbEntry(v);
  trace(TRACE_ZAP, mm, vpn, pte);
  if (pg === NO_PAGE) return 0;
  yield* fetchAdd(Mm.rss.at(mm), -1);
  yield* pageRemoveRmap(pg);
  return tlbRemovePage(v, pg);
}

/** The vpn after the last one that shares a lowest-level table with `vpn`. */
export function endOfTable(vpn: number): number {
  return (vpn | (ptEntryCount() - 1)) + 1;
}

/**
 * mm/memory.c: unmap_page_range(): clears the entries of a range of one VMA.
 * @param v - vCPU, inside tlbGather. @param vma - VMA that is stable for the caller.
 * @param start - first vpn. @param end - vpn after the last.
 */
function* zapPageRange(v: number, mm: number, vma: number, start: number, end: number): Op<void> {
  yield* tlbStartVma(v, vma);
  let vpn = start;
  while (vpn < end) {
    const last = Math.min(end, endOfTable(vpn));
    const ptep = yield* pteOffsetMapLock(v, mm, vpn);
    if (ptep === NO_PTE) {
      vpn = last;
      continue;
    }
    let full = 0;
    for (let at = ptep; vpn < last && full === 0; at++) {
      full = yield* zapPte(v, mm, vma, vpn, at);
      vpn++;
    }
    yield* pteUnlock(ptep);
    if (full === 1) yield* tlbFlushMmu(v);
  }
}

/**
 * mm/memory.c: unmap_single_vma(): the part of a range that lies in a VMA.
 * @param v - vCPU, inside tlbGather.
 */
export function* unmapSingleVma(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
): Op<void> {
  const from = Math.max(start, yield* read(Vma.vmStart.at(vma)));
  const to = Math.min(end, yield* read(Vma.vmEnd.at(vma)));
  if (from < to) yield* zapPageRange(v, mm, vma, from, to);
}
