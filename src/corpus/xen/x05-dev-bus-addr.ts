/**
 * XSA-224: an unmap that named no bus address left the device part of the mapping alone in pass 1,
 * but dropped its references in pass 2. The later unmap of that part drops them once more.
 *
 * The functions are those of Xen 4.8 with the fixes of XSA-218 (xen/common/grant_table.c:
 * __gnttab_unmap_common(), __gnttab_unmap_common_complete()).
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
import { Maptrack } from '../../xen/grant-table/maptrack.ts';
import { reduceStatusForPin } from '../../xen/grant-table/status.ts';
import {
  HANDLE_FREED,
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
  GNTST_general_error,
  GNTST_okay,
} from '../../xen/public/grant-table.ts';
import { TRC_GRANT_UNMAP, TRC_GRANT_UNMAP_COMPLETE } from '../../xen/tracepoints.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { arrangeBothParts, unmapBothParts } from './both-parts.ts';

/** Pass 1 below its locks: without a bus address the device part stays, unsaid to pass 2. */
export function* takeWhatIsNamed(v: number, i: number, map: number, flags: number): Op {
  const ld = domainOf(v);
  const rd = readLocal(UnmapCommon.rd.at2(v, i));
  const ref = readLocal(UnmapCommon.ref.at2(v, i));
  const hostAddr = readLocal(UnmapCommon.hostAddr.at2(v, i));
  const devBusAddr = readLocal(UnmapCommon.devBusAddr.at2(v, i));
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, ref));
  writeLocal(UnmapCommon.mfn.at2(v, i), mfn);
  if (devBusAddr !== 0 && devBusAddr !== mfn) return GNTST_general_error;
  // What pass 2 is to drop: all that the mapping had.
  writeLocal(UnmapCommon.done.at2(v, i), flags);

  let left = flags;
  if (devBusAddr !== 0) {
    left &= ~GNTMAP_device_map;
    yield* write(Maptrack.flags.at2(ld, map), left);
  }
  if (hostAddr !== 0 && (flags & GNTMAP_host_map) !== 0) {
    const newAddr = readLocal(UnmapCommon.newAddr.at2(v, i));
    const rc = yield* replaceGrantHostMapping(v, hostAddr, mfn, newAddr, flags);
    if (rc < 0) return rc;
    left &= ~GNTMAP_host_map;
    yield* write(Maptrack.flags.at2(ld, map), left);
  }
  trace(TRC_GRANT_UNMAP, ld, readLocal(UnmapCommon.handle.at2(v, i)), mfn);
  if ((left & (GNTMAP_device_map | GNTMAP_host_map)) !== 0) return GNTST_okay;
  yield* write(Maptrack.flags.at2(ld, map), 0);
  return HANDLE_FREED;
}

/** The references and the pin of a host mapping. */
function* dropHostPart(v: number, rd: number, ref: number, mfn: number, flags: number): Op<void> {
  const readonly = (flags & GNTMAP_readonly) !== 0;
  if (!readonly) yield* putPageType(v, mfn);
  yield* putPage(v, mfn);
  yield* unpin(rd, ref, readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc);
}

/** Pass 2: drops the device part of every mapping that had one. */
export function* completeWhatWasMapped(v: number, i: number): Op<void> {
  const flags = readLocal(UnmapCommon.done.at2(v, i));
  if (flags === 0) return;
  const rd = readLocal(UnmapCommon.rd.at2(v, i));
  const ref = readLocal(UnmapCommon.ref.at2(v, i));
  const mfn = readLocal(UnmapCommon.mfn.at2(v, i));
  const readonly = (flags & GNTMAP_readonly) !== 0;
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, ref);
  if ((flags & GNTMAP_device_map) !== 0) {
    if (readonly) yield* putPage(v, mfn);
    else yield* putPageAndType(v, mfn);
    yield* unpin(rd, ref, readonly ? GNTPIN_devr_inc : GNTPIN_devw_inc);
  }
  const host = readLocal(UnmapCommon.hostAddr.at2(v, i)) !== 0 && (flags & GNTMAP_host_map) !== 0;
  const failed = host && readLocal(UnmapCommon.status.at2(v, i)) !== GNTST_okay;
  if (!failed) {
    if (host) yield* dropHostPart(v, rd, ref, mfn, flags);
    const status = statusWord(rd, ref, yield* read(GrantTable.gtVersion.at(rd)));
    yield* reduceStatusForPin(rd, ref, status, readonly ? 1 : 0);
  }
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  trace(TRC_GRANT_UNMAP_COMPLETE, rd, ref, mfn);
}

export const devBusAddr: Race = {
  name: 'x5-dev-bus-addr',
  about: 'The host part of a mapping is unmapped without a bus address, then its device part.',
  sources: ['XSA-224', 'CVE-2017-10920', 'xen/common/grant_table.c: unmap_common_complete()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3 },
  arrange: arrangeBothParts,
  actors: unmapBothParts,
  kernelThreads: [],
  bug: {
    id: 'X5',
    title: 'An unmap without a bus address drops the device part, and leaves it mapped',
    story: [
      'A mapping has a host part and a device part: two page references, two counts of the pin.',
      'A unmaps the host part and names no bus address: GNTMAP_device_map stays set.',
      'Pass 2 sees the flags of the mapping as it was and drops the device part’s reference too.',
      'B unmaps the device part and drops it again; it could have gone on as before.',
      'The page loses references that others hold, and is freed while it is mapped.',
    ],
    breaks: ['I1', 'I2', 'kernel'],
    fix: 'Pass 2 drops the device part only if a bus address named it.',
    fixedIn: 'Xen 4.9, commit 8fdfcb2b6b',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(takeMapping, takeWhatIsNamed),
        replaces(unmapCommonComplete, completeWhatWasMapped),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
