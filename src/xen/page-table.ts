/**
 * What a page-table entry of a PV guest holds on to (xen/arch/x86/mm.c: get_page_from_l1e(),
 * put_page_from_l1e(), get_page_from_l2e(), …, validate_page(), devalidate_page()).
 *
 * A present leaf entry holds one reference of the page, and a writable type reference if it maps
 * it writable. A present entry of a higher level holds a reference of the next table and a type
 * reference of its level. A guest may name only its own pages; pages of others come into a leaf
 * entry only through the grant table, which does its own counting.
 */
import { PTE_GNTTAB, PTE_PRESENT, PTE_RW, ptEntryWord, pteMfn } from '../hardware/paging.ts';
import { ptEntryCount, ptFrameCount } from '../hardware/params.ts';
import type { Op } from '../shared/op.ts';
import { readOnce, warnOn } from '../shared/operations.ts';
import { BUG_IMPLICIT_UNMAP } from './bugs.ts';
import { isDying } from './domain.ts';
import { getPage, mfnValid, putPage } from './frame-table.ts';
import { PGT_l1_page_table, PGT_type_shift, PGT_writable_page, PageInfo } from './page-info.ts';
import { getPageType, putPageAndType } from './page-type.ts';
import { XEN_EBUSY, XEN_EINVAL } from './public/xen.ts';

/** The level of a page-table type: 1 for the leaf. @param type - PGT_l1 … PGT_l4_page_table. */
export function levelOfType(type: number): number {
  return type >> PGT_type_shift;
}

/** The type of a page table. @param level - 1 for the leaf. @returns PGT_*. */
export function typeOfLevel(level: number): number {
  return level << PGT_type_shift;
}

/**
 * xen/arch/x86/mm.c: get_page_from_l1e().
 * @param l1e - present leaf entry that the guest wants. @param d - the guest.
 * @returns 0 with the references taken, or a negative errno.
 */
export function* getPageFromL1e(v: number, l1e: number, d: number): Op {
  const mfn = pteMfn(l1e);
  if ((l1e & PTE_GNTTAB) !== 0 || !mfnValid(mfn)) return -XEN_EINVAL;
  if ((yield* getPage(v, mfn, d)) === 0) return -XEN_EBUSY;
  if ((l1e & PTE_RW) !== 0 && (yield* getPageType(v, mfn, PGT_writable_page)) === 0) {
    yield* putPage(v, mfn);
    return -XEN_EBUSY;
  }
  return 0;
}

/**
 * xen/arch/x86/mm.c: put_page_from_l1e(): an entry is gone by ordinary means. If it was a grant's,
 * its page references go but the grant stays pinned for ever; debug builds say so.
 * @param l1e - the old entry. @param d - the domain whose table it was in.
 */
export function* putPageFromL1e(v: number, l1e: number, d: number): Op<void> {
  const mfn = pteMfn(l1e);
  if ((l1e & PTE_PRESENT) === 0 || !mfnValid(mfn)) return;
  if ((l1e & PTE_GNTTAB) !== 0) {
    warnOn((yield* isDying(d)) === 0, BUG_IMPLICIT_UNMAP, d, l1e);
  }
  if ((l1e & PTE_RW) !== 0) yield* putPageAndType(v, mfn);
  else yield* putPage(v, mfn);
}

/**
 * xen/arch/x86/mm.c: get_page_from_l2e() and its kin of the levels above.
 * @param entry - present entry. @param level - level of the table it is for, at least 2.
 * @returns 0 with the references taken, or a negative errno.
 */
export function* getPageFromUpper(v: number, entry: number, level: number, d: number): Op {
  const mfn = pteMfn(entry);
  if (!mfnValid(mfn) || mfn >= ptFrameCount()) return -XEN_EINVAL;
  if ((yield* getPage(v, mfn, d)) === 0) return -XEN_EINVAL;
  if ((yield* getPageType(v, mfn, typeOfLevel(level - 1))) === 0) {
    yield* putPage(v, mfn);
    return -XEN_EINVAL;
  }
  return 0;
}

/** xen/arch/x86/mm.c: put_page_from_l2e() and its kin. @param entry - the old entry. */
export function* putPageFromUpper(v: number, entry: number): Op<void> {
  if ((entry & PTE_PRESENT) !== 0) yield* putPageAndType(v, pteMfn(entry));
}

/**
 * xen/arch/x86/mm.c: validate_page(): takes references on all that the page maps.
 * @param mfn - page with exclusive access. @param type - the page-table type it is to have.
 * @returns 0, or a negative errno with nothing held.
 */
export function* validatePage(v: number, mfn: number, type: number): Op {
  if (mfn >= ptFrameCount()) return -XEN_EINVAL;
  const owner = yield* readOnce(PageInfo.owner.at(mfn));
  const level = levelOfType(type);
  for (let i = 0; i < ptEntryCount(); i++) {
    const entry = yield* readOnce(ptEntryWord(mfn, i));
    if ((entry & PTE_PRESENT) === 0) continue;
    let status = 0;
    if (type === PGT_l1_page_table) status = yield* getPageFromL1e(v, entry, owner);
    else status = yield* getPageFromUpper(v, entry, level, owner);
    if (status < 0) {
      yield* putEntries(v, mfn, type, owner, i);
      return status;
    }
  }
  return 0;
}

/**
 * xen/arch/x86/mm.c: devalidate_page(): drops the references of all that the page maps.
 * @param mfn - page with exclusive access. @param type - the page-table type it had.
 */
export function* devalidatePage(v: number, mfn: number, type: number): Op<void> {
  const owner = yield* readOnce(PageInfo.owner.at(mfn));
  yield* putEntries(v, mfn, type, owner, ptEntryCount());
}

function* putEntries(v: number, mfn: number, type: number, d: number, count: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const entry = yield* readOnce(ptEntryWord(mfn, i));
    if (type === PGT_l1_page_table) yield* putPageFromL1e(v, entry, d);
    else yield* putPageFromUpper(v, entry);
  }
}
