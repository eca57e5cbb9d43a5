/** drivers/xen/evtchn.c: evtchn_interrupt(): an event of a port that a program has. */
import type { Op } from '../../../shared/op.ts';
import { read, smpWmb, write } from '../../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../../shared/spinlock.ts';
import { EvtchnRing, EvtchnUser, UserEvtchn } from './user.ts';

/**
 * The port goes into the ring of its file. 1. the slot. 2. write barrier. 3. ring_prod.
 * @param d - domain. @param port - masked by the caller; stays so until the program writes it.
 */
export function* evtchnInterrupt(d: number, port: number): Op<void> {
  const user = (yield* read(UserEvtchn.user.at2(d, port))) - 1;
  if (user < 0) return;
  yield* write(UserEvtchn.enabled.at2(d, port), 0);
  yield* spinLock(EvtchnUser.prodLock.at(user));
  const prod = yield* read(EvtchnUser.ringProd.at(user));
  const cons = yield* read(EvtchnUser.ringCons.at(user));
  if (prod - cons < EvtchnRing.value.count) {
    yield* write(EvtchnRing.value.at2(user, prod % EvtchnRing.value.count), port);
    yield* smpWmb();
    yield* write(EvtchnUser.ringProd.at(user), prod + 1);
  } else {
    yield* write(EvtchnUser.overflow.at(user), 1);
  }
  yield* spinUnlock(EvtchnUser.prodLock.at(user));
}
