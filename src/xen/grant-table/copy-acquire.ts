/**
 * Grants for the time of a copy (xen/common/grant_table.c: acquire_grant_for_copy(),
 * release_grant_for_copy()): a temporary host pin, and a reference of the page.
 *
 * Acquiring, under the table's read lock and the active entry's lock: the first user and the first
 * writer set the status and look the frame up anew; what differs from the pinned entry is refused
 * (XSA-500). Everybody else takes a reference of the pinned frame. A transitive grant goes the way
 * of copy-transitive.ts.
 * Releasing: the pin goes before the page reference (XSA-236), for a pin says that the page lives.
 */
import { frameWordCount } from '../../hardware/params.ts';
import { reg, setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce, write } from '../../shared/operations.ts';
import { isDying } from '../domain.ts';
import { pageGetOwnerAndReference, putPage } from '../frame-table.ts';
import { NO_OWNER } from '../page-info.ts';
import {
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_general_error,
  GNTST_okay,
  GTF_sub_page,
  GTF_transitive,
  GTF_type_mask,
} from '../public/grant-table.ts';
import {
  ActiveEntry,
  GNTPIN_hstr_inc,
  GNTPIN_hstw_inc,
  GNTPIN_writers_mask,
  activeEntryAcquire,
  activeEntryRelease,
  makeRange,
  pinOverflowMask,
  rangeIsSubPage,
  rangeLength,
  rangeStart,
} from './active.ts';
import { acquireTransitive } from './copy-transitive.ts';
import {
  NO_STATUS,
  headerFlags,
  sharedEntryFrame,
  sharedEntryHeader,
  sharedEntryPart,
  statusEntry,
  statusWord,
} from './entry.ts';
import { GrantTable, grantReadLock, grantReadUnlock, nrGrantEntries } from './lock.ts';
import { getPagedFrame } from './paged-frame.ts';
import { reduceStatusForPin, setStatus } from './status.ts';

/** Register with the frame that acquireGrantForCopy referenced; a map uses it for its own. */
export const REG_COPY_PAGE = 7;
/** Register with the frame that is to be copied from or to. */
export const REG_COPY_MFN = 8;
/** Register with the first word of it that may be copied. */
export const REG_COPY_OFFSET = 9;
/** Register with the number of words from there. */
export const REG_COPY_LENGTH = 10;
/** Register: `range` as the shared entry gives it. */
export const REG_RANGE = 11;

/**
 * xen/common/grant_table.c: acquire_grant_for_copy(). The frame comes in REG_COPY_MFN, with a
 * reference as REG_COPY_PAGE says, and what of it may be copied in REG_COPY_OFFSET and
 * REG_COPY_LENGTH.
 * @param rd - granting domain. @param gref - its grant. @param ldom - who copies.
 * @param readonly - 1 for a source. @param allowTransitive - 1 if the grant may lead to another.
 * @returns GNTST_*, or XEN_ERESTART if a transitive grant changed meanwhile; only GNTST_okay leaves
 *   anything held.
 */
export function* acquireGrantForCopy(
  v: number,
  rd: number,
  gref: number,
  ldom: number,
  readonly: number,
  allowTransitive: number,
): Op {
  const incr = readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  yield* grantReadLock(v, rd);
  if (gref < 0 || gref >= (yield* nrGrantEntries(rd))) {
    yield* grantReadUnlock(v, rd);
    return GNTST_bad_gntref;
  }
  const version = yield* read(GrantTable.gtVersion.at(rd));
  yield* activeEntryAcquire(rd, gref);
  const pin = yield* read(ActiveEntry.pin.at2(rd, gref));
  let rc = GNTST_okay;
  if (
    pin !== 0 &&
    ((yield* read(ActiveEntry.domid.at2(rd, gref))) !== ldom || (pin & pinOverflowMask(incr)) !== 0)
  ) {
    rc = GNTST_general_error;
  } else if (version !== 1 && (yield* isTransitive(rd, gref)) !== 0) {
    // On any other result than okay it has dropped both locks.
    rc = yield* acquireTransitive(v, rd, gref, ldom, readonly, allowTransitive, pin);
    if (rc !== GNTST_okay) return rc;
  } else if (pin === 0 || (readonly === 0 && (pin & GNTPIN_writers_mask) === 0)) {
    rc = yield* admitCopy(v, rd, gref, version, ldom, readonly, pin);
  } else {
    rc = yield* referencePinned(v, rd, gref, version, readonly);
  }
  if (rc === GNTST_okay) {
    yield* write(ActiveEntry.pin.at2(rd, gref), (pin + incr) | 0);
    const range = yield* read(ActiveEntry.range.at2(rd, gref));
    setReg(v, REG_COPY_OFFSET, rangeStart(range));
    setReg(v, REG_COPY_LENGTH, rangeLength(range));
    setReg(v, REG_COPY_MFN, yield* read(ActiveEntry.mfn.at2(rd, gref)));
  }
  yield* activeEntryRelease(rd, gref);
  yield* grantReadUnlock(v, rd);
  return rc;
}

/** Does an entry of version 2 lead to another domain's? @returns 0 or 1. */
function* isTransitive(rd: number, gref: number): Op {
  const flags = headerFlags(yield* readOnce(sharedEntryHeader(rd, gref, 2)));
  return (flags & GTF_type_mask) === GTF_transitive ? 1 : 0;
}

