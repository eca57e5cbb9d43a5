/**
 * The end of a zero-copy packet in the network backend: drivers/net/xen-netback (netback.c,
 * interface.c). The stack consumes a packet whose pages are grants of the frontend and calls back,
 * in any context; a thread of the queue unmaps.
 *
 *   callback   1. under callbackLock: the slot into the dealloc ring, write barrier, producer + 1.
 *              2. inflightPackets - 1. 3. wake the thread.
 *   thread     sleeps until there is work, or it shall stop and no packet is in flight; unmaps.
 *   disconnect 1. kthread_stop(). 2. waits until every slot is unmapped (xenvif_free()).
 *
 * deallocProd     callbacks, under callbackLock     deallocCons   the thread
 * inflightPackets 2. of the callback comes before 3.: whoever sleeps for it to become 0 is woken
 *                 after it has (57b229063ae6)
 *
 * Not modelled: the rest of the queue; responses.
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf, kernelBase } from '../../hardware/params.ts';
import { complete, waitForCompletion } from '../../shared/completion.ts';
import type { Op } from '../../shared/op.ts';
import {
  awaitEqual,
  fetchAdd,
  read,
  readOnce,
  smpRmb,
  smpWmb,
  write,
  writeLocal,
  writeOnce,
} from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { finishWait, prepareToWait, waitForWakeUp, wakeUp } from '../../shared/wait-queue.ts';
import { pfnOf } from '../mm/page.ts';
import { INVALID_GRANT_HANDLE, gnttabSetUnmapOp, gnttabUnmapRefs } from './map-refs.ts';
import { UnmapOp, UnmapPage } from './unmap-async.ts';

export const NetbackQueue = defineTable(
  'linux[d%].netback',
  ['domains'],
  {
    callbackLock: '[GST] spinlock of the callbacks, upcalls masked',
    deallocProd: '[GST] slots that were put into the dealloc ring',
    deallocCons: '[GST] slots that the thread has taken',
    deallocWq: '[GST] wait queue of the thread',
    inflightPackets: '[GST] packets whose callback is not through',
    shouldStop: '[GST] KTHREAD_SHOULD_STOP of the thread',
    exited: '[GST] completion: the thread has ended',
  },
  { lineAligned: true },
);

export const NetbackSlot = defineTable('linux[d%].netback.slot[%]', ['domains', 'netbackSlots'], {
  deallocRing: '[GST] dealloc_ring[]: slot to unmap',
  handle: '[GST] grant_tx_handle[]: of the mapping, INVALID_GRANT_HANDLE if there is none',
  page: '[GST] mmap_pages[]: page that the grant is mapped over',
});

/** xenvif_init_queue(), for a queue without packets. @param d - domain. */
export function initNetback(d: number): void {
  for (let i = 0; i < NetbackSlot.handle.count; i++) {
    writeLocal(NetbackSlot.handle.at2(d, i), INVALID_GRANT_HANDLE);
  }
}

/** drivers/net/xen-netback/interface.c: xenvif_skb_zerocopy_complete() */
export function* xenvifSkbZerocopyComplete(d: number): Op<void> {
  yield* fetchAdd(NetbackQueue.inflightPackets.at(d), -1);
  yield* wakeUp(NetbackQueue.deallocWq.at(d));
}

/** The locked part of the callback. @param slot - pending_idx of the packet. */
export function* putDealloc(v: number, slot: number): Op<void> {
  const d = domainOf(v);
  const prod = yield* read(NetbackQueue.deallocProd.at(d));
  const index = prod % NetbackSlot.deallocRing.count;
  yield* write(NetbackSlot.deallocRing.at2(d, index), slot);
  yield* smpWmb();
  yield* writeOnce(NetbackQueue.deallocProd.at(d), prod + 1);
}

/**
 * drivers/net/xen-netback/netback.c: xenvif_zerocopy_callback(), of a packet with one fragment.
 * @param v - vCPU that the stack runs on. @param slot - pending_idx.
 */
export function* xenvifZerocopyCallback(v: number, slot: number): Op<void> {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(NetbackQueue.callbackLock.at(d));
  yield* putDealloc(v, slot);
  yield* spinUnlock(NetbackQueue.callbackLock.at(d));
  yield* localIrqRestore(v, flags);
  yield* xenvifSkbZerocopyComplete(d);
}

