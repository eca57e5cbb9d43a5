/**
 * netback's callback woke the thread and only then counted the packet as done. A thread that was
 * to stop looked in between, found a packet in flight, and slept for ever.
 *
 * The functions are those of Linux 4.1 (drivers/net/xen-netback/netback.c:
 * xenvif_zerocopy_callback(); interface.c: xenvif_skb_zerocopy_complete()).
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf } from '../../hardware/params.ts';
import {
  NetbackQueue,
  putDealloc,
  xenvifSkbZerocopyComplete,
  xenvifZerocopyCallback,
} from '../../linux/drivers/netback.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { wakeUp } from '../../shared/wait-queue.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { arrangePacket, netbackActors } from './netback.ts';

/** Linux 4.1: the wake-up comes with the slot. */
export function* callbackThatWakes(v: number, slot: number): Op<void> {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(NetbackQueue.callbackLock.at(d));
  yield* putDealloc(v, slot);
  yield* wakeUp(NetbackQueue.deallocWq.at(d));
  yield* spinUnlock(NetbackQueue.callbackLock.at(d));
  yield* localIrqRestore(v, flags);
  yield* xenvifSkbZerocopyComplete(d);
}

/** Linux 4.1: the packet is counted as done, and nobody is told. */
export function* completeWithoutWake(d: number): Op<void> {
  yield* fetchAdd(NetbackQueue.inflightPackets.at(d), -1);
}

export const lostWakeUp: Race = {
  name: 'l26-lost-wake-up',
  about: 'netback is disconnected while the stack gives its last packet back.',
  sources: [
    'Linux 4.1, drivers/net/xen-netback/netback.c: xenvif_zerocopy_callback()',
    'Linux 4.2, commit 57b229063ae6',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange: arrangePacket,
  actors: netbackActors,
  kernelThreads: [],
  bug: {
    id: 'L26',
    title: 'The thread is woken before what it waits for has come',
    story: [
      'A disconnect tells the thread to stop; a packet is in flight, so it must wait.',
      'The callback of the packet puts the slot into the ring and wakes the thread.',
      'The thread unmaps, looks for the packets in flight: still one. It sleeps.',
      'The callback counts the packet as done. Nobody wakes the thread again.',
      'The disconnect waits for the thread for ever.',
    ],
    breaks: ['deadlock'],
    fix: 'Count the packet as done first, and wake the thread afterwards.',
    fixedIn: 'Linux 4.2, commit 57b229063ae6',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(xenvifZerocopyCallback, callbackThatWakes),
        replaces(xenvifSkbZerocopyComplete, completeWithoutWake),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
