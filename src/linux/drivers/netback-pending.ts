/**
 * Packets of guests that a network backend has mapped: drivers/net/xen-netback/netback.c,
 * pending_tx_info[] and pending_ring[] (xenvif_tx_create_map_op(), xenvif_idx_release()).
 *
 * prod          who gives slots back, under responseLock   [dealloc thread, tx]
 * cons          the tx side                                [tx]
 * pendingRing   free slots
 *
 * Giving back: under responseLock 1. the response into the ring. 2. the slot. 3. prod + 1.
 * 4. the response becomes visible (the caller's): a guest that sees it may send at once, and must
 * find a slot ("xen-netback: release pending index before pushing Tx responses", 4.0).
 */
import type { Op } from '../../shared/op.ts';
import {
  awaitNotEqual,
  read,
  readOnce,
  storeRelease,
  write,
  writeLocal,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { NetbackSlot } from './netback.ts';

export const NetbackPending = defineTable(
  'linux[d%].netback.pending',
  ['domains'],
  {
    responseLock: '[GST] spinlock of the responses to the guests',
    prod: '[GST] slots that were given back, under responseLock',
    cons: '[GST] slots that the tx side has taken',
  },
  { lineAligned: true },
);

export const PendingTx = defineTable('linux[d%].netback.pending[%]', ['domains', 'netbackSlots'], {
  pendingRing: '[GST] pending_ring[]: a free slot',
  domid: '[GST] pending_tx_info[]: who sends',
  gref: '[GST] pending_tx_info[]: grant of the packet',
  ring: '[GST] pending_tx_info[]: ring that the request came by',
  id: '[GST] pending_tx_info[]: number of the request in it',
});

/** xenvif_init_queue(): all slots are free. @param d - domain. */
export function initPending(d: number): void {
  const slots = PendingTx.gref.count;
  for (let i = 0; i < slots; i++) writeLocal(PendingTx.pendingRing.at2(d, i), i);
  writeLocal(NetbackPending.prod.at(d), slots);
}

/**
 * The tx side takes a slot, waiting for one, and notes the request in it.
 * @param d - domain. @param domid - who sends. @param gref - grant of the packet.
 * @param ring - that the request came by. @param id - its number there. @returns pending_idx.
 */
export function* takePending(d: number, domid: number, gref: number, ring: number, id: number): Op {
  const cons = yield* read(NetbackPending.cons.at(d));
  yield* awaitNotEqual(NetbackPending.prod.at(d), -1, cons);
  const slot = yield* read(PendingTx.pendingRing.at2(d, cons % PendingTx.pendingRing.count));
  yield* write(NetbackPending.cons.at(d), cons + 1);
  yield* write(PendingTx.domid.at2(d, slot), domid);
  yield* write(PendingTx.gref.at2(d, slot), gref);
  yield* write(PendingTx.ring.at2(d, slot), ring);
  yield* write(PendingTx.id.at2(d, slot), id);
  return slot;
}

/** Steps 2 and 3 of giving back. The caller holds responseLock. @param slot - pending_idx. */
export function* givePending(d: number, slot: number): Op<void> {
  const prod = yield* readOnce(NetbackPending.prod.at(d));
  yield* write(PendingTx.pendingRing.at2(d, prod % PendingTx.pendingRing.count), slot);
  yield* storeRelease(NetbackPending.prod.at(d), prod + 1);
}

/** The word of the page that a slot's packet is mapped over. */
export function pendingPage(d: number, slot: number): number {
  return NetbackSlot.page.at2(d, slot);
}
