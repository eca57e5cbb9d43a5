/**
 * GNTTABOP_map_grant_ref (xen/common/grant_table.c: map_grant_ref()).
 *
 * 1. A maptrack handle, so that nothing can fail for want of one later.
 * 2. Under the granting table's read lock and the active entry's lock: the entry is checked, its
 *    status set if this is the first mapping or the first writer, the frame found and referenced
 *    if it is the first, and the pin raised. Then both locks are dropped.
 * 3. Page and type references, one each for a host and a device mapping; the PTE; the IOMMU under
 *    the mapping domain's own table lock.
 * 4. The maptrack entry is published: domid, ref, write barrier, flags.
 * A failure in 3 undoes in reverse: PTE and flush, type and page references, then under the locks
 * again pin and status; the handle goes back. Where the status lies is found anew if the version of
 * the table changed while no lock was held (XSA-501).
 *
 * Between 2 and 3 a second mapper's pin stands without a page reference of its own: the first
 * one's, or the granter's, keeps the page until it is taken, or taking it fails.
 */
import { flushTlbHypercall } from '../../hardware/flush.ts';
import { domainOf, frameWordCount } from '../../hardware/params.ts';
import { reg, setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, smpWmb, trace, write, writeOnce } from '../../shared/operations.ts';
import { NO_DOMAIN, dirtyCpumask, needIommuPtSync, rcuLockDomainById } from '../domain.ts';
import { getPage, pageGetOwnerAndReference, putPage } from '../frame-table.ts';
import { NO_OWNER, PGT_writable_page, PageInfo } from '../page-info.ts';
import { getPageType, putPageType } from '../page-type.ts';
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTTAB_NR_RESERVED_ENTRIES,
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_general_error,
  GNTST_no_space,
  GNTST_okay,
  MAP_DEV_BUS_ADDR,
  MAP_DOM,
  MAP_FLAGS,
  MAP_HANDLE,
  MAP_HOST_ADDR,
  MAP_REF,
  MAP_STATUS,
  MAP_WORDS,
} from '../public/grant-table.ts';
import { TRC_GRANT_MAP } from '../tracepoints.ts';
import {
  ActiveEntry,
  GNTPIN_writers_mask,
  activeEntryAcquire,
  activeEntryRelease,
  makeRange,
  pinIncrement,
  pinOverflowMask,
  rangeIsSubPage,
} from './active.ts';
import { NO_STATUS, sharedEntryFrame, sharedEntryHeader, statusWord } from './entry.ts';
import { createGrantHostMapping, replaceGrantHostMapping } from './host-mapping.ts';
import { iommuCountMapping } from './iommu-tree.ts';
import { GrantTable, grantReadLock, grantReadUnlock, nrGrantEntries } from './lock.ts';
import {
  INVALID_MAPTRACK_HANDLE,
  Maptrack,
  getMaptrackHandle,
  maptrackEntry,
  putMaptrackHandle,
} from './maptrack.ts';
import { getPagedFrame } from './paged-frame.ts';
import { reduceStatusForPin, setStatus } from './status.ts';

/** Register: page references that the mapping holds so far. */
export const REG_REFCNT = 5;
/** Register: writable type references that the mapping holds so far. */
export const REG_TYPECNT = 6;
/** Register: 1 once the PTE is written. */
export const REG_HOST_MAP = 7;

/** Register: the word of the status, as found under the locks of step 2. */
export const REG_MAP_STATUS = 12;

/** maptrack's flags are 16 bits wide. */
export const MAPTRACK_FLAGS_MASK = 0xffff;

/** @param flags - GNTMAP_*. @returns 0 or 1. */
export function isReadonly(flags: number): number {
  return (flags & GNTMAP_readonly) !== 0 ? 1 : 0;
}

/**
 * Step 2 of map_grant_ref(): from the bounds check to the drop of both locks. REG_REFCNT is 1
 * afterwards if a page reference came with it.
 * @returns the frame that is pinned now, or a negative GNTST_* with nothing held.
 */
