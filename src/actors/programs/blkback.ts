/**
 * The kernel's block backend (drivers/block/xen-blkback/blkback.c) on a networked disk: maps the
 * pages of a request over ballooned pages, sends them out without a copy, and when the far end has
 * acknowledged all of them unmaps and answers.
 *
 * The packets hold references of the pages (netstack.ts). Which unmap is used is the design's: the
 * one of 3.12 looks at nothing; the proposal's waits until every page is idle.
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { domainOf, frameWordCount, kernelBase } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import { designUnmapsWhenIdle } from '../../linux/designs/design.ts';
import { allocBalloonedPages, freeBalloonedPages } from '../../linux/drivers/balloon.ts';
import {
  gnttabMapRefs,
  gnttabSetMapOp,
  gnttabSetUnmapOp,
  gnttabUnmapRefs,
} from '../../linux/drivers/map-refs.ts';
import {
  UnmapOp,
  UnmapPage,
  gnttabUnmapRefsSync,
  setUnmapItem,
} from '../../linux/drivers/unmap-async.ts';
import { EIO, ENOMEM, ENOSPC } from '../../linux/errno.ts';
import { pfnToMfn } from '../../linux/mm/p2m.ts';
import { NO_PAGE, getPage, pfnOf, putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { GNTMAP_host_map, GNTMAP_readonly, GNTST_no_space } from '../../xen/public/grant-table.ts';
import { Request, Segment, frontDomain, isWrite, respond, takeRequest } from '../channel.ts';
import {
  DMA_OUT,
  NIC,
  RECEIVE,
  RETRANSMIT,
  ReceivePage,
  ReceiveWord,
  descriptorOf,
  queueOf,
  ring,
  submit,
  takeCompletion,
} from '../storage.ts';
import { TaskPage, dmaIsLate, pick } from '../task.ts';

/** struct gnttab_map_grant_ref of the request in hand. */
export const BlkbackMapOp = defineTable('%v.blkback.map_ops[%]', ['vcpus', 'segments'], {
  hostAddr: '[GST] vpn in the direct map',
  flags: '[GST] GNTMAP_*',
  ref: '[GST] grant',
  dom: '[GST] who grants it',
  status: '[XEN] GNTST_*',
  handle: '[XEN] of the mapping',
  devBusAddr: '[XEN] machine frame',
  pad: '[BOOT] 0',
});

/** xen_blkbk_map(). @returns 0; -ENOSPC if handles have run out; -EIO for any other failure. */
function* mapSegments(v: number, r: number, count: number, writes: number): Op {
  const pages = TaskPage.value.at2(v, 0);
  const flags = GNTMAP_host_map | (writes === 0 ? 0 : GNTMAP_readonly);
  for (let i = 0; i < count; i++) {
    const vpn = kernelBase() + pfnOf(readLocal(pages + i));
    const ref = yield* read(Segment.ref.at2(r, i));
    gnttabSetMapOp(BlkbackMapOp.hostAddr.at2(v, i), vpn, flags, ref, frontDomain(r));
  }
  yield* gnttabMapRefs(v, BlkbackMapOp.hostAddr.at2(v, 0), 0, pages, count);
  let result = 0;
  for (let i = 0; i < count; i++) {
    const status = readLocal(BlkbackMapOp.status.at2(v, i));
    if (status === GNTST_no_space) result = -ENOSPC;
    else if (status !== 0) return -EIO;
  }
  return result;
}

/** xen_blkbk_unmap_and_respond(), without the response: unmaps what was mapped. */
function* unmapSegments(v: number, count: number): Op<void> {
  let mapped = 0;
  for (let i = 0; i < count; i++) {
    if (readLocal(BlkbackMapOp.status.at2(v, i)) !== 0) continue;
    const handle = readLocal(BlkbackMapOp.handle.at2(v, i));
    const vpn = readLocal(BlkbackMapOp.hostAddr.at2(v, i));
    gnttabSetUnmapOp(UnmapOp.hostAddr.at2(v, mapped), vpn, handle);
    writeLocal(UnmapPage.value.at2(v, mapped), readLocal(TaskPage.value.at2(v, i)));
    mapped++;
  }
  if (designUnmapsWhenIdle() === 0) {
    const pages = UnmapPage.value.at2(v, 0);
    yield* gnttabUnmapRefs(v, UnmapOp.hostAddr.at2(v, 0), 0, pages, mapped);
    return;
  }
  setUnmapItem(v, UnmapOp.hostAddr.at2(v, 0), 0, UnmapPage.value.at2(v, 0), mapped);
  yield* gnttabUnmapRefsSync(v);
}

