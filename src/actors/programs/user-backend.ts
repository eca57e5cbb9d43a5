/**
 * A block backend in user space with direct I/O (tapdisk, QEMU's xen-disk with O_DIRECT): maps the
 * pages of a request through gntdev and hands the addresses to the kernel, which looks the pages
 * up (get_user_pages_fast(), as fs/direct-io.c and block/bio.c do), holds them while the disk
 * moves the data, and puts them.
 *
 * With Params.split it lets go of a part of the mapping first and of the rest afterwards.
 */
import { domainOf } from '../../hardware/params.ts';
import { EFAULT, EIO } from '../../linux/errno.ts';
import { getUserPagesFast } from '../../linux/mm/gup-fast.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { pfnToMfn } from '../../linux/mm/p2m.ts';
import { pfnOf, putPage } from '../../linux/mm/page.ts';
import { TRACE_GUP_PUT } from '../../linux/tracepoints.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace } from '../../shared/operations.ts';
import { Request, Segment, isWrite, respond, takeRequest } from '../channel.ts';
import { DISK, DMA_IN, DMA_OUT, queueOf, ring, submit, takeCompletion } from '../storage.ts';
import { Task, TaskPage, pick, splitsMappings } from '../task.ts';
import { mapRequest, unmapRequest } from './user-mapping.ts';

/** submit_bio() of all pages, and the wait for them. @returns 0 or -EIO. */
function* moveData(v: number, r: number, count: number, writes: number): Op {
  const q = queueOf(DISK, v);
  const operation = writes === 0 ? DMA_IN : DMA_OUT;
  for (let i = 0; i < count; i++) {
    const pg = readLocal(TaskPage.value.at2(v, i));
    const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
    const sector = yield* read(Segment.sector.at2(r, i));
    const checksum = yield* read(Segment.checksum.at2(r, i));
    yield* submit(q, operation, -1, mfn, sector, checksum);
  }
  yield* ring(DISK);
  let status = 0;
  for (let i = 0; i < count; i++) if ((yield* takeCompletion(q)) !== 0) status = -EIO;
  return status;
}

/** read(2) or write(2) with O_DIRECT. @returns 0 or a negative errno. */
function* directIo(v: number, r: number, vpn: number, count: number, writes: number): Op {
  const pages = TaskPage.value.at2(v, 0);
  const mm = readLocal(Task.mm.at(v));
  const got = yield* getUserPagesFast(v, mm, vpn, count, writes === 0 ? 1 : 0, pages);
  let status = -EFAULT;
  if (got === count) status = yield* moveData(v, r, count, writes);
  for (let i = 0; i < got; i++) {
    const pg = readLocal(pages + i);
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* putPage(v, pg);
  }
  return status;
}

/** One turn: waits for a request and serves it. @param v - vCPU of the driver domain. */
export function* userBackendTurn(v: number): Op<void> {
  const r = yield* takeRequest(v);
  const count = yield* read(Request.count.at(r));
  const writes = yield* isWrite(r);
  const vpn = yield* mapRequest(v, r, count, 1 - writes);
  if (vpn < 0) {
    yield* respond(v, r, vpn);
    return;
  }
  const status = yield* directIo(v, r, vpn, count, writes);
  if (splitsMappings() && count > 1 && (yield* pick(2)) === 1) {
    yield* doMunmap(v, readLocal(Task.mm.at(v)), vpn + (yield* pick(count)), 1);
  }
  yield* unmapRequest(v, vpn, count);
  yield* respond(v, r, status);
}
