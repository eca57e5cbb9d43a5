/**
 * Transitive grants in a copy (xen/common/grant_table.c: acquire_grant_for_copy(), the branch of
 * GTF_transitive): an entry of version 2 that leads to a grant which another domain made to rd. It
 * can be copied through, never mapped; one level deep.
 *
 * 1. The entry's own status, and where it leads. 2. nr_v2_ops, so that the table keeps its version
 * while no lock is held; then both locks are dropped, for another table's lock is never taken with
 * an active entry held (XSA-411). 3. The grant that it leads to is acquired, for rd. 4. Both locks
 * again. If anything changed meanwhile, all is given back and the caller begins anew (XSA-226):
 * the release of 3 again with no lock held. 5. The first user fills the active entry in, as a
 * sub-page grant, which no mapping can share; nr_v2_ops stays up until the last user is gone.
 */
import { reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce, write } from '../../shared/operations.ts';
import { NO_DOMAIN, rcuLockDomainById } from '../domain.ts';
import { putPage } from '../frame-table.ts';
import { GNTST_general_error, GNTST_okay } from '../public/grant-table.ts';
import { XEN_ERESTART } from '../public/xen.ts';
import {
  ActiveEntry,
  GNTPIN_writers_mask,
  activeEntryAcquire,
  activeEntryRelease,
  makeRange,
  rangeIsSubPage,
  rangeLength,
  rangeStart,
} from './active.ts';
import {
  REG_COPY_LENGTH,
  REG_COPY_MFN,
  REG_COPY_OFFSET,
  acquireGrantForCopy,
  releaseGrantForCopy,
} from './copy-acquire.ts';
import { sharedEntryPart, sharedEntryTransGref, statusEntry } from './entry.ts';
import { GrantTable, grantReadLock, grantReadUnlock } from './lock.ts';
import { reduceStatusForPin, setStatusV2 } from './status.ts';

const TRANS_DOMID_MASK = 0xffff;

function* lockEntry(v: number, rd: number, gref: number): Op<void> {
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, gref);
}

function* unlockEntry(v: number, rd: number, gref: number): Op<void> {
  yield* activeEntryRelease(rd, gref);
  yield* grantReadUnlock(v, rd);
}

/**
 * The transitive branch of acquire_grant_for_copy(). Called with both locks held.
 * @param oldPin - the entry's pin. Others: as of acquireGrantForCopy.
 * @returns GNTST_okay with both locks held again; or GNTST_* or XEN_ERESTART with nothing held.
 */
export function* acquireTransitive(
  v: number,
  rd: number,
  gref: number,
  ldom: number,
  readonly: number,
  allowTransitive: number,
  oldPin: number,
): Op {
  const status = statusEntry(rd, gref);
  if (oldPin === 0 || (readonly === 0 && (oldPin & GNTPIN_writers_mask) === 0)) {
    const set = yield* setStatusV2(rd, gref, readonly, 0, ldom);
    if (set !== GNTST_okay) {
      yield* unlockEntry(v, rd, gref);
      return set;
    }
  }
  const transDomid = (yield* readOnce(sharedEntryPart(rd, gref))) & TRANS_DOMID_MASK;
  const transGref = yield* readOnce(sharedEntryTransGref(rd, gref));
  const td = yield* targetDomain(rd, transDomid, allowTransitive);
  if (td === NO_DOMAIN) {
    yield* reduceStatusForPin(rd, gref, status, readonly);
    yield* unlockEntry(v, rd, gref);
    return GNTST_general_error;
  }

  yield* fetchAdd(GrantTable.nrV2Ops.at(rd), 1);
  yield* unlockEntry(v, rd, gref);
  const rc = yield* acquireGrantForCopy(v, td, transGref, rd, readonly, 0);
  const grantMfn = reg(v, REG_COPY_MFN);
  yield* lockEntry(v, rd, gref);
  if (rc !== GNTST_okay) {
    yield* fetchAdd(GrantTable.nrV2Ops.at(rd), -1);
    yield* reduceStatusForPin(rd, gref, status, readonly);
    yield* unlockEntry(v, rd, gref);
    return rc;
  }
  if ((yield* entryChanged(v, rd, gref, ldom, td, transGref, oldPin)) !== 0) {
    yield* giveUp(v, rd, gref, td, transGref, readonly);
    yield* putPage(v, grantMfn);
    return XEN_ERESTART;
  }
  if (oldPin === 0) yield* fillActive(v, rd, gref, ldom, td, transGref);
  else yield* fetchAdd(GrantTable.nrV2Ops.at(rd), -1);
  return GNTST_okay;
}

/** Whose grant the entry leads to. @returns a domain, or NO_DOMAIN. */
function* targetDomain(rd: number, transDomid: number, allowTransitive: number): Op {
  if (allowTransitive === 0 || transDomid === rd) return NO_DOMAIN;
  return yield* rcuLockDomainById(transDomid);
}

/** Did the version, the pin, or what is pinned change while no lock was held? @returns 0 or 1. */
export function* entryChanged(
  v: number,
  rd: number,
  gref: number,
  ldom: number,
  td: number,
  transGref: number,
  oldPin: number,
): Op {
  if ((yield* read(GrantTable.gtVersion.at(rd))) !== 2) return 1;
  if ((yield* read(ActiveEntry.pin.at2(rd, gref))) !== oldPin) return 1;
  if (oldPin === 0) return 0;
  if ((yield* read(ActiveEntry.domid.at2(rd, gref))) !== ldom) return 1;
  if ((yield* read(ActiveEntry.mfn.at2(rd, gref))) !== reg(v, REG_COPY_MFN)) return 1;
  const range = yield* read(ActiveEntry.range.at2(rd, gref));
  if (rangeStart(range) !== reg(v, REG_COPY_OFFSET)) return 1;
  if (rangeLength(range) !== reg(v, REG_COPY_LENGTH)) return 1;
  if ((yield* read(ActiveEntry.srcDomid.at2(rd, gref))) !== td) return 1;
  if ((yield* read(ActiveEntry.transGref.at2(rd, gref))) !== transGref) return 1;
  return rangeIsSubPage(range) ? 0 : 1;
}

/** The entry changed: both locks go before the other grant is released, and come back after. */
export function* giveUp(
  v: number,
  rd: number,
  gref: number,
  td: number,
  transGref: number,
  readonly: number,
): Op<void> {
  yield* unlockEntry(v, rd, gref);
  yield* releaseGrantForCopy(v, td, transGref, readonly);
  yield* grantReadLock(v, rd);
  yield* fetchAdd(GrantTable.nrV2Ops.at(rd), -1);
  yield* activeEntryAcquire(rd, gref);
  yield* reduceStatusForPin(rd, gref, statusEntry(rd, gref), readonly);
  yield* unlockEntry(v, rd, gref);
}

/** The first user: what the entry led to. */
function* fillActive(
  v: number,
  rd: number,
  gref: number,
  ldom: number,
  td: number,
  transGref: number,
): Op<void> {
  const range = makeRange(reg(v, REG_COPY_OFFSET), 1, reg(v, REG_COPY_LENGTH));
  yield* write(ActiveEntry.domid.at2(rd, gref), ldom);
  yield* write(ActiveEntry.range.at2(rd, gref), range);
  yield* write(ActiveEntry.srcDomid.at2(rd, gref), td);
  yield* write(ActiveEntry.transGref.at2(rd, gref), transGref);
  yield* write(ActiveEntry.mfn.at2(rd, gref), reg(v, REG_COPY_MFN));
}
