/**
 * GNTTABOP_set_version and GNTTABOP_get_version (xen/common/grant_table.c: gnttab_set_version(),
 * gnttab_get_version()): entries of 8 bytes with the status in the header, or of 16 with the status
 * in frames of its own.
 *
 * All under the write lock, the comparison with the present version too. The change clears the
 * table, so nothing but the entries of the toolstack may be pinned (-EBUSY), and nothing may rest
 * on version 2 while it holds no lock (nr_v2_ops, -EAGAIN). 1. The status frames appear, or it is
 * seen that they can go. 2. the reserved entries are saved. 3. on the way to version 1 the status
 * frames go. 4. the frames are cleared. 5. the reserved entries come back in the other form.
 * 6. gt_version.
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, readOnce, write, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { gnttabPerFrame } from '../params.ts';
import {
  GET_VERSION_DOM,
  GET_VERSION_VERSION,
  GNTST_bad_domain,
  GNTTAB_NR_RESERVED_ENTRIES,
  GTF_permit_access,
  GTF_reading,
  GTF_transitive,
  GTF_type_mask,
  GTF_writing,
  SET_VERSION_VERSION,
} from '../public/grant-table.ts';
import {
  XEN_EAGAIN,
  XEN_EBUSY,
  XEN_EINVAL,
  XEN_ENOSYS,
  XEN_EPERM,
  XEN_ERANGE,
  XEN_ESRCH,
} from '../public/xen.ts';
import { ActiveEntry } from './active.ts';
import {
  GrantEntry,
  entryHeader,
  headerDomid,
  headerFlags,
  sharedEntryFrame,
  sharedEntryFrameHigh,
  sharedEntryHeader,
  statusEntry,
} from './entry.ts';
import { GrantTable, grantWriteLock, grantWriteUnlock, nrGrantEntries } from './lock.ts';
import { populateStatusFrames, unpopulateStatusFrames } from './status-frames.ts';
import { tableOf } from './table-of.ts';

/** reserved_entries[]: on the hypervisor's stack of the calling vCPU. */
export const ReservedEntry = defineTable('%v.reserved[%]', ['vcpus', 'reservedEntries'], {
  hdr: '[CPU] flags:16 | domid:16 as in version 1',
  frame: '[CPU] frame',
});

const ACCESS_BITS = GTF_reading | GTF_writing;

/** Is an entry in use that the change would clear? @returns 0 or -XEN_EBUSY. */
export function* checkPins(d: number): Op {
  const entries = yield* nrGrantEntries(d);
  for (let ref = GNTTAB_NR_RESERVED_ENTRIES; ref < entries; ref++) {
    if ((yield* readOnce(ActiveEntry.pin.at2(d, ref))) !== 0) return -XEN_EBUSY;
  }
  return 0;
}

/** Can a table of version 2 be one of version 1? @returns 0 or a negative errno. */
export function* checkVersion2(d: number): Op {
  if ((yield* readOnce(GrantTable.nrV2Ops.at(d))) !== 0) return -XEN_EAGAIN;
  for (let ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
    const flags = headerFlags(yield* readOnce(sharedEntryHeader(d, ref, 2)));
    const type = flags & GTF_type_mask;
    if (type === GTF_transitive) return -XEN_ERANGE;
    if (type !== GTF_permit_access) continue;
    if ((yield* readOnce(sharedEntryFrameHigh(d, ref))) !== 0) return -XEN_ERANGE;
  }
  return 0;
}

/** Preserves the first entries, in the form of version 1. */
function* saveReserved(v: number, d: number, version: number): Op<void> {
  for (let ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
    let hdr = yield* readOnce(sharedEntryHeader(d, ref, version));
    let frame = 0;
    if (version === 1) {
      frame = yield* read(sharedEntryFrame(d, ref, 1));
    } else if ((headerFlags(hdr) & GTF_type_mask) === GTF_permit_access) {
      hdr = hdr | (yield* read(statusEntry(d, ref)));
      frame = yield* read(sharedEntryFrame(d, ref, 2));
    } else {
      hdr = 0;
    }
    writeLocal(ReservedEntry.hdr.at2(v, ref), hdr);
    writeLocal(ReservedEntry.frame.at2(v, ref), frame);
  }
}

