/**
 * Event channels between domains (xen/common/event_channel.c, xen/common/event_2l.c).
 *
 * A port is closed, unbound (one domain may bind it) or interdomain (connected to a port of
 * another domain). Sending on a port pends the other end and, if that is not masked, the upcall of
 * the vCPU it is bound to.
 *
 * eventLock  rwlock of a domain: its ports are allocated, bound and closed under it for writing;
 *            of two domains the smaller number first.
 * lock       rwlock of a port: read by senders, written by whoever changes the state; of two ports
 *            the one of the smaller (domain, number) first. Inside eventLock.
 * Port 0 is never used. Not modelled: VIRQs, IPIs and pirqs as ports, pollers, the FIFO ABI.
 */
import { markEventsPending } from '../hardware/irq.ts';
import { domainOf, firstVcpuOf } from '../hardware/params.ts';
import type { Op } from '../shared/op.ts';
import { fetchAnd, fetchOr, read, readLocal, readOnce, write } from '../shared/operations.ts';
import { readLock, readUnlock, writeLock, writeUnlock } from '../shared/rwlock.ts';
import { defineTable } from '../shared/table.ts';
import { NO_DOMAIN, rcuLockDomainByAnyId } from './domain.ts';
import { XenParams } from './params.ts';
import {
  EVTCHNSTAT_closed,
  EVTCHNSTAT_interdomain,
  EVTCHNSTAT_unbound,
  EVTCHN_PORTS_PER_WORD_SHIFT,
} from './public/event-channel.ts';
import { DOMID_SELF, XEN_EINVAL, XEN_ENOSPC, XEN_ESRCH } from './public/xen.ts';
import { VcpuInfo, evtchnBit, evtchnMaskWord, evtchnPendingWord } from './shared-info.ts';

export const Evtchn = defineTable('evtchn[d%].port[%]', ['domains', 'ports'], {
  state: '[XEN] EVTCHNSTAT_*; both locks to change it',
  remoteDomid: '[XEN] unbound: who may bind; interdomain: domain of the other end',
  remotePort: '[XEN] interdomain: the other end',
  notifyVcpu: '[XEN] machine-wide vCPU whose upcall an event pends',
  lock: '[XEN] rwlock of the port',
});

export const EventLock = defineTable(
  'event_lock[d%]',
  ['domains'],
  { lock: '[XEN] rwlock: ports of the domain are bound and closed under it' },
  { lineAligned: true },
);

function validPort(port: number): boolean {
  return port > 0 && port < readLocal(XenParams.ports.word);
}

function* lockBoth(d1: number, d2: number): Op<void> {
  yield* writeLock(EventLock.lock.at(d1 < d2 ? d1 : d2));
  if (d1 !== d2) yield* writeLock(EventLock.lock.at(d1 < d2 ? d2 : d1));
}

function* unlockBoth(d1: number, d2: number): Op<void> {
  yield* writeUnlock(EventLock.lock.at(d1));
  if (d1 !== d2) yield* writeUnlock(EventLock.lock.at(d2));
}

/** xen/common/event_channel.c: double_evtchn_lock(). The ports differ. */
function* doubleEvtchnLock(d1: number, port1: number, d2: number, port2: number): Op<void> {
  const one = Evtchn.lock.at2(d1, port1);
  const two = Evtchn.lock.at2(d2, port2);
  yield* writeLock(one < two ? one : two);
  yield* writeLock(one < two ? two : one);
}

/** xen/common/event_channel.c: evtchn_get_port(). The caller holds eventLock. @returns port. */
function* getFreePort(d: number): Op {
  for (let port = 1; port < readLocal(XenParams.ports.word); port++) {
    if ((yield* read(Evtchn.state.at2(d, port))) === EVTCHNSTAT_closed) return port;
  }
  return -XEN_ENOSPC;
}

/** xen/common/event_2l.c: evtchn_2l_set_pending(). The order of the three steps is strict. */
function* setPending(d: number, port: number): Op<void> {
  const bit = evtchnBit(port);
  const before = yield* fetchOr(evtchnPendingWord(d, port), bit);
  if ((before & bit) !== 0) return;
  if (((yield* readOnce(evtchnMaskWord(d, port))) & bit) !== 0) return;
  yield* notifyVcpuOf(d, port);
}

