/**
 * The guest at the far end of a virtual network interface.
 *
 * Workload vif: it reads packets and checks their checksums. Workload samehost: a storage guest
 * (an iSCSI or NBD target): checks what is to be written, stores it in memory of its own and
 * acknowledges; sends what is to be read. A retransmission is checked and dropped: it has been
 * acknowledged before.
 *
 * StorePage.*  of this guest only, as long as it runs
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { BUG_REQUEST_FAILED } from '../../hardware/bugs.ts';
import { frameWordCount, kernelBase } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import { EIO, ENOMEM } from '../../linux/errno.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { NO_PAGE, pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { RING_EMPTY } from '../../shared/ring.ts';
import { defineTable } from '../../shared/table.ts';
import { waitForEvent } from '../channel.ts';
import { Task } from '../task.ts';
import {
  NET_ACKNOWLEDGE,
  NET_DATA,
  NET_PACKET,
  NET_READ,
  NET_WRITE,
  NetSlot,
  RX,
  TX,
  netRingOf,
  notifyNetBack,
  putNetRequest,
  tryTakeNetResponse,
} from '../vif.ts';
import { checkSlot, endSlot, grantSlot, postBuffer, reapSent, takeSlot } from './netfront.ts';

export const StorePage = defineTable('store[%].page', ['sectors'], {
  value: '[SELF] page of the storage guest with the sector, NO_PAGE before the first use',
});

/** The page of a sector, of zeroes at first. @returns page, or NO_PAGE if there is none left. */
function* storePageOf(v: number, sector: number): Op {
  const kept = readLocal(StorePage.value.at(sector));
  if (kept !== NO_PAGE) return kept;
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return NO_PAGE;
  for (let offset = 0; offset < frameWordCount(); offset++) {
    yield* cpuStore(v, kernelBase() + pfnOf(pg), offset, 0);
  }
  writeLocal(StorePage.value.at(sector), pg);
  return pg;
}

/** Copies a buffer into the page of its sector. @returns 0 or a negative errno. */
function* store(v: number, from: number, sector: number): Op {
  const pg = yield* storePageOf(v, sector);
  if (pg === NO_PAGE) return -ENOMEM;
  for (let offset = 0; offset < frameWordCount(); offset++) {
    if ((yield* cpuLoad(v, kernelBase() + pfnOf(from), offset)) !== 0) return -EIO;
    const word = reg(v, REG_VALUE);
    if ((yield* cpuStore(v, kernelBase() + pfnOf(pg), offset, word)) !== 0) return -EIO;
  }
  return 0;
}

/** Sends an answer. @param pg - page that goes with it, or NO_PAGE. @param result - 0 or errno. */
function* answer(v: number, vif: number, tag: number, pg: number, result: number): Op<void> {
  const n = netRingOf(vif, TX);
  const slot = yield* takeSlot(v, n);
  let sent = NO_PAGE;
  if (pg !== NO_PAGE && (yield* grantSlot(v, n, slot, pg, 1)) === 0) sent = pg;
  if (sent === NO_PAGE) yield* write(NetSlot.ref.at2(n, slot), -1);
  const lacking = pg === NO_PAGE ? result : -ENOMEM;
  yield* write(NetSlot.kind.at2(n, slot), sent === NO_PAGE ? NET_ACKNOWLEDGE : NET_DATA);
  yield* write(NetSlot.tag.at2(n, slot), tag);
  yield* write(NetSlot.result.at2(n, slot), sent === NO_PAGE ? lacking : 0);
  yield* putNetRequest(n, slot);
  yield* notifyNetBack(v, n);
}

/** Does what a packet asks for. @param slot - of the rx ring. */
function* serve(v: number, vif: number, slot: number): Op<void> {
  const n = netRingOf(vif, RX);
  const kind = yield* read(NetSlot.kind.at2(n, slot));
  const tag = yield* read(NetSlot.tag.at2(n, slot));
  const sector = yield* read(NetSlot.sector.at2(n, slot));
  if (kind === NET_READ) {
    const pg = yield* storePageOf(v, sector);
    yield* answer(v, vif, tag, pg, -ENOMEM);
    return;
  }
  yield* checkSlot(v, n, slot);
  if (kind !== NET_WRITE) return;
  const result = yield* store(v, readLocal(NetSlot.page.at2(n, slot)), sector);
  yield* answer(v, vif, tag, NO_PAGE, result);
}

/** The next packet, waiting for one. @returns slot of the rx ring. */
function* receive(v: number, vif: number): Op {
  for (;;) {
    yield* reapSent(v, netRingOf(vif, TX));
    const slot = yield* tryTakeNetResponse(netRingOf(vif, RX));
    if (slot !== RING_EMPTY) return slot;
    yield* waitForEvent(v);
  }
}

/**
 * One turn: waits for a packet, serves it, and gives its buffer to the backend anew. A buffer with
 * an error is no packet (xennet_get_responses()); among guests nothing can fail.
 * @param v - vCPU of the guest.
 */
export function* netGuestTurn(v: number): Op<void> {
  const vif = readLocal(Task.channel.at(v));
  const n = netRingOf(vif, RX);
  const slot = yield* receive(v, vif);
  yield* endSlot(v, n, slot);
  const status = yield* read(NetSlot.status.at2(n, slot));
  const kind = yield* read(NetSlot.kind.at2(n, slot));
  warnOn(status !== 0 && kind === NET_PACKET, BUG_REQUEST_FAILED, slot, status);
  if (status === 0) yield* serve(v, vif, slot);
  const posted = yield* postBuffer(v, n, slot, readLocal(NetSlot.page.at2(n, slot)));
  warnOn(posted !== 0, BUG_REQUEST_FAILED, slot, posted);
  yield* notifyNetBack(v, n);
}