export function* pinActiveEntry(v: number, rd: number, ref: number, flags: number): Op {
  const ld = domainOf(v);
  const incr = pinIncrement(flags);
  yield* grantReadLock(v, rd);
  if (ref < 0 || ref >= (yield* nrGrantEntries(rd))) {
    yield* grantReadUnlock(v, rd);
    return GNTST_bad_gntref;
  }
  const version = yield* read(GrantTable.gtVersion.at(rd));
  yield* activeEntryAcquire(rd, ref);
  setReg(v, REG_MAP_STATUS, statusWord(rd, ref, version));
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  let rc = GNTST_okay;
  // If already pinned, check the active domid and avoid a counter's overflow.
  if (
    pin !== 0 &&
    ((yield* read(ActiveEntry.domid.at2(rd, ref))) !== ld ||
      (pin & pinOverflowMask(incr)) !== 0 ||
      rangeIsSubPage(yield* read(ActiveEntry.range.at2(rd, ref))))
  ) {
    rc = GNTST_general_error;
  } else if (pin === 0 || (isReadonly(flags) === 0 && (pin & GNTPIN_writers_mask) === 0)) {
    rc = yield* admit(v, rd, ref, version, flags, pin);
  }
  if (rc === GNTST_okay) {
    yield* write(ActiveEntry.pin.at2(rd, ref), (pin + incr) | 0);
    rc = yield* read(ActiveEntry.mfn.at2(rd, ref));
  }
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  return rc;
}

/** The first mapping or the first writer: status, and for the first the frame. @returns GNTST_*. */
export function* admit(
  v: number,
  rd: number,
  ref: number,
  version: number,
  flags: number,
  pin: number,
): Op {
  const ld = domainOf(v);
  const rc = yield* setStatus(rd, ref, version, isReadonly(flags), 1, ld);
  if (rc !== GNTST_okay || pin !== 0) return rc;
  const gfn = yield* read(sharedEntryFrame(rd, ref, version));
  const mfn = yield* getPagedFrame(v, gfn, rd);
  if (mfn < 0) {
    yield* reduceStatusForPin(rd, ref, reg(v, REG_MAP_STATUS), isReadonly(flags));
    return mfn;
  }
  setReg(v, REG_REFCNT, 1);
  yield* write(ActiveEntry.domid.at2(rd, ref), ld);
  yield* write(ActiveEntry.mfn.at2(rd, ref), mfn);
  yield* write(ActiveEntry.range.at2(rd, ref), makeRange(0, 0, frameWordCount()));
  yield* write(ActiveEntry.srcDomid.at2(rd, ref), rd);
  yield* write(ActiveEntry.transGref.at2(rd, ref), ref);
  return GNTST_okay;
}

/**
 * Step 3 of map_grant_ref() up to the PTE: what the mapping holds. The registers say how far it
 * came. @returns GNTST_*.
 */
export function* holdPage(v: number, rd: number, mfn: number, flags: number, hostAddr: number): Op {
  let owner = NO_OWNER;
  if (reg(v, REG_REFCNT) === 0) {
    owner = yield* pageGetOwnerAndReference(mfn);
    if (owner !== NO_OWNER) setReg(v, REG_REFCNT, 1);
  } else {
    owner = yield* readOnce(PageInfo.owner.at(mfn));
  }
  if (owner !== rd) return GNTST_general_error;

  const writable = (flags & GNTMAP_readonly) === 0;
  if ((flags & GNTMAP_device_map) !== 0 && writable) {
    if ((yield* getPageType(v, mfn, PGT_writable_page)) === 0) return GNTST_general_error;
    setReg(v, REG_TYPECNT, 1);
  }
  if ((flags & GNTMAP_host_map) === 0) return GNTST_okay;
  // Another reference is needed only if the device mapping claimed the first.
  if ((flags & GNTMAP_device_map) !== 0) {
    if ((yield* getPage(v, mfn, rd)) === 0) return GNTST_general_error;
    setReg(v, REG_REFCNT, reg(v, REG_REFCNT) + 1);
  }
  if (writable) {
    if ((yield* getPageType(v, mfn, PGT_writable_page)) === 0) return GNTST_general_error;
    setReg(v, REG_TYPECNT, reg(v, REG_TYPECNT) + 1);
  }
  const rc = yield* createGrantHostMapping(v, hostAddr, mfn, flags);
  if (rc === GNTST_okay) setReg(v, REG_HOST_MAP, 1);
  return rc;
}