/** Selects the port's word for its vCPU and, if that was not done yet, pends the upcall. */
function* notifyVcpuOf(d: number, port: number): Op<void> {
  const v = yield* readOnce(Evtchn.notifyVcpu.at2(d, port));
  const sel = 1 << (port >> EVTCHN_PORTS_PER_WORD_SHIFT);
  const before = yield* fetchOr(VcpuInfo.pendingSel.at(v), sel);
  if ((before & sel) === 0) yield* markEventsPending(v);
}

/**
 * EVTCHNOP_alloc_unbound for the caller's own domain.
 * xen/common/event_channel.c: evtchn_alloc_unbound()
 * @param remoteDomid - who may bind it. @returns port, or a negative errno.
 */
export function* evtchnAllocUnbound(v: number, remoteDomid: number): Op {
  const d = domainOf(v);
  yield* writeLock(EventLock.lock.at(d));
  const port = yield* getFreePort(d);
  if (port > 0) {
    yield* writeLock(Evtchn.lock.at2(d, port));
    yield* write(Evtchn.state.at2(d, port), EVTCHNSTAT_unbound);
    yield* write(Evtchn.remoteDomid.at2(d, port), remoteDomid === DOMID_SELF ? d : remoteDomid);
    yield* portInit(d, port);
    yield* writeUnlock(Evtchn.lock.at2(d, port));
  }
  yield* writeUnlock(EventLock.lock.at(d));
  return port;
}

/** xen/common/event_2l.c and evtchn_port_init(): a new port tells the domain's first vCPU. */
function* portInit(d: number, port: number): Op<void> {
  yield* write(Evtchn.notifyVcpu.at2(d, port), firstVcpuOf(d));
  yield* fetchAnd(evtchnPendingWord(d, port), ~evtchnBit(port));
}

/**
 * EVTCHNOP_bind_interdomain. xen/common/event_channel.c: evtchn_bind_interdomain()
 * @param remoteDomid - domain of an unbound port. @param remotePort - that port.
 * @returns the local port, pending at once since notifications may have been lost; or an errno.
 */
export function* evtchnBindInterdomain(v: number, remoteDomid: number, remotePort: number): Op {
  const ld = domainOf(v);
  const rd = yield* rcuLockDomainByAnyId(v, remoteDomid);
  if (rd === NO_DOMAIN) return -XEN_ESRCH;
  if (!validPort(remotePort)) return -XEN_EINVAL;
  yield* lockBoth(ld, rd);
  let port = yield* getFreePort(ld);
  if (
    port > 0 &&
    ((yield* read(Evtchn.state.at2(rd, remotePort))) !== EVTCHNSTAT_unbound ||
      (yield* read(Evtchn.remoteDomid.at2(rd, remotePort))) !== ld)
  ) {
    port = -XEN_EINVAL;
  }
  if (port > 0) {
    yield* doubleEvtchnLock(ld, port, rd, remotePort);
    yield* write(Evtchn.remoteDomid.at2(ld, port), rd);
    yield* write(Evtchn.remotePort.at2(ld, port), remotePort);
    yield* write(Evtchn.state.at2(ld, port), EVTCHNSTAT_interdomain);
    yield* portInit(ld, port);
    yield* write(Evtchn.remoteDomid.at2(rd, remotePort), ld);
    yield* write(Evtchn.remotePort.at2(rd, remotePort), port);
    yield* write(Evtchn.state.at2(rd, remotePort), EVTCHNSTAT_interdomain);
    yield* setPending(ld, port);
    yield* writeUnlock(Evtchn.lock.at2(ld, port));
    yield* writeUnlock(Evtchn.lock.at2(rd, remotePort));
  }
  yield* unlockBoth(ld, rd);
  return port;
}

/**
 * EVTCHNOP_send. xen/common/event_channel.c: evtchn_send()
 * @param port - port of the caller's domain. @returns 0 or a negative errno.
 */
export function* evtchnSend(v: number, port: number): Op {
  const ld = domainOf(v);
  if (!validPort(port)) return -XEN_EINVAL;
  yield* readLock(Evtchn.lock.at2(ld, port));
  const state = yield* read(Evtchn.state.at2(ld, port));
  let status = 0;
  if (state === EVTCHNSTAT_interdomain) {
    const rd = yield* read(Evtchn.remoteDomid.at2(ld, port));
    yield* setPending(rd, yield* read(Evtchn.remotePort.at2(ld, port)));
  } else if (state !== EVTCHNSTAT_unbound) {
    status = -XEN_EINVAL;
  }
  yield* readUnlock(Evtchn.lock.at2(ld, port));
  return status;
}

