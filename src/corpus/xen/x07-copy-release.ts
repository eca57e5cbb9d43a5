/**
 * XSA-236: the end of a copy dropped the page reference before the pin. In between a pin said that
 * the page lives, and it was free already; another copy of the same grant relied on the pin.
 *
 * The functions are those of Xen 4.10-rc2 (xen/common/grant_table.c: gnttab_copy_release_buf(),
 * acquire_grant_for_copy(), the branch of a pinned entry).
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { setReg } from '../../hardware/vcpu.ts';
import { setPhysToMachine, INVALID_P2M_ENTRY } from '../../linux/mm/p2m.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BUG_NO_OWNER } from '../../xen/bugs.ts';
import { pageGetOwnerAndReference, putPage } from '../../xen/frame-table.ts';
import { ActiveEntry } from '../../xen/grant-table/active.ts';
import {
  REG_COPY_PAGE,
  referencePinned,
  releaseGrantForCopy,
} from '../../xen/grant-table/copy-acquire.ts';
import { CopyBuf, releaseBuf } from '../../xen/grant-table/copy.ts';
import { decreaseReservation } from '../../xen/memory.ts';
import { updateVaMapping } from '../../xen/mmu.ts';
import { NO_OWNER, NO_PAGE } from '../../xen/page-info.ts';
import { putPageType } from '../../xen/page-type.ts';
import { GNTST_okay } from '../../xen/public/grant-table.ts';
import { BACKEND, FRONTEND, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RaceFrame, copyFromGrant, noteFrame } from './hypercalls.ts';

/** gnttab_copy_release_buf() of that time: type, page, and the pin at last. */
export function* releasePageFirst(v: number, side: number): Op<void> {
  const domain = readLocal(CopyBuf.domain.at2(v, side));
  const page = readLocal(CopyBuf.page.at2(v, side));
  writeLocal(CopyBuf.mapped.at2(v, side), 0);
  if (readLocal(CopyBuf.haveType.at2(v, side)) !== 0) {
    yield* putPageType(v, page);
    writeLocal(CopyBuf.haveType.at2(v, side), 0);
  }
  if (page !== NO_PAGE) {
    yield* putPage(v, page);
    writeLocal(CopyBuf.page.at2(v, side), NO_PAGE);
  }
  if (readLocal(CopyBuf.haveGrant.at2(v, side)) !== 0) {
    const ref = readLocal(CopyBuf.frame.at2(v, side));
    yield* releaseGrantForCopy(v, domain, ref, side === 0 ? 1 : 0);
    writeLocal(CopyBuf.haveGrant.at2(v, side), 0);
  }
}

/** A pinned entry, at that time: ASSERT(td), for a pin was thought to keep the page. */
export function* referenceWhatIsPinned(v: number, rd: number, gref: number): Op {
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, gref));
  setReg(v, REG_COPY_PAGE, mfn);
  const td = yield* pageGetOwnerAndReference(mfn);
  warnOn(td === NO_OWNER, BUG_NO_OWNER, mfn, 0);
  return GNTST_okay;
}

/** The frontend has granted a page and unmapped it itself: it is about to go into the balloon. */
function* arrange(): Op<void> {
  const back = firstVcpuOf(BACKEND);
  const front = firstVcpuOf(FRONTEND);
  const pg = yield* grantPage(0);
  yield* noteFrame(0, FRONTEND, pg);
  yield* updateVaMapping(front, readLocal(RaceFrame.vpn.at(0)), 0);
  yield* setPhysToMachine(front, pfnOf(pg), INVALID_P2M_ENTRY);
  yield* noteFrame(1, BACKEND, yield* allocPage(back));
  yield* noteFrame(2, BACKEND, yield* allocPage(back));
}

function* copyFirst(): Op<void> {
  yield* copyFromGrant(firstVcpuOf(BACKEND), 0, 1);
}

function* copySecond(): Op<void> {
  yield* copyFromGrant(firstVcpuOf(BACKEND) + 1, 0, 2);
}

function* giveFrameBack(): Op<void> {
  yield* decreaseReservation(firstVcpuOf(FRONTEND), readLocal(RaceFrame.mfn.at(0)));
}

export const copyRelease: Race = {
  name: 'x7-copy-release',
  about: 'Two vCPUs copy from one grant while its owner gives the frame back to Xen.',
  sources: ['XSA-236', 'CVE-2017-15597', 'xen/common/grant_table.c: gnttab_copy_release_buf()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'copy', vcpu: 0, body: copyFirst },
    { role: 'copy too', vcpu: 1, body: copySecond },
    { role: 'give the frame back', vcpu: 3, body: giveFrameBack },
  ],
  kernelThreads: [],
  bug: {
    id: 'X7',
    title: 'A copy drops the page before the pin that says it lives',
    story: [
      'B1 copies from a grant: pin = 1, and a reference of the page.',
      'The owner gives the frame back to Xen; only the reference of the copy keeps it.',
      'B1 is done and drops its page reference first: the frame is free, and pin is still 1.',
      'B2 copies from the same grant, sees the pin, and takes the page for alive.',
      'The page has no owner, or a new one: an assertion, or a reference on somebody’s page.',
    ],
    breaks: ['I2', 'kernel'],
    fix: 'The pin goes before the page; who finds no owner gives up.',
    fixedIn: 'Xen 4.10, commit e008f7619d',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(releaseBuf, releasePageFirst),
        replaces(referencePinned, referenceWhatIsPinned),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