/** clear_page() of each frame of the table: nothing of the old version stays. */
function* clearTable(d: number): Op<void> {
  const frames = yield* read(GrantTable.nrGrantFrames.at(d));
  for (let i = 0; i < frames * gnttabPerFrame(); i++) {
    yield* write(GrantEntry.hdr.at2(d, i), 0);
    yield* write(GrantEntry.frame.at2(d, i), 0);
  }
}

/** Brings the first entries back. Of version 2: status, flags, domid, frame. */
function* restoreReserved(v: number, d: number, version: number): Op<void> {
  for (let ref = 0; ref < GNTTAB_NR_RESERVED_ENTRIES; ref++) {
    const hdr = readLocal(ReservedEntry.hdr.at2(v, ref));
    const frame = readLocal(ReservedEntry.frame.at2(v, ref));
    const shah = sharedEntryHeader(d, ref, version);
    if (version === 1) {
      yield* write(shah, hdr);
    } else {
      const flags = headerFlags(hdr) & ~ACCESS_BITS;
      yield* write(statusEntry(d, ref), hdr & ACCESS_BITS);
      yield* write(shah, flags);
      yield* write(shah, entryHeader(flags, headerDomid(hdr)));
    }
    yield* write(sharedEntryFrame(d, ref, version), frame);
  }
}

/** gnttab_set_version() under the write lock, to another version. @returns 0 or -errno. */
export function* changeVersion(v: number, d: number, from: number, to: number): Op {
  let res = yield* checkPins(d);
  if (res < 0) return res;
  if (from === 1) {
    res = yield* populateStatusFrames(v, d, yield* read(GrantTable.nrGrantFrames.at(d)));
  } else {
    res = yield* checkVersion2(d);
  }
  if (res < 0) return res;
  yield* saveReserved(v, d, from);
  if (to < 2 && from === 2) {
    res = yield* unpopulateStatusFrames(v, d);
    if (res < 0) return res;
  }
  yield* clearTable(d);
  yield* restoreReserved(v, d, to);
  yield* write(GrantTable.gtVersion.at(d), to);
  return 0;
}

/**
 * GNTTABOP_set_version: the caller's own table.
 * @param v - vCPU that calls. @param op - word of the record; the version that the table has
 *   afterwards comes back in it.
 * @returns 0, -XEN_EINVAL for an unknown version, -XEN_ENOSYS for one that is not allowed,
 * -XEN_EBUSY, -XEN_EAGAIN, -XEN_ERANGE or -XEN_ENOMEM.
 */
export function* gnttabSetVersion(v: number, op: number): Op {
  const d = domainOf(v);
  const to = yield* read(op + SET_VERSION_VERSION);
  let res = 0;
  if (to !== 1 && to !== 2) {
    res = -XEN_EINVAL;
  } else if (to === 2 && readLocal(GrantTable.maxVersion.at(d)) === 1) {
    // As before there was a set_version.
    res = -XEN_ENOSYS;
  } else {
    yield* grantWriteLock(d);
    const from = yield* read(GrantTable.gtVersion.at(d));
    if (from !== to) res = yield* changeVersion(v, d, from, to);
    yield* grantWriteUnlock(d);
  }
  yield* write(op + SET_VERSION_VERSION, yield* readOnce(GrantTable.gtVersion.at(d)));
  return res;
}

/**
 * GNTTABOP_get_version.
 * @param v - vCPU that calls. @param op - word of the record. @returns 0 or a negative errno.
 */
export function* gnttabGetVersion(v: number, op: number): Op {
  const d = yield* tableOf(v, yield* read(op + GET_VERSION_DOM));
  if (d < 0) return d === GNTST_bad_domain ? -XEN_ESRCH : -XEN_EPERM;
  yield* write(op + GET_VERSION_VERSION, yield* readOnce(GrantTable.gtVersion.at(d)));
  return 0;
}
