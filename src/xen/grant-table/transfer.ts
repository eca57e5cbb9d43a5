/**
 * GNTTABOP_transfer (xen/common/grant_table.c: gnttab_transfer(), gnttab_prepare_for_transfer()): a
 * page leaves the caller and goes to another domain, which has asked for it by an entry with
 * GTF_accept_transfer.
 *
 * 1. The page is stolen from the caller. 2. It leaves the caller's guest-physical memory and TLBs,
 * mappings of others included (XSA-217 is the unmap without its flush). 3. One page more is counted
 * to the target, and its pageAllocLock dropped, for a grant table's lock is never taken within it
 * (XSA-73). 4. The entry is locked down: compare-and-swap of GTF_transfer_committed; the guest must
 * not touch it now. 5. The page is given to the target. 6. Under the target's locks, if the version
 * of its table is still the one of 4 (XSA-501): frame, write barrier, GTF_transfer_completed.
 * A failure after 1 frees the page: the caller has lost it.
 */
import { flushTlbHypercall } from '../../hardware/flush.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { cmpxchg, read, readOnce, smpWmb, trace, write } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import {
  Domain,
  NO_DOMAIN,
  dirtyCpumask,
  domainAdjustTotPages,
  dropDomRef,
  isDying,
  needIommuPtSync,
  rcuLockDomainById,
} from '../domain.ts';
import { getPage, mfnValid, putPage } from '../frame-table.ts';
import { setGpfnFromMfn } from '../m2p.ts';
import { assignPage, freeDomheapPage } from '../page-alloc.ts';
import { PGT_writable_page } from '../page-info.ts';
import { getPageType, putPageAndType } from '../page-type.ts';
import { optGrantTransfer } from '../params.ts';
import {
  GNTST_bad_domain,
  GNTST_bad_page,
  GNTST_general_error,
  GNTST_okay,
  GTF_accept_transfer,
  GTF_transfer_committed,
  GTF_transfer_completed,
  TRANSFER_DOMID,
  TRANSFER_MFN,
  TRANSFER_REF,
  TRANSFER_STATUS,
  TRANSFER_WORDS,
} from '../public/grant-table.ts';
import { XEN_EINVAL, XEN_EOPNOTSUPP } from '../public/xen.ts';
import { stealPage } from '../steal-page.ts';
import { TRC_PAGE_ALLOC } from '../tracepoints.ts';
import { activeEntryAcquire, activeEntryRelease } from './active.ts';
import { headerDomid, headerFlags, sharedEntryFrame, sharedEntryHeader } from './entry.ts';
import { GrantTable, grantReadLock, grantReadUnlock, nrGrantEntries } from './lock.ts';
import { STATUS_ATTEMPTS } from './status.ts';

/**
 * xen/common/grant_table.c: gnttab_prepare_for_transfer().
 * @param rd - target. @param ld - who gives the page. @param ref - entry of the target.
 * @returns the version of the table, with the entry committed; 0 if it takes no page.
 */
export function* gnttabPrepareForTransfer(v: number, rd: number, ld: number, ref: number): Op {
  yield* grantReadLock(v, rd);
  let version = 0;
  if (ref >= 0 && ref < (yield* nrGrantEntries(rd))) {
    version = yield* read(GrantTable.gtVersion.at(rd));
    if ((yield* commitEntry(sharedEntryHeader(rd, ref, version), ld)) === 0) version = 0;
  }
  yield* grantReadUnlock(v, rd);
  return version;
}

/** @param shah - word of the header. @returns 1 if it is committed now, by us, else 0. */
function* commitEntry(shah: number, ld: number): Op {
  let scombo = yield* readOnce(shah);
  for (let attempt = 0; attempt < STATUS_ATTEMPTS; attempt++) {
    if (headerFlags(scombo) !== GTF_accept_transfer || headerDomid(scombo) !== ld) return 0;
    const prev = yield* cmpxchg(shah, scombo, scombo | GTF_transfer_committed);
    if (prev === scombo) return 1;
    scombo = prev;
  }
  return 0;
}

/** Counts one page more to the target, if it takes any. @returns 1 or 0. */
export function* reservePage(e: number): Op {
  yield* spinLock(Domain.pageAllocLock.at(e));
  const total = yield* read(Domain.totPages.at(e));
  const full = total >= (yield* read(Domain.maxPages.at(e)));
  const ok = !full && (yield* isDying(e)) === 0;
  if (ok) yield* domainAdjustTotPages(e, 1);
  yield* spinUnlock(Domain.pageAllocLock.at(e));
  return ok ? 1 : 0;
}

