/**
 * Event channels in the guest: drivers/xen/events/events_base.c and events_2l.c, the part that
 * drivers with handlers use. Ports without a handler are awaited by who bound them and are left
 * alone.
 *
 *   EventPort.handler  EVENT_* of who handles the port's events, 0: nobody             [GST]
 *   EventPort.refcnt   -1: not counted, else users of the port: its binding, and each driver that
 *                      was told the port by a program (evtchn_get)                    [GST]
 *
 * The upcall (evtchn_2l_handle_events()): 1. take the selector. 2. of each selected word, the ports
 * that are pending and not masked. 3. mask (mask_ack of a lateeoi chip), clear pending, handle. A
 * lateeoi port stays masked until its user says that it is done (xenIrqLateeoi).
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { awaitNotEqual, read, readOnce, write, xchg } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { evtchnBindVcpu, evtchnClose, evtchnUnmask } from '../../xen/event-channel.ts';
import { EVTCHN_PORTS_PER_WORD_SHIFT } from '../../xen/public/event-channel.ts';
import {
  SharedInfo,
  VcpuInfo,
  evtchnBit,
  evtchnMask,
  evtchnTestAndClearPending,
} from '../../xen/shared-info.ts';
import { EINVAL, ENOENT } from '../errno.ts';
import { evtchnInterrupt } from './evtchn/interrupt.ts';

/** Nobody handles the port. */
export const EVENT_NONE = 0;
/** drivers/xen/evtchn.c: a program that has the port through /dev/xen/evtchn. */
export const EVENT_USER = 1;

export const EventPort = defineTable('linux[d%].irq_info[%]', ['domains', 'ports'], {
  handler: '[GST] EVENT_*; constant while bound',
  refcnt: '[GST] users of the port + 1; 0: it is not counted (irq_info.refcnt is -1)',
});

/** The record of a port, or a negative errno. drivers/xen/events: get_evtchn_to_irq() */
function* boundPort(d: number, port: number): Op {
  if (port <= 0 || port >= EventPort.handler.count) return -EINVAL;
  if ((yield* read(EventPort.handler.at2(d, port))) === EVENT_NONE) return -ENOENT;
  return port;
}

/**
 * drivers/xen/events: bind_evtchn_to_irqhandler_lateeoi(): from now on the handler is called.
 * @param v - vCPU of the task. @param port - open port of the domain. @param handler - EVENT_*.
 */
export function* bindEvtchnToIrqhandler(v: number, port: number, handler: number): Op<void> {
  const d = domainOf(v);
  yield* write(EventPort.refcnt.at2(d, port), 0);
  yield* write(EventPort.handler.at2(d, port), handler);
  yield* evtchnBindVcpu(v, port, v);
  yield* evtchnUnmask(v, port);
}

/** drivers/xen/events: evtchn_make_refcounted() */
export function* evtchnMakeRefcounted(d: number, port: number): Op<void> {
  yield* write(EventPort.refcnt.at2(d, port), 2);
}

/**
 * drivers/xen/events: evtchn_get(): a driver is told a port by a program.
 * @returns 0; -EINVAL or -ENOENT if no program has the port.
 */
export function* evtchnGet(d: number, port: number): Op {
  const bound = yield* boundPort(d, port);
  if (bound < 0) return bound;
  const count = yield* read(EventPort.refcnt.at2(d, port));
  if (count <= 1) return -EINVAL;
  yield* write(EventPort.refcnt.at2(d, port), count + 1);
  return 0;
}

/** drivers/xen/events: unbind_from_irq(): the last user is gone, and the port is closed. */
function* unbindFromIrq(v: number, port: number): Op<void> {
  const d = domainOf(v);
  yield* evtchnMask(d, port);
  yield* write(EventPort.handler.at2(d, port), EVENT_NONE);
  yield* evtchnClose(v, port);
}

/** drivers/xen/events: evtchn_put() */
export function* evtchnPut(v: number, port: number): Op<void> {
  const d = domainOf(v);
  if ((yield* boundPort(d, port)) < 0) return;
  const count = (yield* read(EventPort.refcnt.at2(d, port))) - 1;
  yield* write(EventPort.refcnt.at2(d, port), count);
  if (count <= 1) yield* unbindFromIrq(v, port);
}

/** drivers/xen/events: xen_irq_lateeoi(): the port's next event may come. */
export function* xenIrqLateeoi(v: number, port: number): Op<void> {
  yield* evtchnUnmask(v, port);
}

/** The handler of one port. */
function* handlePort(d: number, port: number): Op<void> {
  const handler = yield* read(EventPort.handler.at2(d, port));
  if (handler === EVENT_NONE) return;
  yield* evtchnMask(d, port);
  yield* evtchnTestAndClearPending(d, port);
  if (handler === EVENT_USER) yield* evtchnInterrupt(d, port);
}

/** drivers/xen/events: evtchn_2l_handle_events(). @param v - vCPU that was told. */
export function* evtchnHandleEvents(v: number): Op<void> {
  const d = domainOf(v);
  const selected = yield* xchg(VcpuInfo.pendingSel.at(v), 0);
  for (let word = 0; word < SharedInfo.pending.count; word++) {
    if (((selected >>> word) & 1) === 0) continue;
    const pending = yield* readOnce(SharedInfo.pending.at2(d, word));
    const active = pending & ~(yield* readOnce(SharedInfo.mask.at2(d, word)));
    for (let bit = 0; bit < 1 << EVTCHN_PORTS_PER_WORD_SHIFT; bit++) {
      const port = (word << EVTCHN_PORTS_PER_WORD_SHIFT) + bit;
      if ((active & evtchnBit(port)) !== 0) yield* handlePort(d, port);
    }
  }
}

/** The upcalls of a vCPU as an actor. @param v - the vCPU. */
export function* eventsActor(v: number): Op<void> {
  for (;;) {
    yield* awaitNotEqual(VcpuInfo.pendingSel.at(v), -1, 0);
    yield* evtchnHandleEvents(v);
  }
}
