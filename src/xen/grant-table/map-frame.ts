/**
 * Status frames in the guest-physical memory of a translated domain: XENMEM_add_to_physmap with
 * XENMAPSPACE_grant_table (xen/arch/x86/mm/p2m.c: xenmem_add_to_physmap_one();
 * xen/common/grant_table.c: gnttab_map_frame_begin(), gnttab_map_frame_end()).
 *
 * From the moment when the frame is found until its gfn is entered the grant table's write lock is
 * held and the frame has a reference more (XSA-384, XSA-486): or the table could go back to version
 * 1 meanwhile and free the frame before its entry is there to be found. The gfn is found by the
 * M2P, so a frame moves: it leaves the gfn where it was.
 * The frames of the shared table are no frames of the machine here, so only status frames can be
 * asked for.
 */
import { frameCount } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce } from '../../shared/operations.ts';
import { getPage, putPage } from '../frame-table.ts';
import { getGpfnFromMfn } from '../m2p.ts';
import { guestRemovePage } from '../memory.ts';
import { PGC_xen_heap, PageInfo } from '../page-info.ts';
import { getGfn, gfnValid, p2mAddPage, p2mRemovePage, putGfn } from '../physmap.ts';
import { INVALID_M2P_ENTRY, XEN_EBUSY, XEN_EINVAL } from '../public/xen.ts';
import { GrantStatusFrame } from './entry.ts';
import { GrantTable, grantWriteLock, grantWriteUnlock } from './lock.ts';
import { gnttabGrowTable } from './setup.ts';
import { grantToStatusFrames, statusToGrantFrames } from './status-frames.ts';

/** XENMAPIDX_grant_table_status: the index is one of a status frame. */
export const XENMAPIDX_grant_table_status = 1 << 31;

/**
 * xen/common/grant_table.c: gnttab_get_status_frame_mfn(). The caller holds the write lock, and the
 * table has version 2; it grows if the frame does not exist yet.
 * @param idx - number of the status frame. @returns mfn or a negative errno.
 */
export function* gnttabGetStatusFrameMfn(v: number, d: number, idx: number): Op {
  const nrStatus = GrantTable.nrStatusFrames.at(d);
  if (idx >= (yield* read(nrStatus))) {
    const grantFrames = statusToGrantFrames(idx + 1);
    if (grantToStatusFrames(grantFrames) !== idx + 1) return -XEN_EINVAL;
    if (grantFrames <= (yield* read(GrantTable.maxGrantFrames.at(d)))) {
      yield* gnttabGrowTable(v, d, grantFrames);
    }
    if (idx >= (yield* read(nrStatus))) return -XEN_EINVAL;
  }
  return yield* read(GrantStatusFrame.value.at2(d, idx));
}

/**
 * xen/common/grant_table.c: gnttab_map_frame_begin().
 * @param idx - XENMAPIDX_grant_table_status | number of the frame.
 * @returns mfn with a reference taken and the write lock held, or a negative errno with neither.
 */
export function* gnttabMapFrameBegin(v: number, d: number, idx: number): Op {
  yield* grantWriteLock(d);
  let mfn = -XEN_EINVAL;
  const version = yield* read(GrantTable.gtVersion.at(d));
  if (version === 2 && (idx & XENMAPIDX_grant_table_status) !== 0) {
    mfn = yield* gnttabGetStatusFrameMfn(v, d, idx & ~XENMAPIDX_grant_table_status);
  }
  if (mfn >= 0 && (yield* getPage(v, mfn, d)) === 0) mfn = -XEN_EBUSY;
  if (mfn < 0) yield* grantWriteUnlock(d);
  return mfn;
}

/** xen/common/grant_table.c: gnttab_map_frame_end(). @param mfn - of gnttabMapFrameBegin. */
export function* gnttabMapFrameEnd(v: number, d: number, mfn: number): Op<void> {
  yield* putPage(v, mfn);
  yield* grantWriteUnlock(d);
}

/** What was at the gfn goes: Xen's own page is unhooked, the domain's own is freed. */
function* removePrevious(v: number, d: number, gfn: number, mfn: number, prev: number): Op {
  if (prev <= 0 || prev >= frameCount()) return 0;
  if (((yield* readOnce(PageInfo.countInfo.at(prev))) & PGC_xen_heap) !== 0) {
    return yield* p2mRemovePage(v, d, gfn, prev);
  }
  if (mfn === prev) return 0;
  const rc = yield* p2mRemovePage(v, d, gfn, prev);
  return rc < 0 ? rc : yield* guestRemovePage(v, d, prev);
}

/** xen/arch/x86/mm/p2m.c: xenmem_add_to_physmap_one() from get_gfn() to put_gfn(). */
export function* physmapEnter(v: number, d: number, gfn: number, mfn: number): Op {
  const prev = yield* getGfn(d, gfn);
  const oldGfn = yield* getGpfnFromMfn(mfn);
  let rc = yield* removePrevious(v, d, gfn, mfn, prev);
  if (rc === 0 && oldGfn !== INVALID_M2P_ENTRY && oldGfn !== gfn) {
    rc = yield* p2mRemovePage(v, d, oldGfn, mfn);
  }
  if (rc === 0) yield* p2mAddPage(d, gfn, mfn);
  yield* putGfn(d);
  return rc;
}

/**
 * XENMEM_add_to_physmap, XENMAPSPACE_grant_table. xen/arch/x86/mm/p2m.c:
 * xenmem_add_to_physmap_one()
 * @param v - vCPU that calls. @param d - its domain, translated. @param idx - as above.
 * @param gfn - where the frame is to be. @returns 0 or a negative errno.
 */
export function* xenmemAddToPhysmapOne(v: number, d: number, idx: number, gfn: number): Op {
  if (!gfnValid(gfn)) return -XEN_EINVAL;
  const mfn = yield* gnttabMapFrameBegin(v, d, idx);
  if (mfn < 0) return mfn;
  const rc = yield* physmapEnter(v, d, gfn, mfn);
  yield* gnttabMapFrameEnd(v, d, mfn);
  return rc;
}
