/**
 * XSA-218, second bug: pass 1 of an unmap took the parts of a mapping away, but only pass 2 freed
 * the handle, if no part was left then. Two unmaps of the two parts both find none left.
 *
 * The functions are those of Xen 4.8 with 9a0bd460cf, the fix of the first bug
 * (xen/common/grant_table.c: __gnttab_unmap_common(), __gnttab_unmap_common_complete()).
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace, write, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { putPage } from '../../xen/frame-table.ts';
import {
  ActiveEntry,
  GNTPIN_devr_inc,
  GNTPIN_devw_inc,
  GNTPIN_hstr_inc,
  GNTPIN_hstw_inc,
  activeEntryAcquire,
  activeEntryRelease,
} from '../../xen/grant-table/active.ts';
import { statusWord } from '../../xen/grant-table/entry.ts';
import { replaceGrantHostMapping } from '../../xen/grant-table/host-mapping.ts';
import { GrantTable, grantReadLock, grantReadUnlock } from '../../xen/grant-table/lock.ts';
import { Maptrack, putMaptrackHandle } from '../../xen/grant-table/maptrack.ts';
import { reduceStatusForPin } from '../../xen/grant-table/status.ts';
import {
  UnmapCommon,
  takeMapping,
  unmapCommonComplete,
  unpin,
} from '../../xen/grant-table/unmap.ts';
import { putPageAndType, putPageType } from '../../xen/page-type.ts';
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_dev_addr,
  GNTST_okay,
} from '../../xen/public/grant-table.ts';
import { TRC_GRANT_UNMAP, TRC_GRANT_UNMAP_COMPLETE } from '../../xen/tracepoints.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { arrangeBothParts, unmapBothParts } from './both-parts.ts';

const PARTS = GNTMAP_device_map | GNTMAP_host_map;

/** Pass 1 below its locks: the handle stays, even if nothing is left of the mapping. */
export function* takePartsOnly(v: number, i: number, map: number, flags: number): Op {
  const ld = domainOf(v);
  const rd = readLocal(UnmapCommon.rd.at2(v, i));
  const ref = readLocal(UnmapCommon.ref.at2(v, i));
  const hostAddr = readLocal(UnmapCommon.hostAddr.at2(v, i));
  const devBusAddr = readLocal(UnmapCommon.devBusAddr.at2(v, i));
  const readonly = flags & GNTMAP_readonly;
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, ref));
  writeLocal(UnmapCommon.mfn.at2(v, i), mfn);
  const device = devBusAddr !== 0 && (flags & GNTMAP_device_map) !== 0;
  if (device && devBusAddr !== mfn) return GNTST_bad_dev_addr;

  let done = 0;
  if (device) {
    done |= GNTMAP_device_map | readonly;
    const left = (yield* read(Maptrack.flags.at2(ld, map))) & ~GNTMAP_device_map;
    yield* write(Maptrack.flags.at2(ld, map), left);
  }
  if (hostAddr !== 0 && (flags & GNTMAP_host_map) !== 0) {
    const newAddr = readLocal(UnmapCommon.newAddr.at2(v, i));
    const rc = yield* replaceGrantHostMapping(v, hostAddr, mfn, newAddr, flags);
    if (rc < 0) return rc;
    done |= GNTMAP_host_map | readonly;
    const left = (yield* read(Maptrack.flags.at2(ld, map))) & ~GNTMAP_host_map;
    yield* write(Maptrack.flags.at2(ld, map), left);
  }
  writeLocal(UnmapCommon.done.at2(v, i), done);
  trace(TRC_GRANT_UNMAP, ld, readLocal(UnmapCommon.handle.at2(v, i)), mfn);
  return GNTST_okay;
}

/** Pass 2: whoever finds no part left frees the handle, behind the locks. */
export function* completeAndFree(v: number, i: number): Op<void> {
  const done = readLocal(UnmapCommon.done.at2(v, i));
  if (done === 0) return;
  const rd = readLocal(UnmapCommon.rd.at2(v, i));
  const ref = readLocal(UnmapCommon.ref.at2(v, i));
  const mfn = readLocal(UnmapCommon.mfn.at2(v, i));
  const handle = readLocal(UnmapCommon.handle.at2(v, i));
  const map = Maptrack.flags.at2(domainOf(v), handle);
  const readonly = (done & GNTMAP_readonly) !== 0 ? 1 : 0;
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, ref);
  if ((done & GNTMAP_device_map) !== 0) {
    if (readonly !== 0) yield* putPage(v, mfn);
    else yield* putPageAndType(v, mfn);
    yield* unpin(rd, ref, readonly !== 0 ? GNTPIN_devr_inc : GNTPIN_devw_inc);
  }
  if ((done & GNTMAP_host_map) !== 0) {
    if (readonly === 0) yield* putPageType(v, mfn);
    yield* putPage(v, mfn);
    yield* unpin(rd, ref, readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc);
  }
  const putHandle = ((yield* read(map)) & PARTS) === 0;
  const status = statusWord(rd, ref, yield* read(GrantTable.gtVersion.at(rd)));
  yield* reduceStatusForPin(rd, ref, status, readonly);
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  if (putHandle) {
    yield* write(map, 0);
    yield* putMaptrackHandle(v, handle);
  }
  trace(TRC_GRANT_UNMAP_COMPLETE, rd, ref, mfn);
}

export const doublePut: Race = {
  name: 'x2-double-put',
  about: 'One vCPU unmaps the host part of a mapping while another one unmaps its device part.',
  sources: ['XSA-218', 'CVE-2017-10914', 'xen/common/grant_table.c: unmap_common()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3 },
  arrange: arrangeBothParts,
  actors: unmapBothParts,
  kernelThreads: [],
  bug: {
    id: 'X2',
    title: 'Two unmaps of the parts of one mapping both free its handle',
    story: [
      'A mapping has a host part and a device part under one handle.',
      'A unmaps the host part: in pass 1 it clears GNTMAP_host_map.',
      'B unmaps the device part: in pass 1 it clears GNTMAP_device_map.',
      'A comes to pass 2, sees that no part is left, and frees the handle.',
      'B comes to pass 2, sees the same, and frees it again: the free list becomes a circle.',
    ],
    breaks: ['I3'],
    fix: 'Pass 1 frees the handle, in the critical section that found the last part.',
    fixedIn: 'Xen 4.9, commit b7f6cbb9d4',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(takeMapping, takePartsOnly),
        replaces(unmapCommonComplete, completeAndFree),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
