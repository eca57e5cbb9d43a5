/**
 * netback's thread stopped when it was told to, with packets in flight. Their callbacks came later
 * and found nobody; the grants stayed mapped, and freeing the interface waited for them for ever.
 *
 * The function is that of Linux 3.16 (drivers/net/xen-netback/netback.c:
 * xenvif_dealloc_kthread()): its test for the end did not know of packets in flight.
 */
import { NetbackQueue, deallocKthreadShouldStop } from '../../linux/drivers/netback.ts';
import type { Op } from '../../shared/op.ts';
import { readOnce } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { arrangePacket, netbackActors } from './netback.ts';

/** Linux 3.16: kthread_should_stop() */
export function* shouldStopAtOnce(d: number): Op {
  return yield* readOnce(NetbackQueue.shouldStop.at(d));
}

export const threadStoppedEarly: Race = {
  name: 'l25-thread-stopped-early',
  about: 'netback is disconnected while a packet is on its way through the stack.',
  sources: [
    'Linux 3.16, drivers/net/xen-netback/netback.c: xenvif_dealloc_kthread()',
    'Linux 3.17, commit a64bd934528e',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange: arrangePacket,
  actors: netbackActors,
  kernelThreads: [],
  bug: {
    id: 'L25',
    title: 'The thread that unmaps ends while packets are in flight',
    story: [
      'A packet with a page of the frontend is on its way through the stack.',
      'A disconnect tells the thread to stop. The ring is empty: the thread ends.',
      'The packet is done: its callback puts the slot into the ring, which nobody looks at.',
      'The grant stays mapped, and freeing the interface waits for its slot for ever.',
    ],
    breaks: ['deadlock'],
    fix: 'Count the packets in flight; the thread ends when there are none.',
    fixedIn: 'Linux 3.17, commit a64bd934528e',
    before: {
      design: 'vma-pages',
      overrides: [replaces(deallocKthreadShouldStop, shouldStopAtOnce)],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
