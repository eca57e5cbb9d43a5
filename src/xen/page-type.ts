/**
 * Page types (xen/arch/x86/mm.c: _get_page_type(), _put_page_type(), page_lock()). A type reference
 * says what a page is used as: writable, or page table of level 1 … 4. The type changes only while
 * nobody holds such a reference.
 *
 * Taking the first reference: 1. count 0 → 1 with the new type, not yet validated: others wait.
 * 2. on a change of type flush what TLBs still hold (after the count, or the page could be mapped
 * and unmapped again in between: XSA-401). 3. the owner's IOMMU follows. 4. check the contents of
 * a page table, taking references on what it maps. 5. mark validated.
 * Dropping the last: 1. of a page table clear validated and drop what it maps. 2. remember that
 * TLBs may hold old translations, then let the count become 0.
 *
 * page_lock() is one more type reference together with PGT_locked, so the type stays while an
 * entry is changed.
 * Not modelled: preemption of validation (PGT_partial), linear page tables, segment descriptors.
 */
import { IOMMU_READ, IOMMU_WRITE, iommuFlush, iommuMap, iommuUnmap } from '../hardware/iommu.ts';
import { flushTlbHypercall } from '../hardware/flush.ts';
import type { Op } from '../shared/op.ts';
import {
  awaitEqual,
  awaitNotEqual,
  cmpxchg,
  fetchAdd,
  readOnce,
  smpWmb,
  trace,
  warnOn,
  writeOnce,
} from '../shared/operations.ts';
import { BUG_PAGE_UNLOCK, BUG_PUT_PAGE_TYPE } from './bugs.ts';
import { dirtyCpumask, needIommuPtSync } from './domain.ts';
import { putPage } from './frame-table.ts';
import {
  NO_OWNER,
  PGT_count_mask,
  PGT_l1_page_table,
  PGT_l4_page_table,
  PGT_locked,
  PGT_none,
  PGT_type_mask,
  PGT_validated,
  PGT_writable_page,
  PageInfo,
} from './page-info.ts';
import { devalidatePage, validatePage } from './page-table.ts';
import { TRC_PAGE_TYPE, TRC_PAGE_VALIDATED } from './tracepoints.ts';

function isPageTableType(type: number): boolean {
  return type >= PGT_l1_page_table && type <= PGT_l4_page_table;
}

/**
 * xen/arch/x86/mm.c: get_page_type(), that is, _get_page_type().
 * @param v - vCPU that asks. @param mfn - page of which the caller holds a reference.
 * @param type - PGT_*. @returns 1 with a type reference taken, or 0.
 */
export function* getPageType(v: number, mfn: number, type: number): Op {
  const word = PageInfo.typeInfo.at(mfn);
  let x = yield* readOnce(word);
  for (;;) {
    let nx = x + 1;
    if ((nx & PGT_count_mask) === 0) return 0;
    if ((x & PGT_count_mask) === 0) {
      if ((x & PGT_type_mask) !== type) nx = (nx & ~(PGT_type_mask | PGT_validated)) | type;
    } else if ((x & PGT_type_mask) !== type) {
      return 0;
    } else if ((x & PGT_validated) === 0) {
      x = yield* awaitNotEqual(word, -1, x);
      continue;
    }
    const seen = yield* cmpxchg(word, x, nx);
    if (seen === x) {
      if ((nx & PGT_validated) !== 0) return 1;
      return yield* firstOfType(v, mfn, x & PGT_type_mask, type);
    }
    x = seen;
  }
}

/**
 * The flush of _get_page_type() when the type changes: no CPU may keep a writable translation of a
 * page that becomes a page table.
 * @param mfn - page of which the caller holds the only type reference. @param owner - or NO_OWNER.
 */
export function* flushOnTypeChange(v: number, mfn: number, owner: number): Op<void> {
  if ((yield* readOnce(PageInfo.needTlbflush.at(mfn))) === 0 || owner === NO_OWNER) return;
  yield* writeOnce(PageInfo.needTlbflush.at(mfn), 0);
  yield* flushTlbHypercall(v, dirtyCpumask(owner));
}

/**
 * The part of _get_page_type() after the count went 0 → 1 and is not validated: the holder of the
 * only reference brings the page into its type.
 * @param before - PGT_* that it had. @param type - PGT_* that it gets. @returns 1 or 0.
 */
