/**
 * A block backend on a networked disk unmapped the pages of a request as soon as the far end had
 * acknowledged it, while a retransmission of the same pages waited in the network stack.
 *
 * Before is blkback of Linux 3.12 (drivers/block/xen-blkback/blkback.c: xen_blkbk_unmap()), which
 * unmaps at once; after, the proposal's, which waits until every page is idle.
 */
import { cpuLoad } from '../../hardware/access.ts';
import { firstVcpuOf, kernelBase } from '../../hardware/params.ts';
import { allocBalloonedPages } from '../../linux/drivers/balloon.ts';
import { gnttabSetUnmapOp, gnttabUnmapRefs } from '../../linux/drivers/map-refs.ts';
import {
  UnmapItem,
  UnmapOp,
  UnmapPage,
  gnttabUnmapRefsSync,
  setUnmapItem,
} from '../../linux/drivers/unmap-async.ts';
import { mapGrantOverPage } from './backend.ts';
import { getPage, pfnOf, putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, readLocal, warnOn, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BUG_HELD_PAGE_FAULT } from '../bugs.ts';
import { BACKEND, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RacePendingRequest } from './tables.ts';

/** Linux 3.12: xen_blkbk_unmap() unmaps what it is given. @param v - vCPU, its item filled. */
export function* unmapAtOnce(v: number): Op {
  const pages = readLocal(UnmapItem.pages.at(v));
  const count = readLocal(UnmapItem.count.at(v));
  return yield* gnttabUnmapRefs(v, readLocal(UnmapItem.unmapOps.at(v)), 0, pages, count);
}

/** blkback has mapped a page and sent it; the packet has been queued a second time since. */
function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* grantPage(0);
  const pages = UnmapPage.value.at2(v, 0);
  yield* allocBalloonedPages(v, 1, pages);
  const pg = readLocal(pages);
  const handle = yield* mapGrantOverPage(v, 0, pg);
  gnttabSetUnmapOp(UnmapOp.hostAddr.at2(v, 0), kernelBase() + pfnOf(pg), handle);
  setUnmapItem(v, UnmapOp.hostAddr.at2(v, 0), 0, pages, 1);
  writeLocal(RacePendingRequest.pendcnt.word, 1);
  yield* getPage(pg);
}

/** end_block_io_op(): the first copy was acknowledged, and with it the request's only bio. */
function* endBlockIo(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  if ((yield* fetchAdd(RacePendingRequest.pendcnt.word, -1)) !== 1) return;
  yield* gnttabUnmapRefsSync(v);
}

/** The second copy goes out, and the stack lets go of its page. */
function* retransmit(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  const pg = readLocal(UnmapPage.value.at2(firstVcpuOf(BACKEND), 0));
  const fault = yield* cpuLoad(v, kernelBase() + pfnOf(pg), 0);
  warnOn(fault !== 0, BUG_HELD_PAGE_FAULT, pg, fault);
  yield* putPage(v, pg);
}

export const unmapInUseOfBlkback: Race = {
  name: 'l3-blkback-unmap-in-use',
  about: 'blkback completes a request while the network stack sends its page once more.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux 3.12, drivers/block/xen-blkback/blkback.c: xen_blkbk_unmap()',
    'Linux 4.0, drivers/xen/grant-table.c: gnttab_unmap_refs_async()',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'end of bio', vcpu: 0, body: endBlockIo },
    { role: 'retransmit', vcpu: 1, body: retransmit },
  ],
  kernelThreads: [],
  bug: {
    id: 'L3',
    title: 'blkback unmaps a page that the network stack is about to send again',
    story: [
      'blkback maps the page of a request and writes it to an iSCSI disk, in a packet.',
      'The acknowledgement is late: the packet is queued a second time and holds the page.',
      'The acknowledgement comes; the request is done.',
      'blkback unmaps the grant and answers; nobody looks at the reference count of the page.',
      'The second packet is sent: from an unmapped address, or with new data of the guest.',
    ],
    breaks: ['I8', 'kernel'],
    fix: 'Unmap only when nobody else has a reference; until then try again later.',
    fixedIn: 'Linux 4.0, commit 3f9f1c67572f',
    before: { design: 'm2p-override', overrides: [replaces(gnttabUnmapRefsSync, unmapAtOnce)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
