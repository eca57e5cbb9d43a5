/**
 * The rings of a virtual network interface (xen/include/public/io/netif.h), each between a vCPU of
 * a guest and one of the driver domain, with a pair of event-channel ports:
 *   tx   the guest sends: a request names the packet's page by a grant; a response gives it back
 *   rx   the guest receives: a request gives a buffer by a grant; a response says what is in it
 *
 * A slot is the guest's from the take of its response to the put of its next request:
 *   front  1. fill the slot. 2. put its number. 3. event.
 *   back   4. take it. 5. copy or map. 6. status, and with rx the header. 7. response. 8. event.
 *
 * The headers of packets travel in words of the slot. Not modelled: the rings' own pages are no
 * grants; packets of several slots.
 */
import type { Op } from '../shared/op.ts';
import { readLocal } from '../shared/operations.ts';
import { ringTryGet, ringTryPut } from '../shared/ring.ts';
import { defineTable } from '../shared/table.ts';
import { evtchnSend } from '../xen/event-channel.ts';

export const TX = 0;
export const RX = 1;

/** A packet from one guest to another. */
export const NET_PACKET = 1;
/** To the storage guest: write a sector; the payload is in the buffer. */
export const NET_WRITE = 2;
/** To the storage guest: the same once more; it knows that it has it already. */
export const NET_WRITE_AGAIN = 3;
/** To the storage guest: send a sector. */
export const NET_READ = 4;
/** From the storage guest: what `tag` asked for is done, or failed. */
export const NET_ACKNOWLEDGE = 5;
/** From the storage guest: the sector that `tag` asked for. */
export const NET_DATA = 6;

export const NetRing = defineTable('netring[%]', ['netRings'], {
  front: '[BOOT] vCPU of the guest, -1 if nobody uses the ring',
  back: '[BOOT] vCPU of the backend',
  frontPort: '[BOOT] event-channel port of the guest',
  backPort: '[BOOT] event-channel port of the backend',
});

export const NetRingFront = defineTable(
  'netring[%].front',
  ['netRings'],
  { requestsPut: '[FRONT] requests so far', responsesTaken: '[FRONT] responses so far' },
  { lineAligned: true },
);

export const NetRingBack = defineTable(
  'netring[%].back',
  ['netRings'],
  { requestsTaken: '[BACK] requests so far', responsesPut: '[BACK] responses so far' },
  { lineAligned: true },
);

export const NetRequest = defineTable('netring[%].requests[%]', ['netRings', 'netSlots'], {
  value: '[FRONT] number of a slot',
});

export const NetResponse = defineTable('netring[%].responses[%]', ['netRings', 'netSlots'], {
  value: '[BACK] number of a slot',
});

export const NetSlot = defineTable(
  'netring[%].slot[%]',
  ['netRings', 'netSlots'],
  {
    ref: '[FRONT] grant of the page, -1 if the packet has none',
    page: '[FRONT] the page; not for the backend',
    busy: '[FRONT] tx: 1 from the put to the response',
    kind: '[SENDER] NET_*',
    tag: '[SENDER] descriptor in whose name',
    sector: '[SENDER] where on the disk',
    checksum: '[SENDER] of the page',
    result: '[SENDER] NET_ACKNOWLEDGE: 0 or a negative errno',
    status: '[BACK] 0 or XEN_NETIF_RSP_ERROR',
  },
  { lineAligned: true },
);

export const XEN_NETIF_RSP_ERROR = -1;

/** The ring of an interface. @param vif - interface. @param direction - TX or RX. */
export function netRingOf(vif: number, direction: number): number {
  return vif * 2 + direction;
}

/** Guest: puts a slot that it has filled. @param n - ring. */
export function* putNetRequest(n: number, slot: number): Op<void> {
  yield* ringTryPut(
    NetRingFront.requestsPut.at(n),
    NetRingBack.requestsTaken.at(n),
    NetRequest.value.at2(n, 0),
    NetRequest.value.count,
    slot,
  );
}

/** Backend: takes a slot. @returns its number, or RING_EMPTY. */
export function* tryTakeNetRequest(n: number): Op {
  return yield* ringTryGet(
    NetRingFront.requestsPut.at(n),
    NetRingBack.requestsTaken.at(n),
    NetRequest.value.at2(n, 0),
    NetRequest.value.count,
  );
}

/** Backend: gives a slot back, and tells the guest. @param v - a vCPU of the driver domain. */
export function* putNetResponse(v: number, n: number, slot: number): Op<void> {
  yield* ringTryPut(
    NetRingBack.responsesPut.at(n),
    NetRingFront.responsesTaken.at(n),
    NetResponse.value.at2(n, 0),
    NetResponse.value.count,
    slot,
  );
  yield* evtchnSend(v, readLocal(NetRing.backPort.at(n)));
}

/** Guest: takes a response. @returns its slot, or RING_EMPTY. */
export function* tryTakeNetResponse(n: number): Op {
  return yield* ringTryGet(
    NetRingBack.responsesPut.at(n),
    NetRingFront.responsesTaken.at(n),
    NetResponse.value.at2(n, 0),
    NetResponse.value.count,
  );
}

/** Guest: tells the backend that there are requests. @param v - its vCPU. */
export function* notifyNetBack(v: number, n: number): Op<void> {
  yield* evtchnSend(v, readLocal(NetRing.frontPort.at(n)));
}