/** The first user or the first writer of a grant of rd's own. @returns GNTST_*. */
export function* admitCopy(
  v: number,
  rd: number,
  gref: number,
  version: number,
  ldom: number,
  readonly: number,
  pin: number,
): Op {
  let rc = yield* setStatus(rd, gref, version, readonly, 0, ldom);
  if (rc !== GNTST_okay) return rc;
  const mfn = yield* frameOfEntry(v, rd, gref, version);
  setReg(v, REG_COPY_PAGE, mfn);
  if (mfn < 0) {
    rc = mfn;
  } else if (pin === 0) {
    const range = reg(v, REG_RANGE);
    yield* write(ActiveEntry.domid.at2(rd, gref), ldom);
    yield* write(ActiveEntry.range.at2(rd, gref), range);
    yield* write(ActiveEntry.srcDomid.at2(rd, gref), rd);
    yield* write(ActiveEntry.transGref.at2(rd, gref), gref);
    yield* write(ActiveEntry.mfn.at2(rd, gref), mfn);
    if (rangeIsSubPage(range)) yield* fetchAdd(GrantTable.nrV2Ops.at(rd), 1);
  } else if ((yield* agreesWithActive(v, rd, gref, mfn)) === 0) {
    yield* putPage(v, mfn);
    rc = GNTST_general_error;
  }
  if (rc !== GNTST_okay) {
    yield* reduceStatusForPin(rd, gref, statusWord(rd, gref, version), readonly);
  }
  return rc;
}

/**
 * The frame that the shared entry names now, with a reference; REG_RANGE says what of it.
 * @returns mfn or a negative GNTST_*.
 */
export function* frameOfEntry(v: number, rd: number, gref: number, version: number): Op {
  setReg(v, REG_RANGE, makeRange(0, 0, frameWordCount()));
  let subPage = 0;
  if (version !== 1) {
    subPage = headerFlags(yield* readOnce(sharedEntryHeader(rd, gref, 2))) & GTF_sub_page;
  }
  const gfn = yield* read(sharedEntryFrame(rd, gref, version));
  const mfn = yield* getPagedFrame(v, gfn, rd);
  if (mfn >= 0 && subPage !== 0) {
    const pageOff = (yield* readOnce(sharedEntryPart(rd, gref))) & 0xffff;
    const length = (yield* readOnce(sharedEntryPart(rd, gref))) >>> 16;
    setReg(v, REG_RANGE, makeRange(pageOff, 1, length));
  }
  return mfn;
}

/** Is what the shared entry says now what the entry was pinned for? @returns 0 or 1. */
function* agreesWithActive(v: number, rd: number, gref: number, mfn: number): Op {
  if ((yield* read(ActiveEntry.mfn.at2(rd, gref))) !== mfn) return 0;
  if ((yield* read(ActiveEntry.srcDomid.at2(rd, gref))) !== rd) return 0;
  if ((yield* read(ActiveEntry.transGref.at2(rd, gref))) !== gref) return 0;
  const range = yield* read(ActiveEntry.range.at2(rd, gref));
  return !rangeIsSubPage(range) || range === reg(v, REG_RANGE) ? 1 : 0;
}

/** A pinned entry: its page has a reference, unless the owner dies. @returns GNTST_*. */
export function* referencePinned(
  v: number,
  rd: number,
  gref: number,
  version: number,
  readonly: number,
): Op {
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, gref));
  setReg(v, REG_COPY_PAGE, mfn);
  const td = yield* pageGetOwnerAndReference(mfn);
  if (td === rd && (yield* isDying(rd)) === 0) return GNTST_okay;
  if (td !== NO_OWNER) yield* putPage(v, mfn);
  yield* reduceStatusForPin(rd, gref, statusWord(rd, gref, version), readonly);
  return GNTST_bad_domain;
}

/**
 * xen/common/grant_table.c: release_grant_for_copy(). Page and type references are not its. Of a
 * transitive grant it then releases what the grant led to; acquiring goes one level deep, so this
 * does too.
 * @param rd - granting domain. @param gref - its grant. @param readonly - as it was acquired.
 */
export function* releaseGrantForCopy(
  v: number,
  rd: number,
  gref: number,
  readonly: number,
): Op<void> {
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, gref);
  const version = yield* read(GrantTable.gtVersion.at(rd));
  let status = NO_STATUS;
  let td = rd;
  let transGref = gref;
  if (version === 1) {
    status = sharedEntryHeader(rd, gref, 1);
  } else {
    if (gref < (yield* nrGrantEntries(rd))) status = statusEntry(rd, gref);
    td = yield* read(ActiveEntry.srcDomid.at2(rd, gref));
    transGref = yield* read(ActiveEntry.transGref.at2(rd, gref));
  }
  const incr = readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  const pin = ((yield* read(ActiveEntry.pin.at2(rd, gref))) - incr) | 0;
  yield* write(ActiveEntry.pin.at2(rd, gref), pin);
  yield* reduceStatusForPin(rd, gref, status, readonly);
  if (pin === 0 && rangeIsSubPage(yield* read(ActiveEntry.range.at2(rd, gref)))) {
    yield* fetchAdd(GrantTable.nrV2Ops.at(rd), -1);
  }
  yield* activeEntryRelease(rd, gref);
  yield* grantReadUnlock(v, rd);
  if (td !== rd) yield* releaseGrantForCopy(v, td, transGref, readonly);
}
