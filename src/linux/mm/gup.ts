/**
 * get_user_pages, the slow path (mm/gup.c: __get_user_pages(), follow_page_pte(), faultin_page()).
 *
 * With mmap_lock held for reading, for each address: 1. the VMA and its rights. 2. under the page-
 * table lock: read the entry, find the page (normal-page.ts: for a special entry the design's),
 * check the right to write, take the reference. 3. if there is no page, or a write meets a
 * read-only entry, let the fault handler bring one and look again.
 *
 * The lock keeps the entry, and with it one reference of the page, until ours is taken; so the
 * count cannot be 0. For pages behind foreign frames that is the design's promise, not the entry's.
 */
import { PTE_PRESENT, PTE_RW } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import {
  fetchAdd,
  fetchOr,
  read,
  readOnce,
  trace,
  warnOn,
  writeLocal,
} from '../../shared/operations.ts';
import { EFAULT, EMLINK, ENOMEM } from '../errno.ts';
import { TRACE_GUP } from '../tracepoints.ts';
import { designPageBeforeTables } from '../designs/design.ts';
import { BUG_PAGE_COUNT } from './bugs.ts';
import { FAULT_FLAG_FORCE, FAULT_FLAG_UNSHARE, FAULT_FLAG_WRITE } from './fault-codes.ts';
import { handleMmFault, vmFaultToErrno } from './fault.ts';
import { MMF_HAS_PINNED, Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { vmNormalPage } from './normal-page.ts';
import {
  GUP_PIN_COUNTING_BIAS,
  NO_PAGE,
  PG_anon,
  PG_anon_exclusive,
  Page,
  getPages,
  putPages,
} from './page.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock } from './pgtable.ts';
import {
  NO_VMA,
  VM_IO,
  VM_MAYREAD,
  VM_PFNMAP,
  VM_READ,
  VM_WRITE,
  Vma,
  isCowMapping,
} from './vma.ts';
import { vmaLookup } from './vma-tree.ts';

/** include/linux/mm_types.h: the caller will write to the pages. */
export const FOLL_WRITE = 1;
/** Look without bringing pages: a missing one is an error (core dumps, move_pages()). */
export const FOLL_DUMP = 1 << 2;
/** Past the protection that the process has set, as far as its mapping permits it at all. */
export const FOLL_FORCE = 1 << 3;
/** The pages are held for as long as user space likes. */
export const FOLL_LONGTERM = 1 << 8;
/** The references are pins (pin_user_pages()): 1024 each, told apart by whoever copies a page. */
export const FOLL_PIN = 1 << 19;

/** What one reference adds to the page's count. @param flags - FOLL_*. */
export function gupReferences(flags: number): number {
  return (flags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1;
}

/**
 * mm/gup.c: gup_put_folio(), unpin_user_page()
 * @param v - vCPU that runs this. @param pg - page. @param flags - FOLL_* it was taken with.
 */
export function* gupPut(v: number, pg: number, flags: number): Op<void> {
  yield* putPages(v, pg, gupReferences(flags));
}

/** mm/gup.c: try_grab_folio(): the caller knows that the count is not 0. @returns 0 or -ENOMEM. */
function* tryGrab(pg: number, flags: number): Op {
  const count = yield* readOnce(Page.refcount.at(pg));
  warnOn(count <= 0, BUG_PAGE_COUNT, pg, count);
  if (count <= 0) return -ENOMEM;
  yield* fetchAdd(Page.refcount.at(pg), gupReferences(flags));
  return 0;
}

/**
 * include/linux/mm.h: gup_must_unshare(): a page that is pinned for reading must be one that no
 * later store replaces, so a page that others may map too becomes one of its own first.
 * @param pg - page that a read-only entry names. @returns 1 or 0.
 */
export function* gupMustUnshare(pg: number, flags: number): Op {
  if ((flags & (FOLL_WRITE | FOLL_PIN)) !== FOLL_PIN) return 0;
  return ((yield* readOnce(Page.flags.at(pg))) & (PG_anon | PG_anon_exclusive)) === PG_anon ? 1 : 0;
}

/** mm/gup.c: mm_set_has_pinned_flag(): before the first pin. */
export function* mmSetHasPinnedFlag(mm: number): Op<void> {
  if (((yield* readOnce(Mm.flags.at(mm))) & MMF_HAS_PINNED) !== 0) return;
  yield* fetchOr(Mm.flags.at(mm), MMF_HAS_PINNED);
}

/**
 * mm/gup.c: can_follow_write_pte(), of an entry without the right to write: FOLL_FORCE, and the
 * page is a copy that belongs to this entry alone. @returns 1 or 0.
 */
function* canFollowWritePte(vma: number, pg: number, flags: number): Op {
  if ((flags & FOLL_FORCE) === 0 || pg === NO_PAGE) return 0;
  const vmFlags = yield* read(Vma.flags.at(vma));
  if (!isCowMapping(vmFlags) || (vmFlags & VM_WRITE) !== 0) return 0;
  const own = PG_anon | PG_anon_exclusive;
  return ((yield* readOnce(Page.flags.at(pg))) & own) === own ? 1 : 0;
}

/** The locked part of follow_page_pte(). @returns as followPagePte. */
function* followLocked(v: number, vma: number, vpn: number, ptep: number, flags: number): Op {
  const pte = yield* readOnce(ptep);
  if ((pte & PTE_PRESENT) === 0) return NO_PAGE;
  const pg = yield* vmNormalPage(v, vma, vpn, pte);
  if ((flags & FOLL_WRITE) !== 0 && (pte & PTE_RW) === 0) {
    if ((yield* canFollowWritePte(vma, pg, flags)) === 0) return NO_PAGE;
  }
  if (pg === NO_PAGE) return -EFAULT;
  if ((pte & PTE_RW) === 0 && (yield* gupMustUnshare(pg, flags)) === 1) return -EMLINK;
  const status = yield* tryGrab(pg, flags);
  return status < 0 ? status : pg;
}

/**
 * mm/gup.c: follow_page_pte(). The caller keeps the VMA stable.
 * @returns the page with the reference taken; NO_PAGE: fault it in; -EMLINK: unshare it first;
 *   -EFAULT or -ENOMEM.
 */
export function* followPagePte(v: number, mm: number, vma: number, vpn: number, flags: number): Op {
  const ptep = yield* pteOffsetMapLock(v, mm, vpn);
  if (ptep === NO_PTE) return NO_PAGE;
  const pg = yield* followLocked(v, vma, vpn, ptep, flags);
  yield* pteUnlock(ptep);
  return pg;
}

/** mm/gup.c: check_vma_flags(). @returns 0 or -EFAULT. */
function* checkVmaFlags(vma: number, flags: number): Op {
  const vmFlags = yield* read(Vma.flags.at(vma));
  if ((vmFlags & (VM_IO | VM_PFNMAP)) !== 0) return -EFAULT;
  const force = (flags & FOLL_FORCE) !== 0;
  if ((flags & FOLL_WRITE) !== 0) {
    // A store that the mapping forbids may only go to a copy of its own.
    return (vmFlags & VM_WRITE) !== 0 || (force && isCowMapping(vmFlags)) ? 0 : -EFAULT;
  }
  return (vmFlags & (force ? VM_READ | VM_MAYREAD : VM_READ)) !== 0 ? 0 : -EFAULT;
}

/** faultin_page(). @param pg - what followPagePte returned. @returns FAULT_FLAG_*. */
function faultFlags(pg: number, flags: number): number {
  const force = (flags & FOLL_FORCE) !== 0 ? FAULT_FLAG_FORCE : 0;
  if (pg === -EMLINK) return FAULT_FLAG_UNSHARE | force;
  return ((flags & FOLL_WRITE) !== 0 ? FAULT_FLAG_WRITE : 0) | force;
}

/** One page of __get_user_pages(). @returns the page, or a negative errno. */
function* getUserPage(v: number, mm: number, vpn: number, flags: number): Op {
  const vma = yield* vmaLookup(mm, vpn);
  if (vma === NO_VMA) return -EFAULT;
  const foreign = yield* designPageBeforeTables(vma, vpn);
  if (foreign !== NO_PAGE) {
    yield* getPages(foreign, gupReferences(flags));
    return foreign;
  }
  if ((yield* checkVmaFlags(vma, flags)) < 0) return -EFAULT;
  for (;;) {
    const pg = yield* followPagePte(v, mm, vma, vpn, flags);
    if (pg !== NO_PAGE && pg !== -EMLINK) return pg;
    const fault = yield* handleMmFault(v, mm, vma, vpn, faultFlags(pg, flags));
    if (fault !== 0) return vmFaultToErrno(fault);
  }
}

/**
 * mm/gup.c: get_user_pages_remote(), pin_user_pages_remote(): of any address space. The caller
 * holds its mmap_lock for reading.
 * @param v - vCPU that runs this. @param vpn - first address. @param count - pages.
 * @param flags - FOLL_*. @param out - word of an array of the caller for the pages.
 * @returns pages taken, fewer than `count` at an error; a negative errno if none.
 */
export function* getUserPagesRemote(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  flags: number,
  out: number,
): Op {
  let got = 0;
  if ((flags & FOLL_PIN) !== 0) yield* mmSetHasPinnedFlag(mm);
  while (got < count) {
    const pg = yield* getUserPage(v, mm, vpn + got, flags);
    if (pg < 0) return got > 0 ? got : pg;
    writeLocal(out + got, pg);
    trace(TRACE_GUP, vpn + got, pg, mm);
    got++;
  }
  return got;
}

/**
 * mm/gup.c: get_user_pages_unlocked(), pin_user_pages_unlocked(). As getUserPagesRemote, but takes
 * the lock itself.
 */
export function* getUserPages(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  flags: number,
  out: number,
): Op {
  yield* mmapReadLock(mm);
  const got = yield* getUserPagesRemote(v, mm, vpn, count, flags, out);
  yield* mmapReadUnlock(mm);
  return got;
}
