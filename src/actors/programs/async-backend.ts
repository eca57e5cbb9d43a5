/**
 * A block backend in user space with asynchronous I/O (tapdisk's tapdisk-queue.c, QEMU's xen-disk
 * with Linux AIO): several requests are in flight, each an iocb of its own.
 *
 *   submit    1. map the grants. 2. get_user_pages_fast(). 3. a descriptor for each page. 4. the
 *             doorbell (fs/aio.c: io_submit_one(), fs/direct-io.c: do_direct_IO()).
 *   complete  5. the last page of the oldest request is done. 6. put its pages (block/bio.c:
 *             bio_release_pages()). 7. munmap, then the ioctl (io_getevents() has returned).
 *             8. respond. The requests behind it are in flight all the while.
 *
 * A disk works its queue off in order, so requests complete in the order of their submission; the
 * driver keeps fewer descriptors in flight than the queue has, so it waits for completions only.
 *
 * AioRequest.*, AioPage.*  of one vCPU only: the contexts lie in a ring of `aioRequests`
 */
import { domainOf } from '../../hardware/params.ts';
import { EFAULT, EIO } from '../../linux/errno.ts';
import { getUserPagesFast } from '../../linux/mm/gup-fast.ts';
import { pfnToMfn } from '../../linux/mm/p2m.ts';
import { pfnOf, putPage } from '../../linux/mm/page.ts';
import { TRACE_GUP_PUT } from '../../linux/tracepoints.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace, writeLocal } from '../../shared/operations.ts';
import { RING_EMPTY } from '../../shared/ring.ts';
import { defineTable } from '../../shared/table.ts';
import { Request, Segment, isWrite, respond, takeRequest, tryTakeRequest } from '../channel.ts';
import { DISK, DMA_IN, DMA_OUT, queueOf, ring, submit, takeCompletion } from '../storage.ts';
import { Task } from '../task.ts';
import { mapGrants, mmapGrants, unmapRequest } from './user-mapping.ts';

/** struct kiocb of a request in flight. */
export const AioRequest = defineTable('%v.aio[%]', ['vcpus', 'aioRequests'], {
  request: '[SELF] number of the request',
  vpn: '[SELF] where its pages are mapped, or a negative errno: nothing is',
  index: '[SELF] page offset of its map in the gntdev file',
  count: '[SELF] its pages',
  got: '[SELF] pages of which get_user_pages took a reference',
  submitted: '[SELF] descriptors that are to complete',
  status: '[SELF] 0 or a negative errno, if nothing was submitted',
});

export const AioPage = defineTable('%v.aio.page[%]', ['vcpus', 'aioPages'], {
  value: '[SELF] page that get_user_pages returned',
});

/** The word of the first page of a request. @param slot - its context. */
function pagesOf(v: number, slot: number): number {
  return AioPage.value.at2(v, slot * Segment.ref.count);
}

/** dio_bio_submit(): a descriptor for each page, and the doorbell. */
function* submitPages(v: number, slot: number, r: number, writes: number): Op<void> {
  const q = queueOf(DISK, v);
  const operation = writes === 0 ? DMA_IN : DMA_OUT;
  const count = readLocal(AioRequest.count.at2(v, slot));
  for (let i = 0; i < count; i++) {
    const pg = readLocal(pagesOf(v, slot) + i);
    const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
    const sector = yield* read(Segment.sector.at2(r, i));
    const checksum = yield* read(Segment.checksum.at2(r, i));
    yield* submit(q, operation, -1, mfn, sector, checksum);
  }
  yield* ring(DISK);
  writeLocal(AioRequest.submitted.at2(v, slot), count);
}

/** Maps a request where its context has its place. @returns first vpn, or a negative errno. */
function* mapInPlace(v: number, slot: number, r: number, writes: number): Op {
  const count = readLocal(AioRequest.count.at2(v, slot));
  const index = yield* mapGrants(v, r, count);
  if (index < 0) return index;
  writeLocal(AioRequest.index.at2(v, slot), index);
  const start = 1 + slot * Segment.ref.count;
  return yield* mmapGrants(v, start, count, 1 - writes, index);
}

/** io_submit_one(): maps a request and puts its I/O on the way. @param slot - a free context. */
function* ioSubmit(v: number, slot: number, r: number): Op<void> {
  const count = yield* read(Request.count.at(r));
  const writes = yield* isWrite(r);
  writeLocal(AioRequest.request.at2(v, slot), r);
  writeLocal(AioRequest.count.at2(v, slot), count);
  writeLocal(AioRequest.got.at2(v, slot), 0);
  writeLocal(AioRequest.submitted.at2(v, slot), 0);
  const vpn = yield* mapInPlace(v, slot, r, writes);
  writeLocal(AioRequest.vpn.at2(v, slot), vpn);
  writeLocal(AioRequest.status.at2(v, slot), vpn < 0 ? vpn : 0);
  if (vpn < 0) return;
  const mm = readLocal(Task.mm.at(v));
  const write = writes === 0 ? 1 : 0;
  const got = yield* getUserPagesFast(v, mm, vpn, count, write, pagesOf(v, slot));
  writeLocal(AioRequest.got.at2(v, slot), got);
  if (got === count) yield* submitPages(v, slot, r, writes);
  else writeLocal(AioRequest.status.at2(v, slot), -EFAULT);
}

/** Steps 5 to 8: waits for a request's own I/O and ends it. @param slot - the oldest context. */
function* ioComplete(v: number, slot: number): Op<void> {
  let status = readLocal(AioRequest.status.at2(v, slot));
  const submitted = readLocal(AioRequest.submitted.at2(v, slot));
  for (let i = 0; i < submitted; i++) {
    if ((yield* takeCompletion(queueOf(DISK, v))) !== 0) status = -EIO;
  }
  const got = readLocal(AioRequest.got.at2(v, slot));
  for (let i = 0; i < got; i++) {
    const pg = readLocal(pagesOf(v, slot) + i);
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* putPage(v, pg);
  }
  const vpn = readLocal(AioRequest.vpn.at2(v, slot));
  if (vpn >= 0) {
    writeLocal(Task.index.at(v), readLocal(AioRequest.index.at2(v, slot)));
    yield* unmapRequest(v, vpn, readLocal(AioRequest.count.at2(v, slot)));
  }
  yield* respond(v, readLocal(AioRequest.request.at2(v, slot)), status);
}

/**
 * One turn: waits for a request, then submits what comes and completes what is done until nothing
 * is in flight. @param v - vCPU of the driver domain.
 */
export function* asyncBackendTurn(v: number): Op<void> {
  const slots = AioRequest.request.count;
  yield* ioSubmit(v, 0, yield* takeRequest(v));
  let submitted = 1;
  for (let completed = 0; completed !== submitted; completed++) {
    while (submitted - completed < slots) {
      const r = yield* tryTakeRequest(v);
      if (r === RING_EMPTY) break;
      yield* ioSubmit(v, submitted % slots, r);
      submitted++;
    }
    yield* ioComplete(v, completed % slots);
  }
}