/** Sends one page: a packet with a reference of it; with late DMA perhaps a second copy. */
function* sendPage(v: number, r: number, i: number): Op<void> {
  const q = queueOf(NIC, v);
  const pg = readLocal(TaskPage.value.at2(v, i));
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const sector = yield* read(Segment.sector.at2(r, i));
  const checksum = yield* read(Segment.checksum.at2(r, i));
  yield* getPage(pg);
  yield* submit(q, DMA_OUT, pg, mfn, sector, checksum);
  if (!dmaIsLate() || (yield* pick(2)) === 0) return;
  yield* getPage(pg);
  yield* submit(q, RETRANSMIT, pg, mfn, sector, checksum);
}

/** Sends all pages and waits for the acknowledgements. @returns 0 or -EIO. */
function* writeOut(v: number, r: number, count: number): Op {
  for (let i = 0; i < count; i++) yield* sendPage(v, r, i);
  yield* ring(NIC);
  let status = 0;
  for (let i = 0; i < count; i++) {
    if ((yield* takeCompletion(queueOf(NIC, v))) !== 0) status = -EIO;
  }
  return status;
}

/** Copies a page of the network stack's into a page of the frontend. @returns 0 or -EIO. */
function* copyFromPage(v: number, from: number, i: number): Op {
  const source = kernelBase() + pfnOf(from);
  const vpn = kernelBase() + pfnOf(readLocal(TaskPage.value.at2(v, i)));
  const words = frameWordCount();
  for (let offset = 0; offset < words; offset++) {
    if ((yield* cpuLoad(v, source, offset)) !== 0) return -EIO;
    if ((yield* cpuStore(v, vpn, offset, reg(v, REG_VALUE))) !== 0) return -EIO;
  }
  return 0;
}

/** Takes what another guest has sent (netback-tx.ts). @returns 0 or -EIO. */
function* takeReceived(v: number, descriptor: number, i: number): Op {
  const from = readLocal(ReceivePage.value.at(descriptor));
  writeLocal(ReceivePage.value.at(descriptor), NO_PAGE);
  const status = yield* copyFromPage(v, from, i);
  yield* putPage(v, from);
  return status;
}

/** Copies what was received into a page of the frontend. @returns 0 or -EIO. */
function* copyIn(v: number, index: number, i: number): Op {
  const descriptor = descriptorOf(queueOf(NIC, v), index);
  if (readLocal(ReceivePage.value.at(descriptor)) !== NO_PAGE) {
    return yield* takeReceived(v, descriptor, i);
  }
  const vpn = kernelBase() + pfnOf(readLocal(TaskPage.value.at2(v, i)));
  const words = frameWordCount();
  for (let offset = 0; offset < words; offset++) {
    const word = yield* read(ReceiveWord.value.at2(descriptor, offset));
    if ((yield* cpuStore(v, vpn, offset, word)) !== 0) return -EIO;
  }
  return 0;
}

/** Asks for all sectors and copies them into the pages. @returns 0 or -EIO. */
function* readIn(v: number, r: number, count: number): Op {
  const q = queueOf(NIC, v);
  let first = 0;
  for (let i = 0; i < count; i++) {
    const sector = yield* read(Segment.sector.at2(r, i));
    const index = yield* submit(q, RECEIVE, -1, 0, sector, 0);
    if (i === 0) first = index;
  }
  yield* ring(NIC);
  let status = 0;
  for (let i = 0; i < count; i++) {
    if ((yield* takeCompletion(q)) !== 0) status = -EIO;
    else if ((yield* copyIn(v, (first + i) | 0, i)) !== 0) status = -EIO;
  }
  return status;
}

/** One turn: waits for a request and serves it. @param v - vCPU of the driver domain. */
export function* blkbackTurn(v: number): Op<void> {
  const r = yield* takeRequest(v);
  const count = yield* read(Request.count.at(r));
  const writes = yield* isWrite(r);
  const pages = TaskPage.value.at2(v, 0);
  if ((yield* allocBalloonedPages(v, count, pages)) !== 0) {
    yield* respond(v, r, -ENOMEM);
    return;
  }
  let status = yield* mapSegments(v, r, count, writes);
  if (status === 0) {
    status = writes === 0 ? yield* readIn(v, r, count) : yield* writeOut(v, r, count);
  }
  yield* unmapSegments(v, count);
  yield* freeBalloonedPages(v, count, pages);
  yield* respond(v, r, status);
}
