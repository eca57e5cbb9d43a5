/**
 * XSA-500: the first writer of an entry that is pinned for reading looked the frame up anew, and
 * the shared entry could name another one by then. The references were taken on that one; the copy
 * went to the frame of the active entry.
 *
 * The function is that of Xen 4.21 (xen/common/grant_table.c: acquire_grant_for_copy(), the branch
 * of the first user and the first writer).
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { reg, setReg } from '../../hardware/vcpu.ts';
import { makePageReadonly } from '../../linux/mm/direct-map.ts';
import { allocPage, allocTablePage } from '../../linux/mm/page-alloc.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, readLocal, write } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { ActiveEntry, rangeIsSubPage } from '../../xen/grant-table/active.ts';
import {
  REG_COPY_PAGE,
  REG_RANGE,
  admitCopy,
  frameOfEntry,
} from '../../xen/grant-table/copy-acquire.ts';
import { GrantEntry, statusWord } from '../../xen/grant-table/entry.ts';
import { GrantTable } from '../../xen/grant-table/lock.ts';
import { reduceStatusForPin, setStatus } from '../../xen/grant-table/status.ts';
import { mmuextPinTable } from '../../xen/mmu.ts';
import { GNTMAP_device_map, GNTMAP_readonly, GNTST_okay } from '../../xen/public/grant-table.ts';
import { BACKEND, FRONTEND, RaceGrant, grantPageAgain } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RaceFrame, copyToGrant, mapGrant, noteFrame } from './hypercalls.ts';

/** The branch of Xen 4.21: only the first user fills the active entry; no one compares. */
export function* admitAnyFrame(
  v: number,
  rd: number,
  gref: number,
  version: number,
  ldom: number,
  readonly: number,
  pin: number,
): Op {
  const rc = yield* setStatus(rd, gref, version, readonly, 0, ldom);
  if (rc !== GNTST_okay) return rc;
  const mfn = yield* frameOfEntry(v, rd, gref, version);
  if (mfn < 0) {
    yield* reduceStatusForPin(rd, gref, statusWord(rd, gref, version), readonly);
    return mfn;
  }
  setReg(v, REG_COPY_PAGE, mfn);
  if (pin === 0) {
    const range = reg(v, REG_RANGE);
    yield* write(ActiveEntry.domid.at2(rd, gref), ldom);
    yield* write(ActiveEntry.range.at2(rd, gref), range);
    yield* write(ActiveEntry.srcDomid.at2(rd, gref), rd);
    yield* write(ActiveEntry.transGref.at2(rd, gref), gref);
    yield* write(ActiveEntry.mfn.at2(rd, gref), mfn);
    if (rangeIsSubPage(range)) yield* fetchAdd(GrantTable.nrV2Ops.at(rd), 1);
  }
  return GNTST_okay;
}

/**
 * The frontend grants a page table of its own; the backend has it mapped, to be read by a device.
 */
function* arrange(): Op<void> {
  const back = firstVcpuOf(BACKEND);
  const front = firstVcpuOf(FRONTEND);
  const table = yield* allocTablePage(front);
  yield* makePageReadonly(front, table);
  yield* noteFrame(0, FRONTEND, table);
  yield* mmuextPinTable(front, readLocal(RaceFrame.mfn.at(0)), 1);
  yield* grantPageAgain(0, table);
  yield* noteFrame(1, FRONTEND, yield* allocPage(front));
  yield* noteFrame(2, BACKEND, yield* allocPage(back));
  yield* mapGrant(back, 0, 0, GNTMAP_device_map | GNTMAP_readonly);
}

function* renameFrame(): Op<void> {
  const frame = GrantEntry.frame.at2(FRONTEND, readLocal(RaceGrant.ref.at(0)));
  yield* write(frame, readLocal(RaceFrame.mfn.at(1)));
}

function* copy(): Op<void> {
  yield* copyToGrant(firstVcpuOf(BACKEND), 0, 2);
}

export const copyFrame: Race = {
  name: 'x18-copy-frame',
  about: 'A grant is copied to while its owner lets the entry name another frame.',
  sources: ['XSA-500', 'CVE-2026-62428', 'xen/common/grant_table.c: acquire_grant_for_copy()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'copy', vcpu: 0, body: copy },
    { role: 'rename the frame', vcpu: 3, body: renameFrame },
  ],
  kernelThreads: [],
  bug: {
    id: 'X18',
    title: 'A copy references one frame and writes another',
    story: [
      'The frontend grants a page table of its own, m1; the backend’s device reads it: pin ≠ 0.',
      'The frontend stores another frame, m2, in the shared entry.',
      'The backend copies to the grant. It is the first writer: Xen looks the frame up, finds m2,',
      'and takes a reference and the writable type on m2.',
      'The frame to copy to is taken from the active entry: m1. Xen writes into a page table.',
    ],
    breaks: ['I2'],
    fix: 'What the shared entry says is compared with the active entry; if it differs, no copy.',
    fixedIn: 'Xen 4.22, commit 61b0a59ce2',
    before: { design: 'vma-pages', overrides: [replaces(admitCopy, admitAnyFrame)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
