/**
 * The size of a grant table (xen/common/grant_table.c: gnttab_grow_table(), gnttab_setup_table(),
 * gnttab_query_size()). A frame of the shared table holds XenParams.gnttabPerFrame entries; the
 * model keeps all entries a table can have, and nr_grant_frames says how many count.
 *
 * Growing, under the write lock: 1. the new frames are cleared. 2. nr_grant_frames.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { NO_DOMAIN, rcuLockDomainByAnyId } from '../domain.ts';
import { domainOf } from '../../hardware/params.ts';
import { gnttabPerFrame } from '../params.ts';
import {
  GNTST_bad_domain,
  GNTST_bad_virt_addr,
  GNTST_general_error,
  GNTST_okay,
  GNTST_permission_denied,
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

/** xen/common/grant_table.c: gnttab_grow_table(). The caller holds the write lock. */
function* growTable(d: number, from: number, to: number): Op<void> {
  for (let ref = from * gnttabPerFrame(); ref < to * gnttabPerFrame(); ref++) {
    yield* write(ActiveEntry.pin.at2(d, ref), 0);
    yield* write(GrantEntry.hdr.at2(d, ref), 0);
    yield* write(GrantEntry.frame.at2(d, ref), 0);
  }
  yield* write(GrantTable.nrGrantFrames.at(d), to);
}

/** The domain whose table a record is about: only the caller's own. @returns domain or GNTST_*. */
function* tableOf(v: number, domid: number): Op {
  const d = yield* rcuLockDomainByAnyId(v, domid);
  if (d === NO_DOMAIN) return GNTST_bad_domain;
  return d === domainOf(v) ? d : GNTST_permission_denied;
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
  } else {
    const before = yield* read(GrantTable.nrGrantFrames.at(d));
    if (frames > before) yield* growTable(d, before, frames);
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
