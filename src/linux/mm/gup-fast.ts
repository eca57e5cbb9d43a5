/**
 * get_user_pages without locks (mm/gup.c: gup_fast(), gup_fast_pte_range(), gup_fast_fallback()).
 *
 * 1. interrupts off, which is an RCU read section too: page tables are not freed under the walk.
 *    Where flushes go by IPI it also holds up whoever cleared an entry and waits for the flush.
 * 2. for each address: read the entry. Not present, not permitted, special: give up. A frame that
 *    is not the domain's own has no page here: give up; that is how foreign frames are kept out,
 *    whatever M2P says about their numbers.
 * 3. take a reference unless the page is free: nothing keeps the page since the entry was read.
 * 4. read the entry again. Unchanged: the page was mapped at that moment with our reference held,
 *    so who clears the entry now sees the reference. Changed: give the reference back, give up.
 * 5. interrupts on. 6. what is missing is for the slow path.
 * With FOLL_PIN, the address space notes that pages of it are pinned, and a fork that
 * write-protects pages meanwhile makes the fast path fail: writeProtectSeq is sampled before and
 * compared after.
 *
 * Not modelled: huge pages, so the entry of the level above is not read again.
 */
import {
  PTE_PRESENT,
  PTE_RW,
  PTE_SPECIAL,
  PTE_USER,
  pteMfn,
  ptIndex,
  walkToPte,
} from '../../hardware/paging.ts';
import { ptEntryCount } from '../../hardware/params.ts';
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, readOnce, trace, writeLocal } from '../../shared/operations.ts';
import { rcuReadLock, rcuReadUnlock } from '../../shared/rcu.ts';
import { rawReadSeqcount, readSeqRetry } from '../../shared/seqcount.ts';
import { designHasGupFast, designPageBehindMfn } from '../designs/design.ts';
import { EFAULT } from '../errno.ts';
import { TRACE_GUP } from '../tracepoints.ts';
import {
  FOLL_PIN,
  FOLL_WRITE,
  getUserPages,
  gupMustUnshare,
  gupPut,
  gupReferences,
  mmSetHasPinnedFlag,
} from './gup.ts';
import { Mm } from './mm.ts';
import { isUserRange } from './munmap.ts';
import { NO_PAGE, tryAddPage } from './page.ts';
import { NO_PTE, rootOf } from './pgtable.ts';

/** Does an entry allow the access? A PROT_NONE entry is not present to the hardware. */
export function pteAccessPermitted(pte: number, flags: number): boolean {
  const needed = PTE_PRESENT | PTE_USER | ((flags & FOLL_WRITE) !== 0 ? PTE_RW : 0);
  return (pte & needed) === needed;
}

/** gup_fast_pte_range(), step 2. @param pte - an entry. @returns the page it maps, or NO_PAGE. */
export function* gupFastFind(v: number, pte: number, flags: number): Op {
  if (!pteAccessPermitted(pte, flags)) return NO_PAGE;
  if ((pte & PTE_SPECIAL) !== 0) return NO_PAGE;
  return yield* designPageBehindMfn(v, pteMfn(pte));
}

/**
 * gup_fast_pte_range(), steps 3 and 4.
 * @param ptep - word of the entry. @param pte - what it was. @param pg - the page it mapped then.
 * @returns the page with the reference taken, or NO_PAGE.
 */
export function* gupFastTake(v: number, ptep: number, pte: number, pg: number, flags: number): Op {
  if ((yield* tryAddPage(pg, gupReferences(flags))) === 0) return NO_PAGE;
  const changed = (yield* readOnce(ptep)) !== pte;
  if (changed || ((pte & PTE_RW) === 0 && (yield* gupMustUnshare(pg, flags)) === 1)) {
    yield* gupPut(v, pg, flags);
    return NO_PAGE;
  }
  return pg;
}

/**
 * gup_fast_pte_range(), one entry.
 * @param ptep - word of the entry. @returns the page with the reference taken, or NO_PAGE.
 */
