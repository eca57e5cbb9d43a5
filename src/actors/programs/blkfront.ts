/**
 * The frontend of a block device (drivers/block/xen-blkfront.c) and the file system above it: fills
 * pages, grants them to the backend, sends requests, and when a response comes ends the access and
 * gives the pages back, which the next request fills anew.
 *
 * One page may be granted twice in one request (Params.secondMapping), as when one buffer is
 * written to two places: each grant holds a reference of the page.
 */
import { BUG_PAYLOAD, BUG_REQUEST_FAILED } from '../../hardware/bugs.ts';
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { domainOf, frameWordCount, kernelBase } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import {
  gnttabEndForeignAccess,
  gnttabGrantForeignAccess,
} from '../../linux/drivers/grant-table.ts';
import { ENOMEM, ENOSPC } from '../../linux/errno.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { NO_PAGE, getPage, pfnOf, putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import {
  Channel,
  OPERATION_WRITE,
  Request,
  RequestSlot,
  Segment,
  notifyBack,
  putRequest,
  requestOf,
  takeResponse,
} from '../channel.ts';
import { checksumOfSeed, payloadWord } from '../payload.ts';
import { Task, mapsTwice, pick } from '../task.ts';

/** What the file system knows of a sector. */
export const SectorSeed = defineTable('sector[%].seed', ['sectors'], {
  value: '[FRONT] of what was written last, 0 if nothing, -1 if that failed',
});

/** Fills a page with the words of a seed. @returns 0 or FAULT_*. */
function* fillPage(v: number, pg: number, seed: number): Op {
  const words = frameWordCount();
  for (let offset = 0; offset < words; offset++) {
    const word = payloadWord(seed, offset);
    const fault = yield* cpuStore(v, kernelBase() + pfnOf(pg), offset, word);
    if (fault !== 0) return fault;
  }
  return 0;
}

/** The page and the sector of a segment: the first one's again, or new ones. @returns page. */
function* preparePage(v: number, r: number, i: number, writes: number): Op {
  if (i > 0 && mapsTwice() && (yield* pick(2)) === 1) {
    const shared = readLocal(Segment.page.at2(r, 0));
    yield* getPage(shared);
    writeLocal(Segment.seed.at2(r, i), readLocal(Segment.seed.at2(r, 0)));
    yield* write(Segment.sector.at2(r, i), yield* read(Segment.sector.at2(r, 0)));
    return shared;
  }
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return NO_PAGE;
  const generation = readLocal(Task.generation.at(v)) + 1;
  writeLocal(Task.generation.at(v), generation);
  const seed = (v + 1) * 0x100000 + (generation & 0xfffff);
  writeLocal(Segment.seed.at2(r, i), seed);
  yield* write(Segment.sector.at2(r, i), r * Segment.ref.count + i);
  if (writes !== 0) {
    const fault = yield* fillPage(v, pg, seed);
    warnOn(fault !== 0, BUG_PAYLOAD, r, fault);
  }
  return pg;
}

/** Adds a segment to a request. @returns 1, or 0 if pages or grants have run out. */
function* addSegment(v: number, r: number, i: number, writes: number): Op {
  const pg = yield* preparePage(v, r, i, writes);
  if (pg === NO_PAGE) return 0;
  const back = domainOf(readLocal(Channel.back.at(readLocal(Task.channel.at(v)))));
  const ref = yield* gnttabGrantForeignAccess(v, back, pfnOf(pg), writes);
  if (ref < 0) {
    yield* putPage(v, pg);
    return 0;
  }
  writeLocal(Segment.page.at2(r, i), pg);
  yield* write(Segment.ref.at2(r, i), ref);
  const sum = checksumOfSeed(readLocal(Segment.seed.at2(r, i)), frameWordCount());
  yield* write(Segment.checksum.at2(r, i), sum);
  return 1;
}

/**
 * blkif_queue_rq(): builds a request and puts it. @returns 1, or 0 if there was nothing to send.
 */
function* sendRequest(v: number, r: number): Op {
  const writes = yield* pick(2);
  const wanted = 1 + (yield* pick(Segment.ref.count));
  let count = 0;
  while (count < wanted && (yield* addSegment(v, r, count, writes)) === 1) count++;
  if (count === 0) return 0;
  yield* write(Request.operation.at(r), writes);
  yield* write(Request.count.at(r), count);
  yield* putRequest(readLocal(Task.channel.at(v)), r);
  return 1;
}

/** Is what was read what had been written? */
function* checkPage(v: number, pg: number, sector: number): Op<void> {
  const seed = readLocal(SectorSeed.value.at(sector));
  if (seed < 0) return;
  const words = frameWordCount();
  for (let offset = 0; offset < words; offset++) {
    const fault = yield* cpuLoad(v, kernelBase() + pfnOf(pg), offset);
    const word = reg(v, REG_VALUE);
    warnOn(fault !== 0 || word !== payloadWord(seed, offset), BUG_PAYLOAD, sector, word);
  }
}

/** blkif_completion(): takes the data, ends the access, gives the pages back. */
function* finishRequest(v: number, r: number): Op<void> {
  const status = yield* read(Request.status.at(r));
  const writes = (yield* read(Request.operation.at(r))) === OPERATION_WRITE;
  const count = yield* read(Request.count.at(r));
  // Memory and handles may run out; nothing else can fail.
  const lacked = status === -ENOMEM || status === -ENOSPC;
  warnOn(status !== 0 && !lacked, BUG_REQUEST_FAILED, r, status);
  for (let i = 0; i < count; i++) {
    const pg = readLocal(Segment.page.at2(r, i));
    const sector = yield* read(Segment.sector.at2(r, i));
    if (writes) {
      const seed = status === 0 ? readLocal(Segment.seed.at2(r, i)) : -1;
      writeLocal(SectorSeed.value.at(sector), seed);
    } else if (status === 0) {
      yield* checkPage(v, pg, sector);
    }
    yield* gnttabEndForeignAccess(v, yield* read(Segment.ref.at2(r, i)), pg);
  }
}

/**
 * One turn: some requests, of which the backend is told one by one (flush_requests()), and their
 * responses. @param v - vCPU of the frontend.
 */
export function* blkfrontTurn(v: number): Op<void> {
  const c = readLocal(Task.channel.at(v));
  const wanted = 1 + (yield* pick(RequestSlot.value.count));
  let sent = 0;
  while (sent < wanted && (yield* sendRequest(v, requestOf(c, sent))) === 1) {
    yield* notifyBack(v, c);
    sent++;
  }
  for (let i = 0; i < sent; i++) yield* finishRequest(v, yield* takeResponse(v, c));
}
