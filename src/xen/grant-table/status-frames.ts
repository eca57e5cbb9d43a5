/**
 * The frames of the status words of version 2 (xen/common/grant_table.c:
 * gnttab_populate_status_frames(), gnttab_unpopulate_status_frames(),
 * gnttab_get_status_frames()). They are Xen's pages, shared with the
 * guest, which maps them through its page tables or, if it is translated, at a gfn.
 *
 * All of it under the write lock but for get_status_frames, which reads.
 * Freeing, when the table goes back to version 1: 1. of every frame: out of the guest-physical
 * memory, then Xen's reference; if anybody else still has one, a mapping, all is taken back and the
 * guest gets -EBUSY (XSA-255). 2. when none is in use: all go to the heap. A page has no owner
 * by then, so the heap does not flush TLBs before it hands the page out again.
 * A frame stands for its page; the words themselves are GrantStatus.
 */
import type { Op } from '../../shared/op.ts';
import { fetchOr, read, readOnce, warnOn, write, writeOnce } from '../../shared/operations.ts';
import { BUG_STATUS_FRAME } from '../bugs.ts';
import { isTranslated } from '../domain.ts';
import { getPage, putPageAllocRef } from '../frame-table.ts';
import { getGpfnFromMfn } from '../m2p.ts';
import { allocXenheapPage, freeXenheapPage, shareXenPageWithGuest } from '../page-alloc.ts';
import { NO_OWNER, NO_PAGE, PGC_allocated, PGC_xen_heap, PageInfo } from '../page-info.ts';
import { gnttabStatusPerFrame, gnttabV2PerFrame } from '../params.ts';
import { guestPhysmapRemovePage } from '../physmap.ts';
import {
  GNTST_bad_virt_addr,
  GNTST_general_error,
  GNTST_okay,
  STATUS_FRAMES_DOM,
  STATUS_FRAMES_LIST,
  STATUS_FRAMES_NR,
  STATUS_FRAMES_STATUS,
} from '../public/grant-table.ts';
import { INVALID_M2P_ENTRY, XEN_EBUSY, XEN_ENOMEM } from '../public/xen.ts';
import { GrantStatus, GrantStatusFrame } from './entry.ts';
import { GrantTable, grantReadLock, grantReadUnlock } from './lock.ts';
import { tableOf } from './table-of.ts';

/** xen/common/grant_table.c: grant_to_status_frames(). */
export function grantToStatusFrames(grantFrames: number): number {
  const perFrame = gnttabStatusPerFrame();
  return ((grantFrames * gnttabV2PerFrame() + perFrame - 1) / perFrame) | 0;
}

/** xen/common/grant_table.c: status_to_grant_frames(). */
export function statusToGrantFrames(statusFrames: number): number {
  const perFrame = gnttabV2PerFrame();
  return ((statusFrames * gnttabStatusPerFrame() + perFrame - 1) / perFrame) | 0;
}

/** clear_page() of a new status frame. */
function* clearStatus(d: number, frame: number): Op<void> {
  const first = frame * gnttabStatusPerFrame();
  const end = Math.min(first + gnttabStatusPerFrame(), GrantStatus.value.count);
  for (let ref = first; ref < end; ref++) yield* write(GrantStatus.value.at2(d, ref), 0);
}

/**
 * xen/common/grant_table.c: gnttab_populate_status_frames(). The caller holds the write lock.
 * @param grantFrames - frames of the shared table. @returns 0 or a negative errno.
 */
export function* populateStatusFrames(v: number, d: number, grantFrames: number): Op {
  const from = yield* read(GrantTable.nrStatusFrames.at(d));
  const to = grantToStatusFrames(grantFrames);
  for (let i = from; i < to; i++) {
    const mfn = yield* allocXenheapPage(v);
    if (mfn === NO_PAGE) {
      yield* freeStatusFrames(d, from, i);
      return -XEN_ENOMEM;
    }
    yield* write(GrantStatusFrame.value.at2(d, i), mfn);
    yield* clearStatus(d, i);
  }
  for (let i = from; i < to; i++) {
    yield* shareXenPageWithGuest(yield* read(GrantStatusFrame.value.at2(d, i)), d);
  }
  yield* write(GrantTable.nrStatusFrames.at(d), to);
  return 0;
}

