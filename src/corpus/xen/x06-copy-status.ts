/**
 * XSA-230: after a copy only the pins of CPUs were looked at when the status was reduced. A mapping
 * for devices did not count: the status of a grant was cleared while a device could reach it.
 *
 * The function is that of Xen 4.9 (xen/common/grant_table.c: __release_grant_for_copy(),
 * __fixup_status_for_copy_pin()); the error path of acquiring had half of the same mistake.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { gnttabTryEndForeignAccess } from '../../linux/drivers/grant-table.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import {
  ActiveEntry,
  GNTPIN_hstr_inc,
  GNTPIN_hstr_mask,
  GNTPIN_hstw_inc,
  GNTPIN_hstw_mask,
  activeEntryAcquire,
  activeEntryRelease,
} from '../../xen/grant-table/active.ts';
import { releaseGrantForCopy } from '../../xen/grant-table/copy-acquire.ts';
import { sharedEntryHeader, statusEntry } from '../../xen/grant-table/entry.ts';
import { GrantTable, grantReadLock, grantReadUnlock } from '../../xen/grant-table/lock.ts';
import { gnttabClearFlags } from '../../xen/grant-table/status.ts';
import { GNTMAP_device_map, GTF_reading, GTF_writing } from '../../xen/public/grant-table.ts';
import { BACKEND, FRONTEND, RaceGrant, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { copyFromGrant, mapGrant, noteFrame } from './hypercalls.ts';

/** Xen 4.9's __fixup_status_for_copy_pin(). */
function* fixupStatusForCopyPin(pin: number, status: number): Op<void> {
  if ((pin & GNTPIN_hstw_mask) === 0) yield* gnttabClearFlags(status, GTF_writing);
  if ((pin & GNTPIN_hstr_mask) === 0) yield* gnttabClearFlags(status, GTF_reading);
}

/** Xen 4.9's __release_grant_for_copy(). */
export function* releaseByHostPins(
  v: number,
  rd: number,
  gref: number,
  readonly: number,
): Op<void> {
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, gref);
  let status = 0;
  let td = rd;
  let transGref = gref;
  if ((yield* read(GrantTable.gtVersion.at(rd))) === 1) {
    status = sharedEntryHeader(rd, gref, 1);
  } else {
    status = statusEntry(rd, gref);
    td = yield* read(ActiveEntry.srcDomid.at2(rd, gref));
    transGref = yield* read(ActiveEntry.transGref.at2(rd, gref));
  }
  const incr = readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  const pin = ((yield* read(ActiveEntry.pin.at2(rd, gref))) - incr) | 0;
  yield* write(ActiveEntry.pin.at2(rd, gref), pin);
  yield* fixupStatusForCopyPin(pin, status);
  yield* activeEntryRelease(rd, gref);
  yield* grantReadUnlock(v, rd);
  if (td !== rd) yield* releaseByHostPins(v, td, transGref, readonly);
}

function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* grantPage(0);
  yield* mapGrant(v, 0, 0, GNTMAP_device_map);
  yield* noteFrame(0, BACKEND, yield* allocPage(v));
}

function* copy(): Op<void> {
  yield* copyFromGrant(firstVcpuOf(BACKEND), 0, 0);
}

function* revoke(): Op<void> {
  yield* gnttabTryEndForeignAccess(firstVcpuOf(FRONTEND), readLocal(RaceGrant.ref.at(0)));
}

export const copyStatus: Race = {
  name: 'x6-copy-status',
  about: 'A grant that is mapped for a device is copied from while its owner tries to end access.',
  sources: ['XSA-230', 'CVE-2017-12855', 'xen/common/grant_table.c: reduce_status_for_pin()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'copy', vcpu: 0, body: copy },
    { role: 'revoke', vcpu: 3, body: revoke },
  ],
  kernelThreads: [],
  bug: {
    id: 'X6',
    title: 'The end of a copy clears the status of a grant that a device still reaches',
    story: [
      'The backend has a writable mapping for devices of a grant: devw = 1.',
      'It copies from the grant: hstr goes to 1, and back to 0.',
      'The end of the copy sees no pin of a CPU, and clears GTF_reading and GTF_writing.',
      'The owner ends access with success and reuses the frame; the device still writes to it.',
    ],
    breaks: ['I4'],
    fix: 'The pins of devices count too when the status is reduced.',
    fixedIn: 'Xen 4.10, commit 6e2a4c7356',
    before: { design: 'vma-pages', overrides: [replaces(releaseGrantForCopy, releaseByHostPins)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
