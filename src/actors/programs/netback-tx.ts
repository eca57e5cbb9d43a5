/**
 * The transmit side of netback (drivers/net/xen-netback/netback.c): two generations.
 *
 * netbackMapTurn   since 3.15 ("xen-netback: Introduce TX grant mapping"): the pages are mapped
 * over
 *                  ballooned ones, not copied. 1. a slot. 2. map, read-only. 3. the handle.
 *                  4. one more packet in flight. 5. a page reference for the packet. 6. the bridge.
 *                  The response comes when the packet's last reference is gone: the callback, then
 *                  the dealloc thread, which unmaps (netbackDeallocTurn).
 * netbackCopyTurn  before: the packet is copied into a page of the backend's own, answered, and
 *                  goes up to the network stack: to the block backend that waits for it.
 */
import { domainOf, kernelBase } from '../../hardware/params.ts';
import { gnttabMapRefs, gnttabSetMapOp } from '../../linux/drivers/map-refs.ts';
import { xenvifTxCopy } from '../../linux/drivers/netback-copy.ts';
import {
  NetbackPending,
  PendingTx,
  givePending,
  pendingPage,
  takePending,
} from '../../linux/drivers/netback-pending.ts';
import {
  NetbackQueue,
  NetbackSlot,
  waitForWork,
  xenvifTxDeallocAction,
} from '../../linux/drivers/netback.ts';
import { ENOMEM } from '../../linux/errno.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { NO_PAGE, getPage, pfnOf, putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { RING_EMPTY } from '../../shared/ring.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { GNTMAP_host_map, GNTMAP_readonly } from '../../xen/public/grant-table.ts';
import { waitForEvent } from '../channel.ts';
import {
  Descriptor,
  FORWARD,
  NIC,
  ReceivePage,
  putSocketCompletion,
  queueOf,
  ring,
  submit,
} from '../storage.ts';
import { Task } from '../task.ts';
import {
  NET_DATA,
  NetRing,
  NetSlot,
  TX,
  XEN_NETIF_RSP_ERROR,
  putNetResponse,
  tryTakeNetRequest,
} from '../vif.ts';

/** struct gnttab_map_grant_ref of the packet in hand. */
export const NetbackMapOp = defineTable('%v.netback.map_op', ['vcpus'], {
  hostAddr: '[GST] vpn in the direct map',
  flags: '[GST] GNTMAP_*',
  ref: '[GST] grant',
  dom: '[GST] who grants it',
  status: '[XEN] GNTST_*',
  handle: '[XEN] of the mapping',
  devBusAddr: '[XEN] machine frame',
  pad: '[BOOT] 0',
});

/** Waits for a packet of any guest. @returns its ring; its slot is in Task.index. */
function* takePacket(v: number): Op {
  const rings = NetRing.back.count;
  for (;;) {
    const last = readLocal(Task.lastChannel.at(v));
    for (let i = 1; i <= rings; i++) {
      const n = (last + i) % rings;
      if (n % 2 !== TX || readLocal(NetRing.back.at(n)) !== v) continue;
      const slot = yield* tryTakeNetRequest(n);
      if (slot === RING_EMPTY) continue;
      writeLocal(Task.lastChannel.at(v), n);
      writeLocal(Task.index.at(v), slot);
      return n;
    }
    yield* waitForEvent(v);
  }
}

/** xenvif_idx_release(): the slot is free, then the response visible. @param slot - pending_idx. */
function* idxRelease(v: number, slot: number, status: number): Op<void> {
  const d = domainOf(v);
  const n = yield* read(PendingTx.ring.at2(d, slot));
  const id = yield* read(PendingTx.id.at2(d, slot));
  yield* spinLock(NetbackPending.responseLock.at(d));
  yield* write(NetSlot.status.at2(n, id), status);
  yield* givePending(d, slot);
  yield* putNetResponse(v, n, id);
  yield* spinUnlock(NetbackPending.responseLock.at(d));
}

