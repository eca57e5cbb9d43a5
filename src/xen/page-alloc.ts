/**
 * The heap of domain pages (xen/common/page_alloc.c), order 0 only. Two zones: frames that can
 * hold page tables (mfn < Params.ptFrames) and the rest; the zone stands for MEMF_bits.
 *
 * Allocating: under heap_lock take the head of the list and make it in use; then flush stale
 * translations of the page's last owner; then assign_pages() gives it to its new one.
 * Freeing: the last put_page() comes here; the newest free page is handed out first.
 *
 * Contents: a fresh data frame holds FRESH_JUNK and a freed one FREED_JUNK, as Xen's scrub_debug
 * and xv6's kalloc do; a fresh page-table frame is empty, since a guest has no ordinary mapping by
 * which it could clear it.
 */
import { frameCount, frameWordCount, ptEntryCount, ptFrameCount } from '../hardware/params.ts';
import { flushTlbHypercall } from '../hardware/flush.ts';
import { frameWord } from '../hardware/paging.ts';
import { spinLock, spinUnlock } from '../shared/spinlock.ts';
import type { Op } from '../shared/op.ts';
import { read, readOnce, smpWmb, trace, warnOn, write, writeOnce } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { Domain, dirtyCpumaskOfMachine, domainAdjustTotPages, dropDomRef } from './domain.ts';
import { setGpfnFromMfn } from './m2p.ts';
import {
  NO_OWNER,
  NO_PAGE,
  PGC_allocated,
  PGC_state_free,
  PGC_xen_heap,
  PGT_count_mask,
  PGT_validated,
  PGT_writable_page,
  PageInfo,
} from './page-info.ts';
import { INVALID_M2P_ENTRY } from './public/xen.ts';
import { BUG_FREE_IN_USE, BUG_FREE_TYPED } from './bugs.ts';
import { TRC_PAGE_ALLOC, TRC_PAGE_FREE } from './tracepoints.ts';

/** What a fresh data frame holds. */
export const FRESH_JUNK = 0x05050505;
/** What a freed data frame holds. */
export const FREED_JUNK = 0x01010101;

/** Any frame will do that is not kept for page tables. */
export const ZONE_DATA = 0;
/** The frame must be able to hold a page table. */
export const ZONE_PAGE_TABLE = 1;

export const Heap = defineTable(
  'heap',
  [],
  {
    lock: '[XEN] heap_lock: protects the lists and the fields of free pages',
    dataHead: '[XEN] first free data frame, -1 if none',
    ptHead: '[XEN] first free frame for page tables, -1 if none',
    available: '[XEN] total_avail_pages',
  },
  { lineAligned: true },
);

function headWord(zone: number): number {
  return zone === ZONE_PAGE_TABLE ? Heap.ptHead.word : Heap.dataHead.word;
}

/**
 * Xen's alloc_heap_pages() for one page: in use, no owner, count 0, no type.
 * @param v - vCPU that allocates. @param zone - ZONE_*. @returns mfn, or NO_PAGE.
 */
function* allocHeapPage(v: number, zone: number): Op {
  yield* spinLock(Heap.lock.word);
  const mfn = yield* read(headWord(zone));
  if (mfn === NO_PAGE) {
    yield* spinUnlock(Heap.lock.word);
    return NO_PAGE;
  }
  yield* write(headWord(zone), yield* read(PageInfo.next.at(mfn)));
  yield* write(Heap.available.word, (yield* read(Heap.available.word)) - 1);
  const countInfo = yield* readOnce(PageInfo.countInfo.at(mfn));
  warnOn(countInfo !== PGC_state_free, BUG_FREE_IN_USE, mfn, countInfo);
  yield* writeOnce(PageInfo.countInfo.at(mfn), 0);
  const needTlbflush = yield* read(PageInfo.needTlbflush.at(mfn));
  yield* write(PageInfo.needTlbflush.at(mfn), 0);
  yield* writeOnce(PageInfo.typeInfo.at(mfn), 0);
  yield* spinUnlock(Heap.lock.word);
  if (needTlbflush !== 0) yield* flushTlbHypercall(v, dirtyCpumaskOfMachine());
  yield* fillFrame(mfn, mfn < ptFrameCount() ? 0 : FRESH_JUNK);
  return mfn;
}

