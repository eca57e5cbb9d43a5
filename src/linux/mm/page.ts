/**
 * struct page and its reference counts (include/linux/mm_types.h, include/linux/page_ref.h,
 * include/linux/mm.h). A page pointer is `domain * pagesPerDomain + pfn`; NO_PAGE is none.
 *
 * refcount  0: the page is free, and only the allocator touches it. Each user holds 1; a FOLL_PIN
 *           user holds GUP_PIN_COUNTING_BIAS. Who drops the last one frees the page.
 * mapcount  page-table entries that map the page as a normal page.
 * The other words belong to whoever holds the page.
 *
 * Taking a reference
 *   getPage      the caller already holds one, or something that holds one is locked.
 *   tryGetPage   nothing is known of the page: one compare-and-swap from a count above 0. A lookup
 *                without locks must look again afterwards at where it found the page (gup-fast.ts).
 * Atomic read-modify-write operations that return a value are full barriers, so what is read after
 * a reference was taken is read after it was taken.
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg, fetchAdd, readOnce, warnOn } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { pagesPerDomain } from '../../hardware/params.ts';
import { freePage } from './page-alloc.ts';
import { BUG_PAGE_COUNT } from './bugs.ts';

/** No page: the null pointer. */
export const NO_PAGE = -1;

/** Bit of Page.flags: PG_private, `private` is in use. */
export const PG_private = 1;
/** Bit of Page.flags: PG_foreign, the page stands for another domain's frame. */
export const PG_foreign = 2;
/** Bit of Page.flags: the page is a page table (PGTY_table). */
export const PG_table = 8;

/** Bit of Page.flags: PageAnon(), anonymous memory of a process (page->mapping & 1). */
export const PG_anon = 16;
/** Bit of Page.flags: PG_anon_exclusive, one entry maps it, which may be writable. */
export const PG_anon_exclusive = 32;
/** Bit of Page.flags: PG_locked. */
export const PG_locked = 64;

/** include/linux/mm.h: what one FOLL_PIN reference adds to the count. */
export const GUP_PIN_COUNTING_BIAS = 1024;

export const Page = defineTable(
  'd%.page[%]',
  ['domains', 'pagesPerDomain'],
  {
    refcount: '[GST] _refcount: users of the page; 0 while it is free',
    mapcount: '[GST] page-table entries that map it (_mapcount + 1)',
    flags: '[GST] PG_* bits; changed by the holder; PG_anon_exclusive under the page-table lock',
    private: '[GST] of the holder, meaningful with PG_private',
    index: '[GST] of the holder',
  },
  { lineAligned: true },
);

/** The page of a pfn. @param d - domain. @param pfn - its page frame number. */
export function pageOf(d: number, pfn: number): number {
  return d * pagesPerDomain() + pfn;
}

/** The page frame number of a page. */
export function pfnOf(pg: number): number {
  return pg % pagesPerDomain();
}

/** The domain whose kernel owns a page. */
export function domainOfPage(pg: number): number {
  return (pg / pagesPerDomain()) | 0;
}

/** include/linux/page_ref.h: page_count(). @returns users, a pin counting as 1024. */
export function* pageCount(pg: number): Op {
  return yield* readOnce(Page.refcount.at(pg));
}

/**
 * include/linux/page_ref.h: folio_ref_add().
 * @param pg - page that cannot be free now. @param count - references to add.
 */
export function* getPages(pg: number, count: number): Op<void> {
  const before = yield* fetchAdd(Page.refcount.at(pg), count);
  warnOn(before <= 0, BUG_PAGE_COUNT, pg, before);
}

/** include/linux/mm.h: get_page(). @param pg - page that cannot be free now. */
export function* getPage(pg: number): Op<void> {
  yield* getPages(pg, 1);
}

/**
 * include/linux/page_ref.h: folio_ref_try_add(): adds references unless the page is free.
 * @param pg - any page. @param count - references to add.
 * @returns 1, or 0 if the page was free.
 */
export function* tryAddPage(pg: number, count: number): Op {
  const word = Page.refcount.at(pg);
  let old = yield* readOnce(word);
  while (old !== 0) {
    const seen = yield* cmpxchg(word, old, old + count);
    if (seen === old) return 1;
    old = seen;
  }
  return 0;
}

/** include/linux/mm.h: try_get_page(). @returns 1, or 0 if the page was free. */
export function* tryGetPage(pg: number): Op {
  return yield* tryAddPage(pg, 1);
}

/**
 * include/linux/page_ref.h: folio_put_refs(); frees the page with its last reference.
 * @param v - vCPU that runs this. @param pg - page. @param count - references to drop.
 */
export function* putPages(v: number, pg: number, count: number): Op<void> {
  const before = yield* fetchAdd(Page.refcount.at(pg), -count);
  warnOn(before < count, BUG_PAGE_COUNT, pg, before);
  if (before === count) yield* freePage(v, pg);
}

/** include/linux/mm.h: put_page(). @param v - vCPU that runs this. @param pg - page. */
export function* putPage(v: number, pg: number): Op<void> {
  yield* putPages(v, pg, 1);
}