/** xenvif_tx_create_map_op() and gnttab_map_refs(). @returns GNTST_*. */
function* mapPacket(v: number, slot: number): Op {
  const d = domainOf(v);
  const page = pendingPage(d, slot);
  const vpn = kernelBase() + pfnOf(readLocal(page));
  const ref = yield* read(PendingTx.gref.at2(d, slot));
  const domid = yield* read(PendingTx.domid.at2(d, slot));
  const op = NetbackMapOp.hostAddr.at(v);
  gnttabSetMapOp(op, vpn, GNTMAP_host_map | GNTMAP_readonly, ref, domid);
  yield* gnttabMapRefs(v, op, 0, page, 1);
  return yield* read(NetbackMapOp.status.at(v));
}

/** One turn: maps a packet and gives it to the bridge. @param v - vCPU of the driver domain. */
export function* netbackMapTurn(v: number): Op<void> {
  const d = domainOf(v);
  const n = yield* takePacket(v);
  const id = readLocal(Task.index.at(v));
  const domid = domainOf(readLocal(NetRing.front.at(n)));
  const ref = yield* read(NetSlot.ref.at2(n, id));
  const checksum = yield* read(NetSlot.checksum.at2(n, id));
  const slot = yield* takePending(d, domid, ref, n, id);
  if ((yield* mapPacket(v, slot)) !== 0) {
    yield* idxRelease(v, slot, XEN_NETIF_RSP_ERROR);
    return;
  }
  yield* write(NetbackSlot.handle.at2(d, slot), yield* read(NetbackMapOp.handle.at(v)));
  yield* fetchAdd(NetbackQueue.inflightPackets.at(d), 1);
  const pg = readLocal(pendingPage(d, slot));
  yield* getPage(pg);
  yield* submit(queueOf(NIC, v), FORWARD, pg, 0, slot, checksum);
  yield* ring(NIC);
}

/**
 * One turn of the dealloc thread: waits for packets that are consumed, unmaps them and answers.
 * @param v - vCPU of the driver domain.
 */
export function* netbackDeallocTurn(v: number): Op<void> {
  const d = domainOf(v);
  yield* waitForWork(d);
  const from = yield* read(NetbackQueue.deallocCons.at(d));
  yield* xenvifTxDeallocAction(v);
  const to = yield* read(NetbackQueue.deallocCons.at(d));
  for (let i = from; i !== to; i++) {
    const index = i % NetbackSlot.deallocRing.count;
    yield* idxRelease(v, yield* read(NetbackSlot.deallocRing.at2(d, index)), 0);
  }
}

/** Copies the page of a packet and hands it to who waits for it. @returns 0 or -ENOMEM. */
function* receiveData(v: number, n: number, id: number): Op {
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return -ENOMEM;
  const domid = domainOf(readLocal(NetRing.front.at(n)));
  const status = yield* xenvifTxCopy(v, pg, domid, yield* read(NetSlot.ref.at2(n, id)));
  if (status !== 0) {
    yield* putPage(v, pg);
    return status;
  }
  yield* write(ReceivePage.value.at(yield* read(NetSlot.tag.at2(n, id))), pg);
  return 0;
}

/** One turn: takes a packet from the storage guest. @param v - vCPU of the driver domain. */
export function* netbackCopyTurn(v: number): Op<void> {
  const n = yield* takePacket(v);
  const id = readLocal(Task.index.at(v));
  const tag = yield* read(NetSlot.tag.at2(n, id));
  let result = yield* read(NetSlot.result.at2(n, id));
  if ((yield* read(NetSlot.kind.at2(n, id))) === NET_DATA) result = yield* receiveData(v, n, id);
  yield* write(NetSlot.status.at2(n, id), 0);
  yield* putNetResponse(v, n, id);
  yield* putSocketCompletion((tag / Descriptor.page.count) | 0, result);
}
