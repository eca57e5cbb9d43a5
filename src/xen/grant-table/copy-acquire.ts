/**
 * Grants for the time of a copy (xen/common/grant_table.c: acquire_grant_for_copy(),
 * release_grant_for_copy()): a temporary host pin, and a reference of the page.
 *
 * Acquiring, under the table's read lock and the active entry's lock: the first user and the first
 * writer set the status and look the frame up anew; a frame that differs from the pinned one is
 * refused (XSA-500). Everybody else takes a reference of the pinned frame.
 * Releasing: the pin goes before the page reference (XSA-236), for a pin says that the page lives.
 */
import { setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { read, warnOn, write } from '../../shared/operations.ts';
import { BUG_PIN_UNDERFLOW } from '../bugs.ts';
import { isDying } from '../domain.ts';
import { pageGetOwnerAndReference, putPage } from '../frame-table.ts';
import { NO_OWNER } from '../page-info.ts';
import {
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_general_error,
  GNTST_okay,
} from '../public/grant-table.ts';
import {
  ActiveEntry,
  GNTPIN_hstr_inc,
  GNTPIN_hstr_mask,
  GNTPIN_hstw_inc,
  GNTPIN_hstw_mask,
  GNTPIN_writers_mask,
  activeEntryAcquire,
  activeEntryRelease,
  pinOverflowMask,
} from './active.ts';
import { GrantEntry } from './entry.ts';
import { grantReadLock, grantReadUnlock, nrGrantEntries } from './lock.ts';
import { getPagedFrame } from './paged-frame.ts';
import { reduceStatusForPin, setStatus } from './status.ts';

/** Register with the frame that acquireGrantForCopy found and referenced. */
export const REG_COPY_MFN = 8;

/**
 * xen/common/grant_table.c: acquire_grant_for_copy(). The frame comes in REG_COPY_MFN.
 * @param rd - granting domain. @param ref - its grant. @param ldom - who copies.
 * @param readonly - 1 for a source. @returns GNTST_*; only GNTST_okay leaves anything held.
 */
export function* acquireGrantForCopy(
  v: number,
  rd: number,
  ref: number,
  ldom: number,
  readonly: number,
): Op {
  const incr = readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  yield* grantReadLock(v, rd);
  if (ref < 0 || ref >= (yield* nrGrantEntries(rd))) {
    yield* grantReadUnlock(v, rd);
    return GNTST_bad_gntref;
  }
  yield* activeEntryAcquire(rd, ref);
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  let rc = GNTST_okay;
  if (
    pin !== 0 &&
    ((yield* read(ActiveEntry.domid.at2(rd, ref))) !== ldom || (pin & pinOverflowMask(incr)) !== 0)
  ) {
    rc = GNTST_general_error;
  } else if (pin === 0 || (readonly === 0 && (pin & GNTPIN_writers_mask) === 0)) {
    rc = yield* admitCopy(v, rd, ref, ldom, readonly, pin);
  } else {
    rc = yield* referencePinned(v, rd, ref, readonly);
  }
  if (rc === GNTST_okay) yield* write(ActiveEntry.pin.at2(rd, ref), (pin + incr) | 0);
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  return rc;
}

/** The first user or the first writer. @returns GNTST_*. */
function* admitCopy(
  v: number,
  rd: number,
  ref: number,
  ldom: number,
  readonly: number,
  pin: number,
): Op {
  const rc = yield* setStatus(rd, ref, readonly, 0, ldom);
  if (rc !== GNTST_okay) return rc;
  const gfn = yield* read(GrantEntry.frame.at2(rd, ref));
  const mfn = yield* getPagedFrame(v, gfn, rd);
  if (mfn < 0) {
    yield* reduceStatusForPin(rd, ref, readonly);
    return mfn;
  }
  if (pin === 0) {
    yield* write(ActiveEntry.domid.at2(rd, ref), ldom);
    yield* write(ActiveEntry.mfn.at2(rd, ref), mfn);
  } else if ((yield* read(ActiveEntry.mfn.at2(rd, ref))) !== mfn) {
    yield* putPage(v, mfn);
    yield* reduceStatusForPin(rd, ref, readonly);
    return GNTST_general_error;
  }
  setReg(v, REG_COPY_MFN, mfn);
  return GNTST_okay;
}

/** A pinned entry: its page has a reference, unless the owner dies. @returns GNTST_*. */
function* referencePinned(v: number, rd: number, ref: number, readonly: number): Op {
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, ref));
  const td = yield* pageGetOwnerAndReference(mfn);
  if (td !== rd || (yield* isDying(rd)) !== 0) {
    if (td !== NO_OWNER) yield* putPage(v, mfn);
    yield* reduceStatusForPin(rd, ref, readonly);
    return GNTST_bad_domain;
  }
  setReg(v, REG_COPY_MFN, mfn);
  return GNTST_okay;
}

/**
 * xen/common/grant_table.c: release_grant_for_copy(). Page and type references are not its.
 * @param rd - granting domain. @param ref - its grant. @param readonly - as it was acquired.
 */
export function* releaseGrantForCopy(
  v: number,
  rd: number,
  ref: number,
  readonly: number,
): Op<void> {
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, ref);
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  const kind = readonly !== 0 ? GNTPIN_hstr_mask : GNTPIN_hstw_mask;
  warnOn((pin & kind) === 0, BUG_PIN_UNDERFLOW, rd, ref);
  const incr = readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  yield* write(ActiveEntry.pin.at2(rd, ref), (pin - incr) | 0);
  yield* reduceStatusForPin(rd, ref, readonly);
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
}
