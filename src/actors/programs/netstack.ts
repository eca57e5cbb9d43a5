/**
 * The network stack's transmit completion (net/core/skbuff.c: skb_release_data(), softirq) on the
 * networked disk: for every packet that the card is through with, it drops the reference that the
 * packet held on its page, and tells the block backend of the acknowledgement.
 *
 * With late DMA a second copy of the packet is on its way when the acknowledgement of the first
 * completes the request: its reference outlives the completion, and the card reads the page again
 * (3f9f1c67572f, "xen/grant-table: add helpers for allocating pages", and the series it is of).
 */
import type { Op } from '../../shared/op.ts';
import { read, storeRelease } from '../../shared/operations.ts';
import { ringGet } from '../../shared/ring.ts';
import { putPage } from '../../linux/mm/page.ts';
import { Descriptor, QueueDevice, RETRANSMIT, Sent, SentSlot, putCompletion } from '../storage.ts';

/** One turn: waits for a packet that has gone out. @param v - vCPU of the driver domain. */
export function* netstackTurn(v: number): Op<void> {
  const slots = SentSlot.value.count;
  const n = yield* ringGet(Sent.produced.word, Sent.taken.word, SentSlot.value.word, slots);
  const q = (n / Descriptor.page.count) | 0;
  const slot = n % Descriptor.page.count;
  const operation = yield* read(Descriptor.operation.at2(q, slot));
  const status = yield* read(Descriptor.status.at2(q, slot));
  const pg = yield* read(Descriptor.page.at2(q, slot));
  if (pg >= 0) yield* putPage(v, pg);
  const freed = yield* read(QueueDevice.freed.at(q));
  yield* storeRelease(QueueDevice.freed.at(q), (freed + 1) | 0);
  if (operation !== RETRANSMIT) yield* putCompletion(q, status);
}