/** tx_dealloc_work_todo(). @returns 1 if slots wait. */
export function* txDeallocWorkTodo(d: number): Op {
  const cons = yield* read(NetbackQueue.deallocCons.at(d));
  return (yield* readOnce(NetbackQueue.deallocProd.at(d))) === cons ? 0 : 1;
}

/** drivers/net/xen-netback/netback.c: xenvif_tx_dealloc_action(). @param v - the thread's vCPU. */
export function* xenvifTxDeallocAction(v: number): Op<void> {
  const d = domainOf(v);
  let cons = yield* read(NetbackQueue.deallocCons.at(d));
  let count = 0;
  let prod: number;
  do {
    prod = yield* readOnce(NetbackQueue.deallocProd.at(d));
    yield* smpRmb();
    for (; cons !== prod; cons++) {
      const index = cons % NetbackSlot.deallocRing.count;
      const slot = yield* read(NetbackSlot.deallocRing.at2(d, index));
      const pg = yield* read(NetbackSlot.page.at2(d, slot));
      const handle = yield* read(NetbackSlot.handle.at2(d, slot));
      gnttabSetUnmapOp(UnmapOp.hostAddr.at2(v, count), kernelBase() + pfnOf(pg), handle);
      writeLocal(UnmapPage.value.at2(v, count), pg);
      yield* write(NetbackSlot.handle.at2(d, slot), INVALID_GRANT_HANDLE);
      count++;
    }
  } while ((yield* readOnce(NetbackQueue.deallocProd.at(d))) !== prod);
  yield* write(NetbackQueue.deallocCons.at(d), cons);
  if (count === 0) return;
  const pages = UnmapPage.value.at2(v, 0);
  yield* gnttabUnmapRefs(v, UnmapOp.hostAddr.at2(v, 0), 0, pages, count);
}

/** xenvif_dealloc_kthread_should_stop(): not while packets are in flight. @returns 1 or 0. */
export function* deallocKthreadShouldStop(d: number): Op {
  if ((yield* readOnce(NetbackQueue.shouldStop.at(d))) === 0) return 0;
  return (yield* readOnce(NetbackQueue.inflightPackets.at(d))) === 0 ? 1 : 0;
}

/** wait_event_interruptible() of the thread. */
export function* waitForWork(d: number): Op<void> {
  const wq = NetbackQueue.deallocWq.at(d);
  for (;;) {
    const seen = yield* prepareToWait(wq);
    const go = (yield* txDeallocWorkTodo(d)) === 1 || (yield* deallocKthreadShouldStop(d)) === 1;
    if (!go) yield* waitForWakeUp(wq, seen);
    yield* finishWait(wq);
    if (go) return;
  }
}

/** drivers/net/xen-netback/netback.c: xenvif_dealloc_kthread(). @param v - its vCPU. */
export function* xenvifDeallocKthread(v: number): Op<void> {
  const d = domainOf(v);
  for (;;) {
    yield* waitForWork(d);
    if ((yield* deallocKthreadShouldStop(d)) === 1) break;
    yield* xenvifTxDeallocAction(v);
  }
  if ((yield* txDeallocWorkTodo(d)) === 1) yield* xenvifTxDeallocAction(v);
  yield* complete(NetbackQueue.exited.at(d));
}

/**
 * drivers/net/xen-netback/interface.c: xenvif_disconnect_data() and xenvif_free(): stops the thread
 * (kthread_stop(), which wakes it wherever it sleeps), then waits for the last slot.
 * @param v - vCPU of the toolstack's request.
 */
export function* xenvifDisconnect(v: number): Op<void> {
  const d = domainOf(v);
  yield* writeOnce(NetbackQueue.shouldStop.at(d), 1);
  yield* wakeUp(NetbackQueue.deallocWq.at(d));
  yield* waitForCompletion(NetbackQueue.exited.at(d));
  for (let i = 0; i < NetbackSlot.handle.count; i++) {
    yield* awaitEqual(NetbackSlot.handle.at2(d, i), -1, INVALID_GRANT_HANDLE);
  }
}