/** Takes the reservation back. */
function* unreservePage(e: number): Op<void> {
  yield* spinLock(Domain.pageAllocLock.at(e));
  const left = yield* domainAdjustTotPages(e, -1);
  yield* spinUnlock(Domain.pageAllocLock.at(e));
  if (left === 0) yield* dropDomRef(e);
}

/**
 * xen/arch/x86/mm/physmap.c: guest_physmap_add_page() of a PV domain: pages begin with an entry in
 * the owner's IOMMU, if it has one. @returns 0 or a negative errno.
 */
export function* guestPhysmapAddPage(v: number, d: number, gfn: number, mfn: number): Op {
  if (needIommuPtSync(d)) {
    if ((yield* getPage(v, mfn, d)) === 0) return -XEN_EINVAL;
    if ((yield* getPageType(v, mfn, PGT_writable_page)) === 0) {
      yield* putPage(v, mfn);
      return -XEN_EINVAL;
    }
    yield* putPageAndType(v, mfn);
  }
  yield* setGpfnFromMfn(mfn, gfn);
  return 0;
}

/** Step 6: tells the guest about its page. @returns GNTST_*. */
export function* completeTransfer(
  v: number,
  e: number,
  ref: number,
  version: number,
  mfn: number,
): Op {
  let rc = -XEN_EINVAL;
  yield* grantReadLock(v, e);
  yield* activeEntryAcquire(e, ref);
  if ((yield* read(GrantTable.gtVersion.at(e))) === version) {
    const frame = sharedEntryFrame(e, ref, version);
    rc = yield* guestPhysmapAddPage(v, e, yield* read(frame), mfn);
    yield* write(frame, mfn);
    yield* smpWmb();
    const shah = sharedEntryHeader(e, ref, version);
    yield* write(shah, (yield* read(shah)) | GTF_transfer_completed);
  }
  yield* activeEntryRelease(e, ref);
  yield* grantReadUnlock(v, e);
  return rc === 0 ? GNTST_okay : GNTST_general_error;
}

/** gnttab_transfer() with the page stolen. @returns GNTST_*; on an error the page is still ours. */
function* giveTo(v: number, mfn: number, domid: number, ref: number): Op {
  const e = yield* rcuLockDomainById(domid);
  if (e === NO_DOMAIN) return GNTST_bad_domain;
  if ((yield* reservePage(e)) === 0) return GNTST_general_error;
  const version = yield* gnttabPrepareForTransfer(v, e, domainOf(v), ref);
  if (version === 0 || (yield* assignPage(mfn, e, 1)) < 0) {
    yield* unreservePage(e);
    return GNTST_general_error;
  }
  trace(TRC_PAGE_ALLOC, mfn, e, 0);
  return version;
}

/** One operation. @param op - word of the record. @returns GNTST_*. */
export function* transferOne(v: number, op: number): Op {
  const d = domainOf(v);
  const mfn = yield* read(op + TRANSFER_MFN);
  if (!mfnValid(mfn)) return GNTST_bad_page;
  const rc = yield* stealPage(v, d, mfn);
  if (rc < 0) return rc === -XEN_EINVAL ? GNTST_bad_page : GNTST_general_error;
  yield* flushTlbHypercall(v, dirtyCpumask(d));
  const domid = yield* read(op + TRANSFER_DOMID);
  const ref = yield* read(op + TRANSFER_REF);
  const version = yield* giveTo(v, mfn, domid, ref);
  if (version < 0) {
    yield* freeDomheapPage(mfn);
    return version;
  }
  return yield* completeTransfer(v, domid, ref, version, mfn);
}

/**
 * GNTTABOP_transfer, between PV domains.
 * @param v - vCPU that calls. @param ops - word of the first record. @param count - records.
 * @returns 0, and the outcome of each operation is its status; -XEN_EOPNOTSUPP if it is turned off.
 */
export function* gnttabTransfer(v: number, ops: number, count: number): Op {
  if (optGrantTransfer() === 0) return -XEN_EOPNOTSUPP;
  for (let i = 0; i < count; i++) {
    const op = ops + i * TRANSFER_WORDS;
    yield* write(op + TRANSFER_STATUS, yield* transferOne(v, op));
  }
  return 0;
}