function* freeStatusFrames(d: number, from: number, to: number): Op<void> {
  for (let i = from; i < to; i++) {
    yield* freeXenheapPage(yield* read(GrantStatusFrame.value.at2(d, i)));
    yield* write(GrantStatusFrame.value.at2(d, i), 0);
  }
}

/**
 * xen/common/grant_table.c: gnttab_unpopulate_status_frames(). The caller holds the write lock.
 * @returns 0 or a negative errno.
 */
export function* unpopulateStatusFrames(v: number, d: number): Op {
  const frames = yield* read(GrantTable.nrStatusFrames.at(d));
  for (let i = 0; i < frames; i++) {
    const mfn = yield* read(GrantStatusFrame.value.at2(d, i));
    if (isTranslated(d)) {
      const gfn = yield* getGpfnFromMfn(mfn);
      const rc = gfn === INVALID_M2P_ENTRY ? 0 : yield* guestPhysmapRemovePage(v, d, gfn, mfn);
      warnOn(rc !== 0, BUG_STATUS_FRAME, mfn, gfn);
      if (rc !== 0) return rc;
    }
    warnOn((yield* readOnce(PageInfo.owner.at(mfn))) !== d, BUG_STATUS_FRAME, mfn, d);
    yield* putPageAllocRef(v, mfn);
    if (((yield* readOnce(PageInfo.countInfo.at(mfn))) & ~PGC_xen_heap) !== 0) {
      yield* keepStatusFrames(v, d, mfn, i);
      return -XEN_EBUSY;
    }
    yield* writeOnce(PageInfo.owner.at(mfn), NO_OWNER);
  }
  yield* freeStatusFrames(d, 0, frames);
  yield* write(GrantTable.nrStatusFrames.at(d), 0);
  return 0;
}

/**
 * A frame is still mapped: it and those before it are shared as they were. A translated domain that
 * gets here raced with itself, and Xen crashes it; here it only gets -EBUSY.
 */
function* keepStatusFrames(v: number, d: number, mfn: number, i: number): Op<void> {
  if ((yield* getPage(v, mfn, d)) !== 0) {
    yield* fetchOr(PageInfo.countInfo.at(mfn), PGC_allocated);
  }
  for (let j = i - 1; j >= 0; j--) {
    yield* shareXenPageWithGuest(yield* read(GrantStatusFrame.value.at2(d, j)), d);
  }
}

/** xen/common/grant_table.c: gnttab_status_gfn(): how the guest names a frame. @returns gfn. */
function* statusGfn(d: number, i: number): Op {
  const mfn = yield* read(GrantStatusFrame.value.at2(d, i));
  return isTranslated(d) ? yield* getGpfnFromMfn(mfn) : mfn;
}

/**
 * GNTTABOP_get_status_frames: a PV guest gets machine frames, which it may map.
 * @param v - vCPU that calls. @param op - word of the record. @returns 0; see the status.
 */
export function* gnttabGetStatusFrames(v: number, op: number): Op {
  const d = yield* tableOf(v, yield* read(op + STATUS_FRAMES_DOM));
  if (d < 0) {
    yield* write(op + STATUS_FRAMES_STATUS, d);
    return 0;
  }
  const frames = yield* read(op + STATUS_FRAMES_NR);
  const list = yield* read(op + STATUS_FRAMES_LIST);
  let status = GNTST_okay;
  yield* grantReadLock(v, d);
  if (frames < 0 || frames > (yield* read(GrantTable.nrStatusFrames.at(d)))) {
    status = GNTST_general_error;
  } else if (frames > 0 && list <= 0) {
    // Word 0 is no guest's.
    status = GNTST_bad_virt_addr;
  } else {
    for (let i = 0; i < frames; i++) yield* write(list + i, yield* statusGfn(d, i));
  }
  yield* grantReadUnlock(v, d);
  yield* write(op + STATUS_FRAMES_STATUS, status);
  return 0;
}

/**
 * xen/common/grant_table.c: grant_table_destroy(), as far as status frames go: the domain has left
 * the list, and nobody has a grant of it.
 */
export function* grantTableDestroy(d: number): Op<void> {
  yield* freeStatusFrames(d, 0, yield* read(GrantTable.nrStatusFrames.at(d)));
  yield* write(GrantTable.nrStatusFrames.at(d), 0);
}