function* fillFrame(mfn: number, value: number): Op<void> {
  const words = mfn < ptFrameCount() ? ptEntryCount() : frameWordCount();
  for (let i = 0; i < words; i++) yield* write(frameWord(mfn, i), value);
}

/**
 * xen/common/page_alloc.c: assign_pages() for one page.
 * @param mfn - page without owner. @param d - its owner to be. @param noRefcount - 1 for
 *   MEMF_no_refcount: the caller has counted it already.
 * @returns 0, or -1 if the domain dies or has its maximum.
 */
export function* assignPage(mfn: number, d: number, noRefcount: number): Op {
  yield* spinLock(Domain.pageAllocLock.at(d));
  const dying = yield* readOnce(Domain.isDying.at(d));
  const total = yield* read(Domain.totPages.at(d));
  const full = noRefcount === 0 && total >= (yield* read(Domain.maxPages.at(d)));
  if (dying !== 0 || full) {
    yield* spinUnlock(Domain.pageAllocLock.at(d));
    return -1;
  }
  if (noRefcount === 0) yield* domainAdjustTotPages(d, 1);
  yield* writeOnce(PageInfo.owner.at(mfn), d);
  yield* smpWmb();
  yield* writeOnce(PageInfo.countInfo.at(mfn), PGC_allocated | 1);
  yield* spinUnlock(Domain.pageAllocLock.at(d));
  return 0;
}

/**
 * xen/common/page_alloc.c: alloc_domheap_pages(), one page of a zone.
 * @param v - vCPU that allocates. @param d - owner to be. @param zone - ZONE_*.
 * @returns mfn with the reference of PGC_allocated, or NO_PAGE.
 */
export function* allocDomheapPageOfZone(v: number, d: number, zone: number): Op {
  const mfn = yield* allocHeapPage(v, zone);
  if (mfn === NO_PAGE) return NO_PAGE;
  if ((yield* assignPage(mfn, d, 0)) < 0) {
    yield* freeHeapPage(mfn);
    return NO_PAGE;
  }
  trace(TRC_PAGE_ALLOC, mfn, d, 0);
  return mfn;
}

/**
 * alloc_domheap_page(): a data page.
 * @param v - vCPU that allocates. @param d - owner to be. @returns mfn, or NO_PAGE.
 */
export function* allocDomheapPage(v: number, d: number): Op {
  return yield* allocDomheapPageOfZone(v, d, ZONE_DATA);
}

/**
 * xen/common/page_alloc.c: alloc_xenheap_page(): a page for Xen itself, of no owner.
 * @param v - vCPU that allocates. @returns mfn, or NO_PAGE.
 */
export function* allocXenheapPage(v: number): Op {
  const mfn = yield* allocHeapPage(v, ZONE_DATA);
  if (mfn === NO_PAGE) return NO_PAGE;
  const countInfo = yield* readOnce(PageInfo.countInfo.at(mfn));
  yield* writeOnce(PageInfo.countInfo.at(mfn), countInfo | PGC_xen_heap);
  trace(TRC_PAGE_ALLOC, mfn, NO_OWNER, 0);
  return mfn;
}

/** xen/common/page_alloc.c: free_xenheap_page(). @param mfn - page that nobody refers to. */
export function* freeXenheapPage(mfn: number): Op<void> {
  trace(TRC_PAGE_FREE, mfn, NO_OWNER, 0);
  const countInfo = yield* readOnce(PageInfo.countInfo.at(mfn));
  yield* writeOnce(PageInfo.countInfo.at(mfn), countInfo & ~PGC_xen_heap);
  if (mfn >= ptFrameCount()) yield* fillFrame(mfn, FREED_JUNK);
  yield* freeHeapPage(mfn);
}

/**
 * xen/arch/x86/mm.c: share_xen_page_with_guest(), SHARE_rw: the page counts as the domain's, and
 * one writable type reference that nobody drops keeps it from becoming a page table.
 * @param mfn - page of allocXenheapPage without references. @param d - the domain.
 */
