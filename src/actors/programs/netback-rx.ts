/**
 * The receive side of netback (drivers/net/xen-netback: xenvif_kthread_guest_rx(),
 * xenvif_rx_action()): what the bridge puts on the interface of a guest is copied into the guest's
 * buffers. The queues are those of the card (storage.ts), with the bridge in the card's place.
 *
 *   1. wait for a packet. 2. wait for a buffer. 3. grant copy. 4. response and event. 5. the packet
 *   is consumed: its page reference goes, and the callback of a packet that netback has mapped
 *   comes (net/core/skbuff.c: skb_release_data(), in this order).
 *
 * If a copy fails the guest gets an error and drops the buffer. A TCP connection sends again until
 * its time is over (tcp_retries2); every time would fail as the first did, so here the time is over
 * at once.
 */
import { domainOf, vcpusPerDomain } from '../../hardware/params.ts';
import { NOT_PENDING, xenvifGopFragCopy } from '../../linux/drivers/netback-copy.ts';
import { xenvifZerocopyCallback } from '../../linux/drivers/netback.ts';
import { putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import {
  awaitNotEqual,
  loadAcquire,
  read,
  readLocal,
  storeRelease,
  write,
  writeLocal,
} from '../../shared/operations.ts';
import { RING_EMPTY } from '../../shared/ring.ts';
import { waitForEvent } from '../channel.ts';
import {
  DMA_OUT,
  Descriptor,
  Doorbell,
  FORWARD,
  NIC,
  Queue,
  QueueDevice,
  RECEIVE,
  TIMED_OUT,
  descriptorOf,
  putSocketCompletion,
} from '../storage.ts';
import {
  NET_PACKET,
  NET_READ,
  NET_WRITE,
  NET_WRITE_AGAIN,
  NetRing,
  NetSlot,
  XEN_NETIF_RSP_ERROR,
  putNetResponse,
  tryTakeNetRequest,
} from '../vif.ts';
import { Task } from '../task.ts';

/** The guest's next buffer, waiting for one. @param n - rx ring. @returns its slot. */
function* takeBuffer(v: number, n: number): Op {
  for (;;) {
    const slot = yield* tryTakeNetRequest(n);
    if (slot !== RING_EMPTY) return slot;
    yield* waitForEvent(v);
  }
}

function kindOf(operation: number): number {
  switch (operation) {
    case FORWARD:
      return NET_PACKET;
    case DMA_OUT:
      return NET_WRITE;
    case RECEIVE:
      return NET_READ;
    default:
      return NET_WRITE_AGAIN;
  }
}

/** xenvif_rx_skb(): copies a packet and its header into a buffer. @returns 0 or an error. */
function* deliver(v: number, n: number, slot: number, q: number, index: number): Op {
  const operation = yield* read(Descriptor.operation.at2(q, index));
  const pg = yield* read(Descriptor.page.at2(q, index));
  const sector = yield* read(Descriptor.sector.at2(q, index));
  let status = 0;
  if (pg >= 0) {
    const pending = operation === FORWARD ? sector : NOT_PENDING;
    const guest = domainOf(readLocal(NetRing.front.at(n)));
    const ref = yield* read(NetSlot.ref.at2(n, slot));
    if ((yield* xenvifGopFragCopy(v, pg, pending, guest, ref)) !== 0) status = XEN_NETIF_RSP_ERROR;
  }
  yield* write(NetSlot.kind.at2(n, slot), kindOf(operation));
  yield* write(NetSlot.tag.at2(n, slot), descriptorOf(q, index));
  yield* write(NetSlot.sector.at2(n, slot), sector);
  yield* write(NetSlot.checksum.at2(n, slot), yield* read(Descriptor.checksum.at2(q, index)));
  yield* write(NetSlot.status.at2(n, slot), status);
  yield* putNetResponse(v, n, slot);
  return status;
}

/** kfree_skb(), and what becomes of a packet that did not arrive. */
function* consume(v: number, q: number, index: number, status: number): Op<void> {
  const operation = yield* read(Descriptor.operation.at2(q, index));
  const pg = yield* read(Descriptor.page.at2(q, index));
  const pending = yield* read(Descriptor.sector.at2(q, index));
  if (pg >= 0) yield* putPage(v, pg);
  const freed = yield* read(QueueDevice.freed.at(q));
  yield* storeRelease(QueueDevice.freed.at(q), (freed + 1) | 0);
  if (operation === FORWARD) yield* xenvifZerocopyCallback(v, pending);
  if (operation === DMA_OUT && status !== 0) yield* putSocketCompletion(q, TIMED_OUT);
}

/** One turn: waits until the bridge has packets, and delivers them. @param v - its vCPU. */
export function* netbackRxTurn(v: number): Op<void> {
  const n = readLocal(Task.channel.at(v));
  const heard = readLocal(Doorbell.heard.at(NIC));
  const rung = yield* awaitNotEqual(Doorbell.rung.at(NIC), -1, heard);
  writeLocal(Doorbell.heard.at(NIC), rung);
  const first = NIC * vcpusPerDomain();
  for (let q = first; q < first + vcpusPerDomain(); q++) {
    const produced = yield* loadAcquire(Queue.produced.at(q));
    for (;;) {
      const seen = readLocal(QueueDevice.seen.at(q));
      if (seen === produced) break;
      writeLocal(QueueDevice.seen.at(q), (seen + 1) | 0);
      const index = seen & (Descriptor.page.count - 1);
      const status = yield* deliver(v, n, yield* takeBuffer(v, n), q, index);
      yield* consume(v, q, index, status);
    }
  }
}
