/**
 * Taking a page away from its owner (xen/arch/x86/mm.c: steal_page()), for GNTTABOP_transfer. The
 * page ends as alloc_domheap_pages() with MEMF_no_owner returns one: count 0, no type, no owner.
 *
 * 1. A reference, and with it the owner: nobody can free the page or give it away now. 2. If this
 * reference and that of PGC_allocated are the only ones, a compare-and-swap takes both away
 * together with PGC_allocated. From then on nobody can get a reference. 3. Xen's own mappings.
 * 4. Under the old owner's pageAllocLock the type, the owner, and the count of its pages.
 * The owner goes after the count: a page with a count always has an owner (XSA-287).
 */
import type { Op } from '../shared/op.ts';
import { cmpxchg, readOnce, warnOn, writeOnce } from '../shared/operations.ts';
import { spinLock, spinUnlock } from '../shared/spinlock.ts';
import { BUG_STEAL_TYPED } from './bugs.ts';
import { Domain, domainAdjustTotPages, dropDomRef } from './domain.ts';
import { cleanupPageMappings, pageGetOwnerAndReference, putPage } from './frame-table.ts';
import {
  NO_OWNER,
  PGC_allocated,
  PGC_count_mask,
  PGC_xen_heap,
  PGT_count_mask,
  PGT_locked,
  PGT_pinned,
  PageInfo,
} from './page-info.ts';
import { XEN_EINVAL } from './public/xen.ts';

/** Count and flag of a page that is its owner's alone, but for the caller's reference. */
const ONLY_OURS = 2 | PGC_allocated;

/**
 * xen/arch/x86/mm.c: steal_page().
 * @param v - vCPU that calls. @param d - the domain that must own the page. @param mfn - valid
 *   frame. @returns 0 with the page nobody's, or a negative errno with nothing changed.
 */
export function* stealPage(v: number, d: number, mfn: number): Op {
  const owner = yield* pageGetOwnerAndReference(mfn);
  if (owner === NO_OWNER) return -XEN_EINVAL;
  const special = (yield* readOnce(PageInfo.countInfo.at(mfn))) & PGC_xen_heap;
  if (owner !== d || special !== 0 || (yield* takeLastReferences(mfn)) === 0) {
    yield* putPage(v, mfn);
    return -XEN_EINVAL;
  }
  yield* cleanupPageMappings(mfn);

  yield* spinLock(Domain.pageAllocLock.at(d));
  const typeInfo = yield* readOnce(PageInfo.typeInfo.at(mfn));
  const inUse = PGT_count_mask | PGT_locked | PGT_pinned;
  warnOn((typeInfo & inUse) !== 0, BUG_STEAL_TYPED, mfn, typeInfo);
  yield* writeOnce(PageInfo.typeInfo.at(mfn), 0);
  yield* writeOnce(PageInfo.owner.at(mfn), NO_OWNER);
  const left = yield* domainAdjustTotPages(d, -1);
  yield* spinUnlock(Domain.pageAllocLock.at(d));
  if (left === 0) yield* dropDomRef(d);
  return 0;
}

/** Count 2 → 0 and PGC_allocated away, in one step. @returns 1, or 0 if others refer to it. */
function* takeLastReferences(mfn: number): Op {
  const word = PageInfo.countInfo.at(mfn);
  let x = yield* readOnce(word);
  for (;;) {
    if ((x & (PGC_count_mask | PGC_allocated)) !== ONLY_OURS) return 0;
    const y = yield* cmpxchg(word, x, x & ~(PGC_count_mask | PGC_allocated));
    if (y === x) return 1;
    x = y;
  }
}
