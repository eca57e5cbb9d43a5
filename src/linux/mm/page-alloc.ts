/**
 * The page allocator (mm/page_alloc.c), reduced to single pages: a list of free pages for each
 * domain and each purpose, last in first out, so that a page is used again at once, as with the
 * kernel's per-CPU lists. Page tables come from pages whose frames can hold one (Params.ptFrames),
 * the rest from the others and, when those are used up, from nowhere: no reclaim.
 *
 * Zone.lock protects both lists and FreePage.next. It is taken with interrupts off, since pages
 * are put in interrupt handlers too.
 *
 * Allocating: 1. unlink. 2. set up the words. 3. count = 1, last: a lookup without locks that
 * still holds the old pointer can get a reference from then on, and must look again.
 * Freeing: the count is 0 already. 1. check that nothing maps it. 2. link.
 *
 * Each domain's allocator manages the pages that its boot gives to it (boot.ts: freed once).
 */
import type { Op } from '../../shared/op.ts';
import { read, readOnce, trace, warnOn, write, writeOnce } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf } from '../../hardware/params.ts';
import { BUG_BAD_PAGE, BUG_PAGE_COUNT } from './bugs.ts';
import { NO_PAGE, PG_table, Page, domainOfPage } from './page.ts';
import { TRACE_PAGE_ALLOC, TRACE_PAGE_FREE } from './tracepoints.ts';

export const Zone = defineTable(
  'd%.zone',
  ['domains'],
  {
    lock: '[GST] spinlock of this record and of the lists',
    head: '[GST] first free page, -1 if none',
    free: '[GST] free pages',
    tableHead: '[GST] first free page that can hold a page table, -1 if none',
    tableFree: '[GST] free pages that can hold a page table',
  },
  { lineAligned: true },
);

export const FreePage = defineTable('d%.free_page[%]', ['domains', 'pagesPerDomain'], {
  next: '[GST] next page of the same free list, -1 at its end',
  forTables: '[BOOT] 1 if the frame behind the page can hold a page table',
});

/** Unlinks the first page of a free list. The caller holds Zone.lock. */
function* popPage(headWord: number, countWord: number): Op {
  const pg = yield* read(headWord);
  if (pg === NO_PAGE) return NO_PAGE;
  yield* write(headWord, yield* read(FreePage.next.at(pg)));
  yield* write(countWord, (yield* read(countWord)) - 1);
  return pg;
}

/** mm/page_alloc.c: prep_new_page() */
function* prepNewPage(pg: number, flags: number): Op<void> {
  const count = yield* readOnce(Page.refcount.at(pg));
  warnOn(count !== 0, BUG_PAGE_COUNT, pg, count);
  yield* write(Page.flags.at(pg), flags);
  yield* write(Page.private.at(pg), 0);
  trace(TRACE_PAGE_ALLOC, pg, 0, 0);
  yield* writeOnce(Page.refcount.at(pg), 1);
}

/**
 * mm/page_alloc.c: alloc_page(), for data.
 * @param v - vCPU that runs this; the page comes from its domain.
 * @returns a page with one reference, or NO_PAGE.
 */
export function* allocPage(v: number): Op {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Zone.lock.at(d));
  const pg = yield* popPage(Zone.head.at(d), Zone.free.at(d));
  yield* spinUnlock(Zone.lock.at(d));
  yield* localIrqRestore(v, flags);
  if (pg !== NO_PAGE) yield* prepNewPage(pg, 0);
  return pg;
}

/**
 * include/linux/mm.h: pagetable_alloc(): a page whose frame can hold a page table.
 * @param v - vCPU that runs this. @returns a page with one reference, or NO_PAGE.
 */
export function* allocTablePage(v: number): Op {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Zone.lock.at(d));
  const pg = yield* popPage(Zone.tableHead.at(d), Zone.tableFree.at(d));
  yield* spinUnlock(Zone.lock.at(d));
  yield* localIrqRestore(v, flags);
  if (pg !== NO_PAGE) yield* prepNewPage(pg, PG_table);
  return pg;
}

/**
 * mm/page_alloc.c: free_frozen_page(): gives back a page whose count dropped to 0.
 * @param v - vCPU that runs this. @param pg - page of its domain.
 */
export function* freePage(v: number, pg: number): Op<void> {
  const mapcount = yield* readOnce(Page.mapcount.at(pg));
  warnOn(mapcount !== 0, BUG_BAD_PAGE, pg, mapcount);
  trace(TRACE_PAGE_FREE, pg, 0, 0);
  const d = domainOfPage(pg);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Zone.lock.at(d));
  const tables = (yield* read(FreePage.forTables.at(pg))) !== 0;
  const headWord = tables ? Zone.tableHead.at(d) : Zone.head.at(d);
  const countWord = tables ? Zone.tableFree.at(d) : Zone.free.at(d);
  yield* write(FreePage.next.at(pg), yield* read(headWord));
  yield* write(headWord, pg);
  yield* write(countWord, (yield* read(countWord)) + 1);
  yield* spinUnlock(Zone.lock.at(d));
  yield* localIrqRestore(v, flags);
}