/** The label undo_out of map_grant_ref(). */
export function* undoMap(
  v: number,
  rd: number,
  ref: number,
  mfn: number,
  flags: number,
  hostAddr: number,
): Op<void> {
  if (reg(v, REG_HOST_MAP) !== 0) {
    yield* replaceGrantHostMapping(v, hostAddr, mfn, 0, flags);
    yield* flushTlbHypercall(v, dirtyCpumask(domainOf(v)));
  }
  for (let i = reg(v, REG_TYPECNT); i > 0; i--) yield* putPageType(v, mfn);
  for (let i = reg(v, REG_REFCNT); i > 0; i--) yield* putPage(v, mfn);

  yield* grantReadLock(v, rd);
  const status = yield* statusAgain(v, rd, ref);
  yield* activeEntryAcquire(rd, ref);
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  yield* write(ActiveEntry.pin.at2(rd, ref), (pin - pinIncrement(flags)) | 0);
  yield* reduceStatusForPin(rd, ref, status, isReadonly(flags));
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
}

/**
 * undo_out of map_grant_ref() with the lock taken again: if the version changed meanwhile, the
 * status lies elsewhere. Only reserved entries outlive a change; any other may not exist any more.
 * @returns a word, or NO_STATUS.
 */
export function* statusAgain(v: number, rd: number, ref: number): Op {
  const status = reg(v, REG_MAP_STATUS);
  const version = yield* read(GrantTable.gtVersion.at(rd));
  if ((version === 1) === (status === sharedEntryHeader(rd, ref, 1))) return status;
  return ref < GNTTAB_NR_RESERVED_ENTRIES ? statusWord(rd, ref, version) : NO_STATUS;
}

/** xen/common/grant_table.c: map_grant_ref(). @param op - word of the record. */
export function* mapGrantRef(v: number, op: number): Op<void> {
  const ld = domainOf(v);
  const hostAddr = yield* read(op + MAP_HOST_ADDR);
  const flags = yield* read(op + MAP_FLAGS);
  const ref = yield* read(op + MAP_REF);
  const dom = yield* read(op + MAP_DOM);

  if (pinIncrement(flags) === 0) {
    yield* write(op + MAP_STATUS, GNTST_bad_gntref);
    return;
  }
  const rd = yield* rcuLockDomainById(dom);
  if (rd === NO_DOMAIN) {
    yield* write(op + MAP_STATUS, GNTST_bad_domain);
    return;
  }
  const handle = yield* getMaptrackHandle(v);
  if (handle === INVALID_MAPTRACK_HANDLE) {
    yield* write(op + MAP_STATUS, GNTST_no_space);
    return;
  }

  setReg(v, REG_REFCNT, 0);
  setReg(v, REG_TYPECNT, 0);
  setReg(v, REG_HOST_MAP, 0);
  const mfn = yield* pinActiveEntry(v, rd, ref, flags);
  let rc = mfn < 0 ? mfn : GNTST_okay;
  if (rc === GNTST_okay) {
    rc = yield* holdPage(v, rd, mfn, flags, hostAddr);
    if (rc === GNTST_okay && ld !== rd && needIommuPtSync(ld)) {
      rc = yield* iommuCountMapping(ld, mfn, isReadonly(flags));
    }
    if (rc !== GNTST_okay) yield* undoMap(v, rd, ref, mfn, flags, hostAddr);
  }
  if (rc !== GNTST_okay) {
    yield* write(op + MAP_STATUS, rc);
    yield* putMaptrackHandle(v, handle);
    return;
  }

  // All users of a maptrack entry look at its flags first, so the flags are stored last.
  const mt = yield* maptrackEntry(ld, handle);
  yield* write(Maptrack.domid.at2(ld, mt), rd);
  yield* write(Maptrack.ref.at2(ld, mt), ref);
  yield* smpWmb();
  yield* writeOnce(Maptrack.flags.at2(ld, mt), flags & MAPTRACK_FLAGS_MASK);
  trace(TRC_GRANT_MAP, ld, handle, mfn);

  yield* write(op + MAP_DEV_BUS_ADDR, mfn);
  yield* write(op + MAP_HANDLE, handle);
  yield* write(op + MAP_STATUS, GNTST_okay);
}

/**
 * GNTTABOP_map_grant_ref.
 * @param v - vCPU that calls. @param ops - word of the first record. @param count - records.
 * @returns 0; the outcome of each operation is its status.
 */
export function* gnttabMapGrantRef(v: number, ops: number, count: number): Op {
  for (let i = 0; i < count; i++) yield* mapGrantRef(v, ops + i * MAP_WORDS);
  return 0;
}
