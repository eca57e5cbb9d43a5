/**
 * The page that Xen and a guest share about events, 2-level ABI (xen/include/public/xen.h: struct
 * shared_info, struct vcpu_info).
 *
 * pending  one bit a port, set by Xen, cleared by the guest before it handles the event
 * mask     one bit a port, set and cleared by the guest; unmasking goes by evtchnUnmask if the
 *          port may be another vCPU's
 * pendingSel  one bit a word of `pending`, for each vCPU: which words to look at
 * upcall_pending and upcall_mask are Vcpu.upcall of the hardware.
 *
 * Setting: 1. pending. 2. if not masked, pendingSel. 3. if it was clear, upcall. Handling takes
 * them in the other order, so that none is lost. All are atomic bit operations.
 */
import type { Op } from '../shared/op.ts';
import { fetchAnd, fetchOr, readOnce } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { EVTCHN_PORTS_PER_WORD_SHIFT } from './public/event-channel.ts';

export const SharedInfo = defineTable('shared_info[d%].word[%]', ['domains', 'evtchnWords'], {
  pending: '[XEN,GST] evtchn_pending: one bit a port',
  mask: '[GST] evtchn_mask: one bit a port',
});

export const VcpuInfo = defineTable(
  '%v.vcpu_info',
  ['vcpus'],
  { pendingSel: '[XEN,GST] evtchn_pending_sel: one bit a word of pending' },
  { lineAligned: true },
);

/** The word of the pending bit of a port: what a guest awaits. @param d - domain of the port. */
export function evtchnPendingWord(d: number, port: number): number {
  return SharedInfo.pending.at2(d, port >> EVTCHN_PORTS_PER_WORD_SHIFT);
}

/** The word of the mask bit of a port. @param d - domain of the port. */
export function evtchnMaskWord(d: number, port: number): number {
  return SharedInfo.mask.at2(d, port >> EVTCHN_PORTS_PER_WORD_SHIFT);
}

/** The bit of a port in those words. */
export function evtchnBit(port: number): number {
  return 1 << (port & ((1 << EVTCHN_PORTS_PER_WORD_SHIFT) - 1));
}

/** Linux drivers/xen/events/events_2l.c: clear_evtchn. @returns 1 if the event was pending. */
export function* evtchnTestAndClearPending(d: number, port: number): Op {
  const before = yield* fetchAnd(evtchnPendingWord(d, port), ~evtchnBit(port));
  return (before & evtchnBit(port)) !== 0 ? 1 : 0;
}

/** Linux drivers/xen/events/events_2l.c: mask_evtchn. */
export function* evtchnMask(d: number, port: number): Op<void> {
  yield* fetchOr(evtchnMaskWord(d, port), evtchnBit(port));
}

/** Is the port masked? @returns 0 or 1. */
export function* evtchnIsMasked(d: number, port: number): Op {
  return ((yield* readOnce(evtchnMaskWord(d, port))) & evtchnBit(port)) !== 0 ? 1 : 0;
}
