/**
 * GNTTABOP_copy (xen/common/grant_table.c: gnttab_copy(), gnttab_copy_one(), gnttab_copy_buf()).
 *
 * Source and destination are buffers, claimed when an operation first names them and kept for the
 * following operations that name the same; an error releases both. A buffer is a granted page
 * (copy-acquire.ts) or a page of the caller; a destination also holds a writable type reference.
 * Claiming: grant (pin, page) → type. Releasing: grant → type → page. If a transitive grant changed
 * under way, the operation is tried again by a continuation of the hypercall.
 */
import { frameWord } from '../../hardware/paging.ts';
import { domainOf, frameWordCount } from '../../hardware/params.ts';
import { reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace, write, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { NO_DOMAIN, rcuLockDomainByAnyId } from '../domain.ts';
import { putPage } from '../frame-table.ts';
import { NO_PAGE, PGT_writable_page } from '../page-info.ts';
import { getPageType, putPageType } from '../page-type.ts';
import { optTransitiveGrants } from '../params.ts';
import {
  COPY_DEST,
  COPY_DEST_DOMID,
  COPY_DEST_OFFSET,
  COPY_FLAGS,
  COPY_LEN,
  COPY_SOURCE,
  COPY_SOURCE_DOMID,
  COPY_SOURCE_OFFSET,
  COPY_STATUS,
  COPY_WORDS,
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTST_bad_copy_arg,
  GNTST_bad_domain,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
} from '../public/grant-table.ts';
import { DOMID_SELF } from '../public/xen.ts';
import { TRC_GRANT_COPY } from '../tracepoints.ts';
import {
  REG_COPY_LENGTH,
  REG_COPY_MFN,
  REG_COPY_OFFSET,
  REG_COPY_PAGE,
  acquireGrantForCopy,
  releaseGrantForCopy,
} from './copy-acquire.ts';
import { getPagedFrame } from './paged-frame.ts';

/** Buffers of a copy; also the number of the record. */
const SOURCE = 0;
const DEST = 1;

/** struct gnttab_copy_buf: two on the hypervisor's stack of the calling vCPU. */
export const CopyBuf = defineTable('%v.copy[%]', ['vcpus', 'copyBuffers'], {
  domain: '[CPU] whose page it is, -1 if no domain is locked',
  domid: '[CPU] the same as the guest gave it',
  frame: '[CPU] grant reference or machine frame as the guest gave it',
  page: '[CPU] frame with a reference, -1 if none',
  mfn: '[CPU] frame that is mapped for the copy; the same',
  mapped: '[CPU] 1 if the buffer can be used',
  haveGrant: '[CPU] 1 if a grant is pinned',
  haveType: '[CPU] 1 if a writable type reference is held',
  offset: '[CPU] first word of the page that may be copied',
  len: '[CPU] words from there',
});

function grefFlag(side: number): number {
  return side === SOURCE ? GNTCOPY_source_gref : GNTCOPY_dest_gref;
}

/** xen/common/grant_table.c: gnttab_copy_lock_domain(). @returns GNTST_*. */
function* lockDomain(v: number, side: number, domid: number, isGref: boolean): Op {
  // Only DOMID_SELF may be named by frame.
  if (domid !== DOMID_SELF && !isGref) return GNTST_permission_denied;
  const domain = yield* rcuLockDomainByAnyId(v, domid);
  if (domain === NO_DOMAIN) return GNTST_bad_domain;
  writeLocal(CopyBuf.domain.at2(v, side), domain);
  writeLocal(CopyBuf.domid.at2(v, side), domid);
  return GNTST_okay;
}

function unlockDomains(v: number): void {
  writeLocal(CopyBuf.domain.at2(v, SOURCE), NO_DOMAIN);
  writeLocal(CopyBuf.domain.at2(v, DEST), NO_DOMAIN);
}

/** xen/common/grant_table.c: gnttab_copy_release_buf(). */
export function* releaseBuf(v: number, side: number): Op<void> {
  const domain = readLocal(CopyBuf.domain.at2(v, side));
  const page = readLocal(CopyBuf.page.at2(v, side));
  writeLocal(CopyBuf.mapped.at2(v, side), 0);
  if (readLocal(CopyBuf.haveGrant.at2(v, side)) !== 0) {
    const ref = readLocal(CopyBuf.frame.at2(v, side));
    yield* releaseGrantForCopy(v, domain, ref, side === SOURCE ? 1 : 0);
    writeLocal(CopyBuf.haveGrant.at2(v, side), 0);
  }
  if (readLocal(CopyBuf.haveType.at2(v, side)) !== 0) {
    yield* putPageType(v, page);
    writeLocal(CopyBuf.haveType.at2(v, side), 0);
  }
  if (page !== NO_PAGE) {
    yield* putPage(v, page);
    writeLocal(CopyBuf.page.at2(v, side), NO_PAGE);
  }
}

/** xen/common/grant_table.c: gnttab_copy_claim_buf(). @returns GNTST_* or XEN_ERESTART. */
function* claimBuf(v: number, side: number, frame: number, isGref: boolean): Op {
  const domain = readLocal(CopyBuf.domain.at2(v, side));
  const readonly = side === SOURCE ? 1 : 0;
  if (isGref) {
    const transitive = optTransitiveGrants();
    const rc = yield* acquireGrantForCopy(v, domain, frame, domainOf(v), readonly, transitive);
    if (rc !== GNTST_okay) return rc;
    writeLocal(CopyBuf.page.at2(v, side), reg(v, REG_COPY_PAGE));
    writeLocal(CopyBuf.mfn.at2(v, side), reg(v, REG_COPY_MFN));
    writeLocal(CopyBuf.offset.at2(v, side), reg(v, REG_COPY_OFFSET));
    writeLocal(CopyBuf.len.at2(v, side), reg(v, REG_COPY_LENGTH));
    writeLocal(CopyBuf.haveGrant.at2(v, side), 1);
  } else {
    const mfn = yield* getPagedFrame(v, frame, domain);
    if (mfn < 0) return mfn;
    writeLocal(CopyBuf.page.at2(v, side), mfn);
    writeLocal(CopyBuf.mfn.at2(v, side), mfn);
    writeLocal(CopyBuf.offset.at2(v, side), 0);
    writeLocal(CopyBuf.len.at2(v, side), frameWordCount());
  }
  writeLocal(CopyBuf.frame.at2(v, side), frame);
  if (side === DEST) {
    const page = readLocal(CopyBuf.page.at2(v, side));
    if ((yield* getPageType(v, page, PGT_writable_page)) === 0) return GNTST_general_error;
    writeLocal(CopyBuf.haveType.at2(v, side), 1);
  }
  writeLocal(CopyBuf.mapped.at2(v, side), 1);
  return GNTST_okay;
}

/**
 * xen/common/grant_table.c: gnttab_copy_buf_valid(). As there, an operation that names a machine
 * frame does not ask whether the buffer was claimed by a grant reference of the same number.
 */
function bufValid(v: number, side: number, frame: number, isGref: boolean): boolean {
  if (readLocal(CopyBuf.mapped.at2(v, side)) === 0) return false;
  if (readLocal(CopyBuf.frame.at2(v, side)) !== frame) return false;
  return !isGref || readLocal(CopyBuf.haveGrant.at2(v, side)) !== 0;
}

/** Makes a side of a copy usable, keeping it if it is. @returns GNTST_* or XEN_ERESTART. */
function* prepareSide(v: number, op: number, side: number): Op {
  const frame = yield* read(op + (side === SOURCE ? COPY_SOURCE : COPY_DEST));
  const isGref = ((yield* read(op + COPY_FLAGS)) & grefFlag(side)) !== 0;
  if (bufValid(v, side, frame, isGref)) return GNTST_okay;
  yield* releaseBuf(v, side);
  return yield* claimBuf(v, side, frame, isGref);
}

/**
 * xen/common/grant_table.c: gnttab_copy_lock_domains(), if either domain is another than before.
 */
function* prepareDomains(v: number, op: number): Op {
  const flags = yield* read(op + COPY_FLAGS);
  const source = yield* read(op + COPY_SOURCE_DOMID);
  const dest = yield* read(op + COPY_DEST_DOMID);
  if (
    readLocal(CopyBuf.domain.at2(v, SOURCE)) !== NO_DOMAIN &&
    readLocal(CopyBuf.domid.at2(v, SOURCE)) === source &&
    readLocal(CopyBuf.domain.at2(v, DEST)) !== NO_DOMAIN &&
    readLocal(CopyBuf.domid.at2(v, DEST)) === dest
  ) {
    return GNTST_okay;
  }
  yield* releaseBuf(v, SOURCE);
  yield* releaseBuf(v, DEST);
  unlockDomains(v);
  let rc = yield* lockDomain(v, SOURCE, source, (flags & GNTCOPY_source_gref) !== 0);
  if (rc === GNTST_okay) {
    rc = yield* lockDomain(v, DEST, dest, (flags & GNTCOPY_dest_gref) !== 0);
  }
  if (rc !== GNTST_okay) unlockDomains(v);
  return rc;
}

/** Does the grant of a sub-page, or the page, cover these words? */
function withinBuf(v: number, side: number, offset: number, len: number): boolean {
  const start = readLocal(CopyBuf.offset.at2(v, side));
  return offset >= start && offset + len <= start + readLocal(CopyBuf.len.at2(v, side));
}

/** xen/common/grant_table.c: gnttab_copy_buf(). @returns GNTST_*. */
function* copyBuf(v: number, op: number, len: number): Op {
  const from = yield* read(op + COPY_SOURCE_OFFSET);
  const to = yield* read(op + COPY_DEST_OFFSET);
  const words = frameWordCount();
  if (from < 0 || to < 0 || len < 0 || from + len > words || to + len > words) {
    return GNTST_bad_copy_arg;
  }
  if (!withinBuf(v, SOURCE, from, len) || !withinBuf(v, DEST, to, len)) return GNTST_general_error;
  const source = readLocal(CopyBuf.mfn.at2(v, SOURCE));
  const dest = readLocal(CopyBuf.mfn.at2(v, DEST));
  trace(TRC_GRANT_COPY, source, dest, len);
  for (let i = 0; i < len; i++) {
    yield* write(frameWord(dest, to + i), yield* read(frameWord(source, from + i)));
  }
  return GNTST_okay;
}

/** xen/common/grant_table.c: gnttab_copy_one(). @returns GNTST_* or XEN_ERESTART. */
export function* copyOne(v: number, op: number): Op {
  const len = yield* read(op + COPY_LEN);
  if (len === 0) return GNTST_okay;
  let rc = yield* prepareDomains(v, op);
  if (rc === GNTST_okay) rc = yield* prepareSide(v, op, SOURCE);
  if (rc === GNTST_okay) rc = yield* prepareSide(v, op, DEST);
  if (rc === GNTST_okay) rc = yield* copyBuf(v, op, len);
  return rc;
}

/**
 * xen/common/grant_table.c: gnttab_copy(). It says how much is left and not how far it came, for
 * not even the first operation may have been done, and 0 means that all are (XSA-318).
 * @param v - vCPU that calls. @param ops - word of the first record. @param count - records.
 * @returns 0, or how many of the last operations are to be done in a continuation.
 */
export function* gnttabCopy(v: number, ops: number, count: number): Op {
  for (let side = SOURCE; side <= DEST; side++) {
    writeLocal(CopyBuf.page.at2(v, side), NO_PAGE);
    writeLocal(CopyBuf.mapped.at2(v, side), 0);
    writeLocal(CopyBuf.haveGrant.at2(v, side), 0);
    writeLocal(CopyBuf.haveType.at2(v, side), 0);
  }
  unlockDomains(v);
  let left = 0;
  for (let i = 0; i < count; i++) {
    const op = ops + i * COPY_WORDS;
    const rc = yield* copyOne(v, op);
    if (rc > 0) {
      left = count - i;
      break;
    }
    if (rc !== GNTST_okay) {
      yield* releaseBuf(v, SOURCE);
      yield* releaseBuf(v, DEST);
    }
    yield* write(op + COPY_STATUS, rc);
  }
  yield* releaseBuf(v, SOURCE);
  yield* releaseBuf(v, DEST);
  unlockDomains(v);
  return left;
}

/**
 * GNTTABOP_copy. xen/common/grant_table.c: do_grant_table_op() with its continuations: the vCPU
 * makes the same hypercall again, for what is left.
 * @param v - vCPU that calls. @param ops - word of the first record. @param count - records.
 * @returns 0; the outcome of each operation is its status.
 */
export function* grantTableOpCopy(v: number, ops: number, count: number): Op {
  let left = count;
  while (left > 0) left = yield* gnttabCopy(v, ops + (count - left) * COPY_WORDS, left);
  return 0;
}
