/**
 * A guest that sends to another one through the driver domain: the network stack above
 * drivers/net/xen-netfront.c: xennet_start_xmit(), with a checksum for each packet.
 *
 * One page may be sent twice (Params.secondMapping), as a buffer on two connections: each packet
 * holds a reference of the page and a grant of its own.
 */
import { cpuStore } from '../../hardware/access.ts';
import { BUG_PAYLOAD, BUG_REQUEST_FAILED } from '../../hardware/bugs.ts';
import { frameWordCount, kernelBase } from '../../hardware/params.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { NO_PAGE, getPage, pfnOf, putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { RING_EMPTY } from '../../shared/ring.ts';
import { waitForEvent } from '../channel.ts';
import { checksumOfSeed, payloadWord } from '../payload.ts';
import { Task, mapsTwice, pick } from '../task.ts';
import {
  NetSlot,
  TX,
  netRingOf,
  notifyNetBack,
  putNetRequest,
  tryTakeNetResponse,
} from '../vif.ts';
import { endSlot, grantSlot } from './netfront.ts';

/** A page with a seed of its own, noted in the slot's checksum. @returns page or NO_PAGE. */
function* preparePage(v: number, n: number, slot: number): Op {
  if (slot > 0 && mapsTwice() && (yield* pick(2)) === 1) {
    const shared = readLocal(NetSlot.page.at2(n, 0));
    yield* getPage(shared);
    yield* write(NetSlot.checksum.at2(n, slot), yield* read(NetSlot.checksum.at2(n, 0)));
    return shared;
  }
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return NO_PAGE;
  const generation = readLocal(Task.generation.at(v)) + 1;
  writeLocal(Task.generation.at(v), generation);
  const seed = (v + 1) * 0x100000 + (generation & 0xfffff);
  for (let offset = 0; offset < frameWordCount(); offset++) {
    const word = payloadWord(seed, offset);
    const fault = yield* cpuStore(v, kernelBase() + pfnOf(pg), offset, word);
    warnOn(fault !== 0, BUG_PAYLOAD, slot, fault);
  }
  yield* write(NetSlot.checksum.at2(n, slot), checksumOfSeed(seed, frameWordCount()));
  return pg;
}

/** xennet_start_xmit(). @returns 1, or 0 if pages or grants have run out. */
function* send(v: number, n: number, slot: number): Op {
  const pg = yield* preparePage(v, n, slot);
  if (pg === NO_PAGE) return 0;
  if ((yield* grantSlot(v, n, slot, pg, 1)) < 0) {
    yield* putPage(v, pg);
    return 0;
  }
  yield* putNetRequest(n, slot);
  yield* notifyNetBack(v, n);
  return 1;
}

/** xennet_tx_buf_gc() of one packet, waiting for it. */
function* finish(v: number, n: number): Op<void> {
  let slot = yield* tryTakeNetResponse(n);
  while (slot === RING_EMPTY) {
    yield* waitForEvent(v);
    slot = yield* tryTakeNetResponse(n);
  }
  const status = yield* read(NetSlot.status.at2(n, slot));
  warnOn(status !== 0, BUG_REQUEST_FAILED, slot, status);
  yield* endSlot(v, n, slot);
  yield* putPage(v, readLocal(NetSlot.page.at2(n, slot)));
}

/** One turn: some packets, and the responses to them. @param v - vCPU of the guest. */
export function* netSenderTurn(v: number): Op<void> {
  const n = netRingOf(readLocal(Task.channel.at(v)), TX);
  const wanted = 1 + (yield* pick(NetSlot.ref.count));
  let sent = 0;
  while (sent < wanted && (yield* send(v, n, sent)) === 1) sent++;
  for (let i = 0; i < sent; i++) yield* finish(v, n);
}
