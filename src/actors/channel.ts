/**
 * A block channel between a frontend vCPU and a backend vCPU: a ring of requests, one of responses
 * and a pair of event-channel ports (xen/include/public/io/blkif.h, xen/include/public/io/ring.h).
 *
 * A request is a slot of the channel from its put to the take of its response:
 *   front  1. fill request and segments. 2. put its number. 3. event.
 *   back   4. take it. 5. work. 6. status. 7. put the number as response. 8. event.
 *   front  9. take the response.
 * Waiting: clear the port's pending bit first, then look at the rings, so that no event is missed.
 *
 * Not modelled: the rings' own pages are no grants; a response is never reordered.
 */
import { domainOf } from '../hardware/params.ts';
import type { Op } from '../shared/op.ts';
import {
  awaitNotEqual,
  fetchAnd,
  readLocal,
  read,
  write,
  writeLocal,
} from '../shared/operations.ts';
import { RING_EMPTY, ringTryGet, ringTryPut } from '../shared/ring.ts';
import { defineTable } from '../shared/table.ts';
import { evtchnSend } from '../xen/event-channel.ts';
import { evtchnPendingWord } from '../xen/shared-info.ts';
import { Task } from './task.ts';

/** BLKIF_OP_READ: the device fills the pages. */
export const OPERATION_READ = 0;
/** BLKIF_OP_WRITE: the device reads the pages. */
export const OPERATION_WRITE = 1;

export const Channel = defineTable('channel[%]', ['channels'], {
  front: '[BOOT] vCPU of the frontend',
  back: '[BOOT] vCPU of the backend',
  frontPort: '[BOOT] event-channel port of the frontend',
  backPort: '[BOOT] event-channel port of the backend',
});

export const ChannelFront = defineTable(
  'channel[%].front',
  ['channels'],
  { requestsPut: '[FRONT] requests so far', responsesTaken: '[FRONT] responses so far' },
  { lineAligned: true },
);

export const ChannelBack = defineTable(
  'channel[%].back',
  ['channels'],
  { requestsTaken: '[BACK] requests so far', responsesPut: '[BACK] responses so far' },
  { lineAligned: true },
);

export const RequestSlot = defineTable('channel[%].requests[%]', ['channels', 'ringSlots'], {
  value: '[FRONT] number of a request',
});

export const ResponseSlot = defineTable('channel[%].responses[%]', ['channels', 'ringSlots'], {
  value: '[BACK] number of a request',
});

export const Request = defineTable(
  'request[%]',
  ['requests'],
  {
    operation: '[FRONT] OPERATION_*',
    count: '[FRONT] segments',
    status: '[BACK] 0 or a negative errno',
  },
  { lineAligned: true },
);

export const Segment = defineTable('request[%].segment[%]', ['requests', 'segments'], {
  ref: '[FRONT] grant of the page',
  sector: '[FRONT] where on the disk',
  checksum: '[FRONT] of the page, when it is written',
  page: '[FRONT] the page; not for the backend',
  seed: '[FRONT] of its contents; not for the backend',
});

/** The number of a request. @param c - channel. @param slot - index in it. */
export function requestOf(c: number, slot: number): number {
  return c * RequestSlot.value.count + slot;
}

/** The channel of a request. */
export function channelOf(r: number): number {
  return (r / RequestSlot.value.count) | 0;
}

/** Frontend: puts a request that it has filled. @param c - channel. @param r - request. */
export function* putRequest(c: number, r: number): Op<void> {
  yield* ringTryPut(
    ChannelFront.requestsPut.at(c),
    ChannelBack.requestsTaken.at(c),
    RequestSlot.value.at2(c, 0),
    RequestSlot.value.count,
    r,
  );
}

/** Frontend: tells the backend that there are requests. @param v - its vCPU. */
export function* notifyBack(v: number, c: number): Op<void> {
  yield* evtchnSend(v, readLocal(Channel.frontPort.at(c)));
}

/** Frontend: waits for the next response. @param v - its vCPU. @returns the request's number. */
export function* takeResponse(v: number, c: number): Op {
  for (;;) {
    const r = yield* ringTryGet(
      ChannelBack.responsesPut.at(c),
      ChannelFront.responsesTaken.at(c),
      ResponseSlot.value.at2(c, 0),
      ResponseSlot.value.count,
    );
    if (r !== RING_EMPTY) return r;
    yield* waitForEvent(v);
  }
}

/** Waits for an event on a port of this vCPU and clears its pending bit, as SCHEDOP_poll does. */
export function* waitForEvent(v: number): Op<void> {
  const word = evtchnPendingWord(domainOf(v), 0);
  const mask = readLocal(Task.portMask.at(v));
  const pending = yield* awaitNotEqual(word, mask, 0);
  yield* fetchAnd(word, ~(pending & mask));
}

/** Backend: a request of any of its channels, in turn. @returns its number, or RING_EMPTY. */
export function* tryTakeRequest(v: number): Op {
  const channels = Channel.back.count;
  const last = readLocal(Task.lastChannel.at(v));
  for (let i = 1; i <= channels; i++) {
    const c = (last + i) % channels;
    if (readLocal(Channel.back.at(c)) !== v) continue;
    const r = yield* ringTryGet(
      ChannelFront.requestsPut.at(c),
      ChannelBack.requestsTaken.at(c),
      RequestSlot.value.at2(c, 0),
      RequestSlot.value.count,
    );
    if (r === RING_EMPTY) continue;
    writeLocal(Task.lastChannel.at(v), c);
    return r;
  }
  return RING_EMPTY;
}

/** Backend: waits for a request of any of its channels. @returns its number. */
export function* takeRequest(v: number): Op {
  for (;;) {
    const r = yield* tryTakeRequest(v);
    if (r !== RING_EMPTY) return r;
    yield* waitForEvent(v);
  }
}

/** Backend: answers a request. @param status - 0 or a negative errno. */
export function* respond(v: number, r: number, status: number): Op<void> {
  const c = channelOf(r);
  yield* write(Request.status.at(r), status);
  yield* ringTryPut(
    ChannelBack.responsesPut.at(c),
    ChannelFront.responsesTaken.at(c),
    ResponseSlot.value.at2(c, 0),
    ResponseSlot.value.count,
    r,
  );
  yield* evtchnSend(v, readLocal(Channel.backPort.at(c)));
}

/** The domain that granted the pages of a request. */
export function frontDomain(r: number): number {
  return domainOf(readLocal(Channel.front.at(channelOf(r))));
}

/** Does the request have the device read its pages? */
export function* isWrite(r: number): Op {
  return (yield* read(Request.operation.at(r))) === OPERATION_WRITE ? 1 : 0;
}