/**
 * EVTCHNOP_unmask. xen/common/event_2l.c: evtchn_2l_unmask()
 * @param port - port of the caller's domain. @returns 0 or a negative errno.
 */
export function* evtchnUnmask(v: number, port: number): Op {
  const d = domainOf(v);
  if (!validPort(port)) return -XEN_EINVAL;
  const bit = evtchnBit(port);
  const before = yield* fetchAnd(evtchnMaskWord(d, port), ~bit);
  if ((before & bit) === 0) return 0;
  if (((yield* readOnce(evtchnPendingWord(d, port))) & bit) !== 0) yield* notifyVcpuOf(d, port);
  return 0;
}

/**
 * EVTCHNOP_bind_vcpu. xen/common/event_channel.c: evtchn_bind_vcpu()
 * @param port - port of the caller's domain. @param vcpu - machine-wide vCPU of that domain.
 * @returns 0 or a negative errno.
 */
export function* evtchnBindVcpu(v: number, port: number, vcpu: number): Op {
  const d = domainOf(v);
  if (!validPort(port) || domainOf(vcpu) !== d) return -XEN_EINVAL;
  yield* writeLock(EventLock.lock.at(d));
  let status = -XEN_EINVAL;
  if ((yield* read(Evtchn.state.at2(d, port))) !== EVTCHNSTAT_closed) {
    yield* write(Evtchn.notifyVcpu.at2(d, port), vcpu);
    status = 0;
  }
  yield* writeUnlock(EventLock.lock.at(d));
  return status;
}

/**
 * EVTCHNOP_close: the other end becomes unbound. xen/common/event_channel.c: evtchn_close()
 * Xen takes the second domain's lock after the first and starts over if the order is wrong; here
 * the state is read first, and the same start over covers a port that changed meanwhile.
 * @param port - port of the caller's domain. @returns 0 or a negative errno.
 */
export function* evtchnClose(v: number, port: number): Op {
  const d1 = domainOf(v);
  if (!validPort(port)) return -XEN_EINVAL;
  yield* writeLock(EventLock.lock.at(d1));
  const state = yield* read(Evtchn.state.at2(d1, port));
  const d2 = yield* read(Evtchn.remoteDomid.at2(d1, port));
  if (state === EVTCHNSTAT_interdomain && d2 !== d1) {
    yield* writeUnlock(EventLock.lock.at(d1));
    yield* lockBoth(d1, d2);
    const status = yield* closeInterdomain(d1, port, d2);
    yield* unlockBoth(d1, d2);
    return status;
  }
  let status = -XEN_EINVAL;
  if (state === EVTCHNSTAT_interdomain) {
    status = yield* closeInterdomain(d1, port, d1);
  } else if (state === EVTCHNSTAT_unbound) {
    yield* writeLock(Evtchn.lock.at2(d1, port));
    yield* write(Evtchn.state.at2(d1, port), EVTCHNSTAT_closed);
    yield* writeUnlock(Evtchn.lock.at2(d1, port));
    status = 0;
  }
  yield* writeUnlock(EventLock.lock.at(d1));
  return status;
}

/** Closes one end under both domains' locks, if it is still connected to that domain. */
function* closeInterdomain(d1: number, port1: number, d2: number): Op {
  if (
    (yield* read(Evtchn.state.at2(d1, port1))) !== EVTCHNSTAT_interdomain ||
    (yield* read(Evtchn.remoteDomid.at2(d1, port1))) !== d2
  ) {
    return -XEN_EINVAL;
  }
  const port2 = yield* read(Evtchn.remotePort.at2(d1, port1));
  yield* doubleEvtchnLock(d1, port1, d2, port2);
  yield* write(Evtchn.state.at2(d1, port1), EVTCHNSTAT_closed);
  yield* write(Evtchn.state.at2(d2, port2), EVTCHNSTAT_unbound);
  yield* write(Evtchn.remoteDomid.at2(d2, port2), d1);
  yield* writeUnlock(Evtchn.lock.at2(d1, port1));
  yield* writeUnlock(Evtchn.lock.at2(d2, port2));
  return 0;
}
