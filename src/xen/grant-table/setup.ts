/**
 * The size of a grant table (xen/common/grant_table.c: gnttab_grow_table(), gnttab_setup_table(),
 * gnttab_query_size()). A frame of the shared table holds XenParams.gnttabPerFrame entries of
 * version 1; the model keeps all entries a table can have, and nr_grant_frames says how many count.
 *
 * Growing, under the write lock: 1. the new frames are cleared. 2. in version 2 the status frames
 * for them. 3. nr_grant_frames.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write } from '../../shared/operations.ts';
import { XenParams, gnttabPerFrame } from '../params.ts';
import {
  GNTST_bad_virt_addr,
  GNTST_general_error,
  GNTST_okay,
  QUERY_DOM,
  QUERY_MAX_NR_FRAMES,
  QUERY_NR_FRAMES,
  QUERY_STATUS,
  SETUP_DOM,
  SETUP_FRAME_LIST,
  SETUP_NR_FRAMES,
  SETUP_STATUS,
} from '../public/grant-table.ts';
import { ActiveEntry } from './active.ts';
import { GrantEntry } from './entry.ts';
import {
  GrantTable,
  grantReadLock,
  grantReadUnlock,
  grantWriteLock,
  grantWriteUnlock,
} from './lock.ts';
import { grantToStatusFrames, populateStatusFrames } from './status-frames.ts';
import { tableOf } from './table-of.ts';

/**
 * xen/common/grant_table.c: gnttab_grow_table(). The caller holds the write lock.
 * @param frames - that the table has afterwards, at least; at most max_grant_frames.
 * @returns 0 or a negative errno.
 */
export function* gnttabGrowTable(v: number, d: number, frames: number): Op {
  const to = Math.max(frames, readLocal(XenParams.gnttabInitialFrames.word));
  const from = yield* read(GrantTable.nrGrantFrames.at(d));
  for (let ref = from * gnttabPerFrame(); ref < to * gnttabPerFrame(); ref++) {
    yield* write(ActiveEntry.pin.at2(d, ref), 0);
    yield* write(GrantEntry.hdr.at2(d, ref), 0);
    yield* write(GrantEntry.frame.at2(d, ref), 0);
  }
  if ((yield* read(GrantTable.gtVersion.at(d))) > 1) {
    const rc = yield* populateStatusFrames(v, d, to);
    if (rc < 0) return rc;
  }
  yield* write(GrantTable.nrGrantFrames.at(d), to);
  return 0;
}

/** Has the table fewer frames, of either kind, than so many need? @returns 0 or 1. */
function* isSmaller(d: number, frames: number): Op {
  if (frames > (yield* read(GrantTable.nrGrantFrames.at(d)))) return 1;
  if ((yield* read(GrantTable.gtVersion.at(d))) === 1) return 0;
  return grantToStatusFrames(frames) > (yield* read(GrantTable.nrStatusFrames.at(d))) ? 1 : 0;
}

/**
 * GNTTABOP_setup_table: makes the table at least so large and lists its frames; a frame is named
 * by its number in the table.
 * @param v - vCPU that calls. @param op - word of the record. @returns 0; see the status.
 */
export function* gnttabSetupTable(v: number, op: number): Op {
  const d = yield* tableOf(v, yield* read(op + SETUP_DOM));
  if (d < 0) {
    yield* write(op + SETUP_STATUS, d);
    return 0;
  }
  const frames = yield* read(op + SETUP_NR_FRAMES);
  const list = yield* read(op + SETUP_FRAME_LIST);
  let status = GNTST_okay;
  yield* grantWriteLock(d);
  if (frames < 0 || frames > (yield* read(GrantTable.maxGrantFrames.at(d)))) {
    status = GNTST_general_error;
  } else if ((yield* isSmaller(d, frames)) !== 0 && (yield* gnttabGrowTable(v, d, frames)) < 0) {
    status = GNTST_general_error;
  } else {
    // Word 0 is no guest's.
    if (list <= 0) status = GNTST_bad_virt_addr;
    else for (let i = 0; i < frames; i++) yield* write(list + i, i);
  }
  yield* grantWriteUnlock(d);
  yield* write(op + SETUP_STATUS, status);
  return 0;
}

/**
 * GNTTABOP_query_size.
 * @param v - vCPU that calls. @param op - word of the record. @returns 0; see the status.
 */
export function* gnttabQuerySize(v: number, op: number): Op {
  const d = yield* tableOf(v, yield* read(op + QUERY_DOM));
  if (d < 0) {
    yield* write(op + QUERY_STATUS, d);
    return 0;
  }
  yield* grantReadLock(v, d);
  yield* write(op + QUERY_NR_FRAMES, yield* read(GrantTable.nrGrantFrames.at(d)));
  yield* write(op + QUERY_MAX_NR_FRAMES, yield* read(GrantTable.maxGrantFrames.at(d)));
  yield* grantReadUnlock(v, d);
  yield* write(op + QUERY_STATUS, GNTST_okay);
  return 0;
}
