/**
 * What the races of netback have in common: one packet of one grant is on its way through the
 * stack; its callback, the queue's thread and a disconnect meet.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { allocBalloonedPages } from '../../linux/drivers/balloon.ts';
import {
  NetbackQueue,
  NetbackSlot,
  xenvifDeallocKthread,
  xenvifDisconnect,
  xenvifZerocopyCallback,
} from '../../linux/drivers/netback.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, writeLocal } from '../../shared/operations.ts';
import { BACKEND, grantPage } from '../process.ts';
import type { RaceActor } from '../race.ts';
import { mapGrantOverPage } from './backend.ts';

/** The grant is mapped, and its packet in the stack. */
export function* arrangePacket(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* grantPage(0);
  const page = NetbackSlot.page.at2(BACKEND, 0);
  yield* allocBalloonedPages(v, 1, page);
  const handle = yield* mapGrantOverPage(v, 0, readLocal(page));
  writeLocal(NetbackSlot.handle.at2(BACKEND, 0), handle);
  writeLocal(NetbackQueue.inflightPackets.at(BACKEND), 1);
}

/** The thread, the stack that is done with the packet, and the toolstack. */
export const netbackActors: readonly RaceActor[] = [
  { role: 'dealloc thread', vcpu: 0, body: () => xenvifDeallocKthread(0) },
  { role: 'packet done', vcpu: 1, body: () => xenvifZerocopyCallback(1, 0) },
  { role: 'disconnect', vcpu: 2, body: () => xenvifDisconnect(2) },
];
