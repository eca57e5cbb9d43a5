/**
 * A store to a read-only entry, and the unsharing of a page that is about to be pinned
 * (mm/memory.c: do_wp_page(), wp_page_copy(), wp_page_reuse()).
 *
 * Under the page-table lock: 1. is the entry still the same? 2. a shared mapping that may be
 * written becomes writable. 3. an anonymous page that is this entry's alone becomes writable. It
 * is, if PG_anon_exclusive says so, or if nobody else has a reference of it. 4. everything else is
 * copied. Copying: 1. a new page, filled without the lock. 2. notifiers start. 3. under the lock
 * again: is the entry still the same? 4. clear it, flush, the new page: no vCPU may write to the
 * old one once another reads the new one. 5. notifiers end.
 */
import { cpuLoad } from '../../hardware/access.ts';
import { PTE_DIRTY, PTE_RW, makePte } from '../../hardware/paging.ts';
import { domainOf, frameWordCount } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, fetchAnd, fetchOr, read, readOnce } from '../../shared/operations.ts';
import { spinLock } from '../../shared/spinlock.ts';
import { copyPage, writePageWord } from './direct-map.ts';
import { FAULT_FLAG_UNSHARE, VM_FAULT_OOM } from './fault-codes.ts';
import { flushTlbMm } from './flush.ts';
import { mmuNotifierInvalidateEnd, mmuNotifierInvalidateStart } from './mmu-notifier.ts';
import { Mm } from './mm.ts';
import { vmNormalPage } from './normal-page.ts';
import { pfnToMfn } from './p2m.ts';
import { allocPage } from './page-alloc.ts';
import {
  NO_PAGE,
  PG_anon,
  PG_anon_exclusive,
  PG_locked,
  Page,
  getPage,
  pageCount,
  pfnOf,
  putPage,
} from './page.ts';
import { pteLock, pteUnlock, setPte } from './pgtable.ts';
import { pageAddNewAnonRmap, pageMoveAnonRmap, pageRemoveRmap } from './rmap.ts';
import { VM_MAYSHARE, VM_SHARED, VM_WRITE, Vma } from './vma.ts';

/** __wp_page_copy_user(): through the user's address where the entry has no page. */
function* copyUserPage(v: number, to: number, old: number, vpn: number): Op<void> {
  if (old !== NO_PAGE) {
    yield* copyPage(v, to, old);
    return;
  }
  for (let offset = 0; offset < frameWordCount(); offset++) {
    const fault = yield* cpuLoad(v, vpn, offset);
    yield* writePageWord(v, to, offset, fault === 0 ? reg(v, REG_VALUE) : 0);
  }
}

/** The new page takes the place of the old one. The entry is the same, and its lock is held. */
function* replacePage(
  v: number,
  mm: number,
  ptep: number,
  entry: number,
  old: number,
  pg: number,
): Op<void> {
  if (old === NO_PAGE) yield* fetchAdd(Mm.rss.at(mm), 1);
  yield* setPte(v, ptep, 0);
  yield* flushTlbMm(v, mm);
  yield* pageAddNewAnonRmap(pg);
  yield* setPte(v, ptep, entry);
  if (old !== NO_PAGE) yield* pageRemoveRmap(old);
}

/**
 * mm/memory.c: wp_page_copy(). @param old - page with a reference of the caller, or NO_PAGE.
 * @returns 0 or VM_FAULT_OOM.
 */
function* wpPageCopy(
  v: number,
  mm: number,
  vma: number,
  vpn: number,
  ptep: number,
  pte: number,
  old: number,
  unshare: boolean,
): Op {
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return VM_FAULT_OOM;
  yield* copyUserPage(v, pg, old, vpn);
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const prot = yield* read(Vma.pageProt.at(vma));
  const writable = !unshare && ((yield* read(Vma.flags.at(vma))) & VM_WRITE) !== 0;
  const entry = makePte(mfn, writable ? prot | PTE_RW | PTE_DIRTY : prot);
  yield* mmuNotifierInvalidateStart(v, mm, vpn, vpn + 1, 1);
  yield* spinLock(pteLock(ptep));
  const same = (yield* readOnce(ptep)) === pte;
  if (same) yield* replacePage(v, mm, ptep, entry, old, pg);
  yield* pteUnlock(ptep);
  yield* mmuNotifierInvalidateEnd(v, mm, vpn, vpn + 1);
  if (!same) yield* putPage(v, pg);
  else if (old !== NO_PAGE) yield* putPage(v, old);
  return 0;
}

/**
 * wp_can_reuse_anon_folio(): nobody but this entry has a reference of the page.
 * @returns 1 if the page is this entry's alone from now on, or 0.
 */
function* canReuseAnonPage(pg: number): Op {
  if ((yield* pageCount(pg)) > 1) return 0;
  if (((yield* fetchOr(Page.flags.at(pg), PG_locked)) & PG_locked) !== 0) return 0;
  const alone = (yield* pageCount(pg)) === 1;
  if (alone) yield* pageMoveAnonRmap(pg);
  yield* fetchAnd(Page.flags.at(pg), ~PG_locked);
  return alone ? 1 : 0;
}

/** May the entry be written as it is? The lock is held. @returns 1 or 0. */
function* canReuse(vma: number, pg: number): Op {
  if (((yield* read(Vma.flags.at(vma))) & (VM_SHARED | VM_MAYSHARE)) !== 0) return 1;
  if (pg === NO_PAGE) return 0;
  const flags = yield* readOnce(Page.flags.at(pg));
  if ((flags & PG_anon) === 0) return 0;
  if ((flags & PG_anon_exclusive) !== 0) return 1;
  return yield* canReuseAnonPage(pg);
}

/**
 * mm/memory.c: do_wp_page(). The VMA is stable.
 * @param ptep - entry of the address. @param pte - what it was seen to hold, read-only.
 * @param faultFlags - FAULT_FLAG_WRITE or FAULT_FLAG_UNSHARE. @returns 0 or VM_FAULT_OOM.
 */
export function* doWpPage(
  v: number,
  mm: number,
  vma: number,
  vpn: number,
  ptep: number,
  pte: number,
  faultFlags: number,
): Op {
  const unshare = (faultFlags & FAULT_FLAG_UNSHARE) !== 0;
  yield* spinLock(pteLock(ptep));
  if ((yield* readOnce(ptep)) !== pte) {
    yield* pteUnlock(ptep);
    return 0;
  }
  const pg = yield* vmNormalPage(v, vma, vpn, pte);
  if ((yield* canReuse(vma, pg)) === 1) {
    if (!unshare) yield* setPte(v, ptep, pte | PTE_RW | PTE_DIRTY);
    yield* pteUnlock(ptep);
    return 0;
  }
  if (pg !== NO_PAGE) yield* getPage(pg);
  yield* pteUnlock(ptep);
  const status = yield* wpPageCopy(v, mm, vma, vpn, ptep, pte, pg, unshare);
  if (pg !== NO_PAGE) yield* putPage(v, pg);
  return status;
}