export function* firstOfType(v: number, mfn: number, before: number, type: number): Op {
  const owner = yield* readOnce(PageInfo.owner.at(mfn));
  if (before !== type) {
    trace(TRC_PAGE_TYPE, mfn, before, type);
    yield* flushOnTypeChange(v, mfn, owner);
  }
  if (owner !== NO_OWNER && needIommuPtSync(owner)) {
    yield* syncIommu(owner, mfn, before, type);
  }
  if (type !== PGT_writable_page && (yield* validatePage(v, mfn, type)) < 0) {
    // Nobody else counts a type that is not validated: back to a page of no type.
    yield* writeOnce(PageInfo.typeInfo.at(mfn), PGT_none);
    return 0;
  }
  yield* writeOnce(
    PageInfo.typeInfo.at(mfn),
    (yield* readOnce(PageInfo.typeInfo.at(mfn))) | PGT_validated,
  );
  trace(TRC_PAGE_VALIDATED, mfn, type, 0);
  return 1;
}

/** Devices of the owner reach a page exactly while it is of the writable type. */
export function* syncIommu(owner: number, mfn: number, before: number, type: number): Op<void> {
  if (before === PGT_writable_page && type !== PGT_writable_page) {
    yield* iommuUnmap(owner, mfn);
    yield* iommuFlush(owner);
  } else if (before !== PGT_writable_page && type === PGT_writable_page) {
    yield* iommuMap(owner, mfn, IOMMU_READ | IOMMU_WRITE);
  }
}

/**
 * xen/arch/x86/mm.c: put_page_type().
 * @param v - vCPU that drops. @param mfn - page of which the caller holds a type reference.
 */
export function* putPageType(v: number, mfn: number): Op<void> {
  const word = PageInfo.typeInfo.at(mfn);
  let x = yield* readOnce(word);
  for (;;) {
    warnOn((x & PGT_count_mask) === 0, BUG_PUT_PAGE_TYPE, mfn, x);
    const last = ((x - 1) & (PGT_locked | PGT_count_mask)) === 0;
    if (last && isPageTableType(x & PGT_type_mask)) {
      const seen = yield* cmpxchg(word, x, x & ~PGT_validated);
      if (seen === x) {
        yield* putFinalPageType(v, mfn, x & PGT_type_mask);
        return;
      }
      x = seen;
      continue;
    }
    if (((x - 1) & (PGT_locked | PGT_count_mask)) === (PGT_locked | 1)) {
      // page_unlock() cleans nothing up, so it must not drop the last reference.
      x = yield* awaitEqual(word, PGT_locked, 0);
      continue;
    }
    if (last) yield* writeOnce(PageInfo.needTlbflush.at(mfn), 1);
    const seen = yield* cmpxchg(word, x, x - 1);
    if (seen === x) return;
    x = seen;
  }
}

/** xen/arch/x86/mm.c: _put_final_page_type(): the page stops being a page table. */
function* putFinalPageType(v: number, mfn: number, type: number): Op<void> {
  yield* devalidatePage(v, mfn, type);
  yield* writeOnce(PageInfo.needTlbflush.at(mfn), 1);
  yield* smpWmb();
  const word = PageInfo.typeInfo.at(mfn);
  yield* writeOnce(word, (yield* readOnce(word)) - 1);
}

/** xen/arch/x86/include/asm/mm.h: put_page_and_type(). */
export function* putPageAndType(v: number, mfn: number): Op<void> {
  yield* putPageType(v, mfn);
  yield* putPage(v, mfn);
}

/**
 * xen/arch/x86/mm.c: page_lock().
 * @param mfn - page of which the caller holds a reference.
 * @returns its type (PGT_*) with the lock held; -1 if the page has no validated type.
 */
export function* pageLock(mfn: number): Op {
  const word = PageInfo.typeInfo.at(mfn);
  for (;;) {
    const x = yield* awaitEqual(word, PGT_locked, 0);
    if ((x & PGT_validated) === 0 || (x & PGT_count_mask) === 0) return -1;
    if ((yield* cmpxchg(word, x, x + (PGT_locked | 1))) === x) return x & PGT_type_mask;
  }
}

/** xen/arch/x86/mm.c: page_unlock(). @param mfn - page that the caller locked. */
export function* pageUnlock(mfn: number): Op<void> {
  const before = yield* fetchAdd(PageInfo.typeInfo.at(mfn), -(PGT_locked | 1));
  warnOn((before & PGT_locked) === 0, BUG_PAGE_UNLOCK, mfn, before);
}