export function* shareXenPageWithGuest(mfn: number, d: number): Op<void> {
  if ((yield* readOnce(PageInfo.owner.at(mfn))) === d) return;
  yield* setGpfnFromMfn(mfn, INVALID_M2P_ENTRY);
  yield* spinLock(Domain.pageAllocLock.at(d));
  yield* writeOnce(PageInfo.typeInfo.at(mfn), PGT_writable_page | PGT_validated | 1);
  yield* writeOnce(PageInfo.owner.at(mfn), d);
  yield* smpWmb();
  if ((yield* readOnce(Domain.isDying.at(d))) === 0) {
    const countInfo = yield* readOnce(PageInfo.countInfo.at(mfn));
    yield* writeOnce(PageInfo.countInfo.at(mfn), countInfo | PGC_xen_heap | PGC_allocated | 1);
    const pages = yield* read(Domain.xenheapPages.at(d));
    yield* write(Domain.xenheapPages.at(d), pages + 1);
  }
  yield* spinUnlock(Domain.pageAllocLock.at(d));
}

/** free_domheap_pages() of a page that is Xen's: the domain has lost it, but it stays allocated. */
function* unshareXenPage(d: number): Op<void> {
  yield* spinLock(Domain.pageAllocLock.at(d));
  const left = (yield* read(Domain.xenheapPages.at(d))) - 1;
  yield* write(Domain.xenheapPages.at(d), left);
  yield* spinUnlock(Domain.pageAllocLock.at(d));
  if (left === 0) yield* dropDomRef(d);
}

/**
 * xen/common/page_alloc.c: free_domheap_pages(): the last put_page(), or a page without owner that
 * found none.
 * @param mfn - page that nobody refers to.
 */
export function* freeDomheapPage(mfn: number): Op<void> {
  const d = yield* readOnce(PageInfo.owner.at(mfn));
  if (((yield* readOnce(PageInfo.countInfo.at(mfn))) & PGC_xen_heap) !== 0) {
    yield* unshareXenPage(d);
    return;
  }
  const typeInfo = yield* readOnce(PageInfo.typeInfo.at(mfn));
  warnOn((typeInfo & PGT_count_mask) !== 0, BUG_FREE_TYPED, mfn, typeInfo);
  trace(TRC_PAGE_FREE, mfn, d, 0);
  let left = 1;
  if (d !== NO_OWNER) {
    yield* spinLock(Domain.pageAllocLock.at(d));
    left = yield* domainAdjustTotPages(d, -1);
    yield* spinUnlock(Domain.pageAllocLock.at(d));
  }
  if (mfn >= ptFrameCount()) yield* fillFrame(mfn, FREED_JUNK);
  yield* freeHeapPage(mfn);
  if (left === 0) yield* dropDomRef(d);
}

/** Xen's free_heap_pages() for one page, with mark_page_free(). */
function* freeHeapPage(mfn: number): Op<void> {
  const zone = mfn < ptFrameCount() ? ZONE_PAGE_TABLE : ZONE_DATA;
  yield* spinLock(Heap.lock.word);
  yield* writeOnce(PageInfo.countInfo.at(mfn), PGC_state_free);
  // A page without owner counts as one that no guest has mapped.
  if ((yield* readOnce(PageInfo.owner.at(mfn))) !== NO_OWNER) {
    yield* write(PageInfo.needTlbflush.at(mfn), 1);
  } else {
    yield* write(PageInfo.needTlbflush.at(mfn), 0);
  }
  yield* writeOnce(PageInfo.owner.at(mfn), NO_OWNER);
  yield* setGpfnFromMfn(mfn, INVALID_M2P_ENTRY);
  yield* write(PageInfo.next.at(mfn), yield* read(headWord(zone)));
  yield* write(headWord(zone), mfn);
  yield* write(Heap.available.word, (yield* read(Heap.available.word)) + 1);
  yield* spinUnlock(Heap.lock.word);
}

/** init_heap_pages(): all frames but Xen's own frame 0 are free, the lowest comes first. */
export function* initHeap(): Op<void> {
  yield* write(Heap.dataHead.word, NO_PAGE);
  yield* write(Heap.ptHead.word, NO_PAGE);
  yield* write(Heap.available.word, 0);
  yield* writeOnce(PageInfo.owner.at(0), NO_OWNER);
  yield* setGpfnFromMfn(0, INVALID_M2P_ENTRY);
  for (let mfn = frameCount() - 1; mfn > 0; mfn--) {
    yield* writeOnce(PageInfo.owner.at(mfn), NO_OWNER);
    yield* freeHeapPage(mfn);
  }
}
