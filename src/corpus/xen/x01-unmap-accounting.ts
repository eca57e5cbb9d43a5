/**
 * XSA-218, first bug: an unmap took its pin away in pass 1, before the TLB flush, and cleared the
 * status in pass 2. With two mappings of one grant, the first to flush found the pin of the other
 * already gone.
 *
 * The functions are those of Xen 4.8 (xen/common/grant_table.c: __gnttab_unmap_common(),
 * __gnttab_unmap_common_complete()).
 */
import { cpuStore } from '../../hardware/access.ts';
import { domainOf, firstVcpuOf } from '../../hardware/params.ts';
import { gnttabTryEndForeignAccess } from '../../linux/drivers/grant-table.ts';
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
  GNTST_bad_dev_addr,
  GNTST_okay,
} from '../../xen/public/grant-table.ts';
import { TRC_GRANT_UNMAP, TRC_GRANT_UNMAP_COMPLETE } from '../../xen/tracepoints.ts';
import { BACKEND, FRONTEND, RaceGrant, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RaceMapping, mapGrant, reservePlaces, unmapGrant } from './hypercalls.ts';

/** Pass 1 of Xen 4.8 below its locks: takes the pin away along with the PTE. */
export function* takeMappingAndPin(v: number, i: number, map: number, flags: number): Op {
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

  let left = flags;
  let done = 0;
  if (hostAddr !== 0 && (flags & GNTMAP_host_map) !== 0) {
    const newAddr = readLocal(UnmapCommon.newAddr.at2(v, i));
    const rc = yield* replaceGrantHostMapping(v, hostAddr, mfn, newAddr, flags);
    if (rc < 0) return rc;
    left &= ~GNTMAP_host_map;
    done |= GNTMAP_host_map | readonly;
    yield* write(Maptrack.flags.at2(ld, map), left);
    yield* unpin(rd, ref, readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc);
  }
  if (device) {
    left &= ~GNTMAP_device_map;
    done |= GNTMAP_device_map | readonly;
    yield* write(Maptrack.flags.at2(ld, map), left);
    yield* unpin(rd, ref, readonly !== 0 ? GNTPIN_devr_inc : GNTPIN_devw_inc);
  }
  writeLocal(UnmapCommon.done.at2(v, i), done);
  trace(TRC_GRANT_UNMAP, ld, readLocal(UnmapCommon.handle.at2(v, i)), mfn);
  if ((left & (GNTMAP_device_map | GNTMAP_host_map)) !== 0) return GNTST_okay;
  yield* write(Maptrack.flags.at2(ld, map), 0);
  return HANDLE_FREED;
}

/** Pass 2 of Xen 4.8: references and status; what the status says of the pin is already old. */
export function* completeWithoutPin(v: number, i: number): Op<void> {
  const done = readLocal(UnmapCommon.done.at2(v, i));
  if (done === 0) return;
  const rd = readLocal(UnmapCommon.rd.at2(v, i));
  const ref = readLocal(UnmapCommon.ref.at2(v, i));
  const mfn = readLocal(UnmapCommon.mfn.at2(v, i));
  const readonly = (done & GNTMAP_readonly) !== 0 ? 1 : 0;
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, ref);
  if ((done & GNTMAP_device_map) !== 0) {
    if (readonly !== 0) yield* putPage(v, mfn);
    else yield* putPageAndType(v, mfn);
  }
  if ((done & GNTMAP_host_map) !== 0) {
    if (readonly === 0) yield* putPageType(v, mfn);
    yield* putPage(v, mfn);
  }
  const status = statusWord(rd, ref, yield* read(GrantTable.gtVersion.at(rd)));
  yield* reduceStatusForPin(rd, ref, status, readonly);
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  trace(TRC_GRANT_UNMAP_COMPLETE, rd, ref, mfn);
}

function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* grantPage(0);
  yield* reservePlaces(2);
  yield* mapGrant(v, 0, 0, GNTMAP_host_map);
  yield* mapGrant(v, 1, 0, GNTMAP_host_map);
}

function* unmapFirst(): Op<void> {
  yield* unmapGrant(firstVcpuOf(BACKEND), 0, 1, 0);
}

function* useAndUnmapSecond(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* cpuStore(v, readLocal(RaceMapping.vpn.at(1)), 0, 1);
  yield* unmapGrant(v, 1, 1, 0);
}

function* revoke(): Op<void> {
  yield* gnttabTryEndForeignAccess(firstVcpuOf(FRONTEND), readLocal(RaceGrant.ref.at(0)));
}

export const unmapAccounting: Race = {
  name: 'x1-unmap-accounting',
  about: 'Two vCPUs unmap two mappings of one grant while its owner tries to end access.',
  sources: ['XSA-218', 'CVE-2017-10913', 'xen/common/grant_table.c: unmap_common_complete()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'unmap', vcpu: 0, body: unmapFirst },
    { role: 'use and unmap', vcpu: 1, body: useAndUnmapSecond },
    { role: 'revoke', vcpu: 3, body: revoke },
  ],
  kernelThreads: [],
  bug: {
    id: 'X1',
    title: 'The last unmapper clears the status while the other has not flushed',
    story: [
      'Two vCPUs of the backend hold a writable mapping each of one grant: pin = 2.',
      'The first empties its PTE, takes its pin (2 → 1), and flushes.',
      'The second empties its PTE and takes its pin (1 → 0); it has not flushed yet.',
      'The first comes to pass 2, sees pin = 0, and clears GTF_reading and GTF_writing.',
      'The owner ends access with success and reuses the frame.',
      'The second vCPU still writes to the frame through its TLB.',
    ],
    breaks: ['I4', 'I7'],
    fix: 'Pass 2 drops the pin in the same critical section in which it clears the status.',
    fixedIn: 'Xen 4.9, commit 9a0bd460cf',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(takeMapping, takeMappingAndPin),
        replaces(unmapCommonComplete, completeWithoutPin),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
