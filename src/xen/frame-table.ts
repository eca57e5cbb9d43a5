/**
 * Reference counts of machine frames (xen/arch/x86/mm.c: get_page(), put_page(),
 * page_get_owner_and_reference()). While a caller holds a reference the page keeps its owner and
 * is not freed; the last put_page() frees it.
 *
 * Taking a reference: 1. count + 1 by compare-and-swap, refused at 0. 2. then read the owner. The
 * other way round the page could be freed and given to another domain in between.
 */
import { frameCount } from '../hardware/params.ts';
import { iommuFlush, iommuUnmap } from '../hardware/iommu.ts';
import type { Op } from '../shared/op.ts';
import { cmpxchg, fetchAdd, fetchAnd, readOnce, warnOn } from '../shared/operations.ts';
import { needIommuPtSync } from './domain.ts';
import { freeDomheapPage } from './page-alloc.ts';
import {
  NO_OWNER,
  PGC_allocated,
  PGC_count_mask,
  PGT_count_mask,
  PGT_type_mask,
  PGT_writable_page,
  PageInfo,
} from './page-info.ts';
import { BUG_NO_OWNER, BUG_PUT_PAGE } from './bugs.ts';

/** mfn_valid(). @param mfn - as a guest gave it. @returns true if the machine has the frame. */
export function mfnValid(mfn: number): boolean {
  return mfn >= 0 && mfn < frameCount();
}

/**
 * xen/arch/x86/mm.c: page_get_owner_and_reference().
 * @param mfn - valid frame. @returns the owner, with a reference taken; NO_OWNER and none if the
 *   page is free or its count would wrap.
 */
export function* pageGetOwnerAndReference(mfn: number): Op {
  const word = PageInfo.countInfo.at(mfn);
  let before = yield* readOnce(word);
  for (;;) {
    // Count 0: not allocated. Count -1 and -2: it would wrap.
    if (((before + 2) & PGC_count_mask) <= 2) return NO_OWNER;
    const seen = yield* cmpxchg(word, before, before + 1);
    if (seen === before) break;
    before = seen;
  }
  const owner = yield* readOnce(PageInfo.owner.at(mfn));
  warnOn(owner === NO_OWNER, BUG_NO_OWNER, mfn, before);
  return owner;
}

/**
 * xen/arch/x86/mm.c: get_page().
 * @param v - vCPU that asks. @param mfn - valid frame. @param d - the domain that must own it.
 * @returns 1 with a reference taken, or 0.
 */
export function* getPage(v: number, mfn: number, d: number): Op {
  const owner = yield* pageGetOwnerAndReference(mfn);
  if (owner === d) return 1;
  if (owner !== NO_OWNER) yield* putPage(v, mfn);
  return 0;
}

/**
 * xen/arch/x86/mm.c: put_page(). Drops a reference; the last one frees the page. Xen's
 * compare-and-swap loop without a condition is one atomic subtraction here.
 * @param v - vCPU that drops. @param mfn - frame of which the caller holds a reference.
 */
export function* putPage(v: number, mfn: number): Op<void> {
  const before = yield* fetchAdd(PageInfo.countInfo.at(mfn), -1);
  warnOn((before & PGC_count_mask) === 0, BUG_PUT_PAGE, mfn, before);
  if ((before & PGC_count_mask) !== 1) return;
  yield* cleanupPageMappings(mfn);
  yield* freeDomheapPage(mfn);
}

/** xen/arch/x86/mm.c: cleanup_page_mappings(): a writable page leaves its owner's IOMMU. */
export function* cleanupPageMappings(mfn: number): Op<void> {
  const typeInfo = yield* readOnce(PageInfo.typeInfo.at(mfn));
  if ((typeInfo & PGT_type_mask) !== PGT_writable_page) return;
  const owner = yield* readOnce(PageInfo.owner.at(mfn));
  if (owner !== NO_OWNER && needIommuPtSync(owner)) {
    yield* iommuUnmap(owner, mfn);
    yield* iommuFlush(owner);
  }
  yield* fetchAnd(PageInfo.typeInfo.at(mfn), ~(PGT_type_mask | PGT_count_mask));
}

/**
 * xen/include/xen/mm.h: put_page_alloc_ref(): the owner gives the page back. Only the first caller
 * clears PGC_allocated and drops its reference.
 * @param mfn - frame of which the caller holds another reference.
 */
export function* putPageAllocRef(v: number, mfn: number): Op<void> {
  const before = yield* fetchAnd(PageInfo.countInfo.at(mfn), ~PGC_allocated);
  if ((before & PGC_allocated) !== 0) yield* putPage(v, mfn);
}