export function* gupFastPte(v: number, ptep: number, flags: number): Op {
  const pte = yield* readOnce(ptep);
  const pg = yield* gupFastFind(v, pte, flags);
  return pg === NO_PAGE ? NO_PAGE : yield* gupFastTake(v, ptep, pte, pg, flags);
}

/**
 * gup_fast_p4d_range() down to gup_fast_pte_range(): the entries of one page table, which is walked
 * to once. @param count - pages. @param out - word of an array for them.
 * @returns pages taken: fewer than `count` where the table ends or an entry gives none.
 */
function* gupFastPteRange(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  flags: number,
  out: number,
): Op {
  const ptep = yield* walkToPte(v, rootOf(mm), vpn);
  if (ptep === NO_PTE) return 0;
  const here = Math.min(count, ptEntryCount() - ptIndex(vpn, 1));
  for (let i = 0; i < here; i++) {
    const pg = yield* gupFastPte(v, ptep + i, flags);
    if (pg === NO_PAGE) return i;
    writeLocal(out + i, pg);
    trace(TRACE_GUP, vpn + i, pg, mm);
  }
  return here;
}

/**
 * gup_fast_pgd_range(): page table after page table. Upcalls are masked.
 * @param vpn - first address. @param count - pages. @param out - word of an array for them.
 * @returns pages taken: an entry that gives none is the end.
 */
export function* gupFastPgdRange(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  flags: number,
  out: number,
): Op {
  let got = 0;
  while (got < count) {
    const some = yield* gupFastPteRange(v, mm, vpn + got, count - got, flags, out + got);
    got = got + some;
    // At the end of a table the next one follows.
    if (some === 0 || ptIndex(vpn + got, 1) !== 0) break;
  }
  return got;
}

/** Steps 1 to 5. @returns pages taken. */
function* gupFast(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  flags: number,
  out: number,
): Op {
  if (designHasGupFast() === 0) return 0;
  const protectSeq = Mm.writeProtectSeq.at(mm);
  const pin = (flags & FOLL_PIN) !== 0;
  if (pin) yield* mmSetHasPinnedFlag(mm);
  const seq = pin ? yield* rawReadSeqcount(protectSeq) : 0;
  if ((seq & 1) !== 0) return 0;
  const irq = yield* localIrqSave(v);
  yield* rcuReadLock(v);
  const got = yield* gupFastPgdRange(v, mm, vpn, count, flags, out);
  yield* rcuReadUnlock(v);
  yield* localIrqRestore(v, irq);
  if (pin && (yield* readSeqRetry(protectSeq, seq)) === 1) {
    for (let i = 0; i < got; i++) yield* gupPut(v, readLocal(out + i), flags);
    return 0;
  }
  return got;
}

/**
 * mm/gup.c: get_user_pages_fast_only(): the pages that can be had without a lock.
 * @param v - vCPU that runs in the address space. @param vpn - first address.
 * @param count - pages. @param flags - FOLL_*. @param out - word of an array for the pages.
 * @returns pages taken, from the first on.
 */
export function* getUserPagesFastOnly(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  flags: number,
  out: number,
): Op {
  if (!isUserRange(vpn, count)) return 0;
  return yield* gupFast(v, mm, vpn, count, flags, out);
}

/**
 * mm/gup.c: get_user_pages_fast(), pin_user_pages_fast(): without locks as far as that goes, then
 * the slow path.
 * @param v - vCPU that runs in the address space. @param vpn - first address.
 * @param count - pages. @param flags - FOLL_*. @param out - word of an array for the pages.
 * @returns pages taken, fewer than `count` at an error; a negative errno if none.
 */
export function* getUserPagesFast(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  flags: number,
  out: number,
): Op {
  if (!isUserRange(vpn, count)) return -EFAULT;
  const got = yield* gupFast(v, mm, vpn, count, flags, out);
  if (got === count) return got;
  const rest = yield* getUserPages(v, mm, vpn + got, count - got, flags, out + got);
  if (rest < 0) return got > 0 ? got : rest;
  return got + rest;
}
