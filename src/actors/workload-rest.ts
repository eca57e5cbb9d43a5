/**
 * Is there work under way? Asked from outside, when no actor runs or when all wait: every request
 * is answered, every descriptor is free, no deferred call waits.
 */
import { domainCount } from '../hardware/params.ts';
import { Deferred } from '../shared/deferred.ts';
import { readLocal } from '../shared/operations.ts';
import { ChannelBack, ChannelFront } from './channel.ts';
import { NetbackQueue } from '../linux/drivers/netback.ts';
import { Queue, QueueDevice, Sent } from './storage.ts';
import { NetRing, NetRingBack, NetRingFront, TX } from './vif.ts';

function same(one: number, other: number): boolean {
  return readLocal(one) === readLocal(other);
}

/** Has every packet been taken and, if it was sent, given back? Buffers wait in their rings. */
function networkIsAtRest(): boolean {
  for (let n = 0; n < NetRing.front.count; n++) {
    if (!same(NetRingBack.responsesPut.at(n), NetRingFront.responsesTaken.at(n))) return false;
    if (n % 2 !== TX) continue;
    if (!same(NetRingFront.requestsPut.at(n), NetRingFront.responsesTaken.at(n))) return false;
  }
  for (let d = 0; d < domainCount(); d++) {
    if (readLocal(NetbackQueue.inflightPackets.at(d)) !== 0) return false;
    if (!same(NetbackQueue.deallocProd.at(d), NetbackQueue.deallocCons.at(d))) return false;
  }
  return true;
}

/** Have all rings and queues of the attached machine run dry? */
export function isAtRest(): boolean {
  for (let c = 0; c < ChannelFront.requestsPut.count; c++) {
    if (!same(ChannelFront.requestsPut.at(c), ChannelBack.requestsTaken.at(c))) return false;
    if (!same(ChannelBack.responsesPut.at(c), ChannelFront.responsesTaken.at(c))) return false;
    if (!same(ChannelFront.requestsPut.at(c), ChannelFront.responsesTaken.at(c))) return false;
  }
  for (let q = 0; q < Queue.produced.count; q++) {
    if (!same(Queue.produced.at(q), QueueDevice.freed.at(q))) return false;
  }
  if (!same(Sent.produced.word, Sent.taken.word)) return false;
  if (!networkIsAtRest()) return false;
  for (let d = 0; d < domainCount(); d++) {
    if (readLocal(Deferred.pending.at(d)) !== 0) return false;
  }
  return true;
}
