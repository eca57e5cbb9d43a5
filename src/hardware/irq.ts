/**
 * Interrupts of a vCPU: the guest's (virtual, maskable) and Xen's (physical, not maskable by the
 * guest).
 *
 * Virtual: whoever raises one sets the vector in Vcpu.virtualPending, then UPCALL_PENDING. The
 * upcall is delivered when UPCALL_PENDING is set and UPCALL_MASK is not (xen/arch/x86/domain.c and
 * create_bounce_frame). Xen masks on entry; the handler clears UPCALL_PENDING *before* it takes
 * the vectors, and looks at UPCALL_PENDING again before it leaves (Linux
 * drivers/xen/events/events_base.c: xen_evtchn_do_upcall()): so no vector is left behind. What
 * arrived masked is delivered after unmask.
 *
 * Physical: the vector is set in Vcpu.physical and handled between any two operations of the vCPU,
 * in the guest's IRQ-off sections too.
 *
 * Who calls the handlers: in fibers the interrupt actors upcallActor and physicalActor, which run
 * while the interrupted actor stands still; on threads the operations themselves, nested in the
 * interrupted code. Handlers use no registers, and entering a handler twice is a no-op.
 *
 * Event channels only pend the upcall here; their ports are awaited by those bound to them.
 * Stronger than life: mask and pending share a word, so masking is a locked operation and a full
 * barrier; in struct vcpu_info they are two bytes, and masking is a plain store.
 */
import type { Op } from '../shared/op.ts';
import {
  awaitEqual,
  awaitNotEqual,
  fetchAnd,
  fetchOr,
  readLocal,
  readOnce,
  writeLocal,
  xchg,
} from '../shared/operations.ts';
import { answerCalls, answerFlush } from './shootdown.ts';
import { PHYS_FLUSH, UPCALL_MASK, UPCALL_PENDING, VECTOR_CALL_FUNCTION, Vcpu } from './vcpu.ts';

/** Masks upcalls. @returns flags for localIrqRestore. Linux: local_irq_save() */
export function* localIrqSave(v: number): Op {
  return (yield* fetchOr(Vcpu.upcall.at(v), UPCALL_MASK)) & UPCALL_MASK;
}

/** Unmasks upcalls if they were not masked before. Linux: local_irq_restore() */
export function* localIrqRestore(v: number, flags: number): Op<void> {
  if (flags === 0) yield* fetchAnd(Vcpu.upcall.at(v), ~UPCALL_MASK);
}

/** Pends the upcall of a vCPU. xen/common/event_channel.c: vcpu_mark_events_pending() */
export function* markEventsPending(target: number): Op<void> {
  yield* fetchOr(Vcpu.upcall.at(target), UPCALL_PENDING);
}

/**
 * Sends a virtual interrupt.
 * @param v - vCPU that sends. @param target - vCPU that is interrupted.
 * @param vector - VECTOR_* bit.
 */
export function* sendIpi(v: number, target: number, vector: number): Op<void> {
  yield* fetchOr(Vcpu.virtualPending.at(target), vector);
  yield* markEventsPending(target);
}

/** Sends a physical interrupt. @param target - vCPU. @param vector - PHYS_* bit. */
export function* sendPhysical(target: number, vector: number): Op<void> {
  yield* fetchOr(Vcpu.physical.at(target), vector);
}

/** The upcall: handles all virtual interrupts that wait, with upcalls masked. */
export function* handleUpcall(v: number): Op<void> {
  if (readLocal(Vcpu.inUpcall.at(v)) !== 0) return;
  writeLocal(Vcpu.inUpcall.at(v), 1);
  const upcall = Vcpu.upcall.at(v);
  yield* fetchOr(upcall, UPCALL_MASK);
  do {
    yield* fetchAnd(upcall, ~UPCALL_PENDING);
    const vectors = yield* xchg(Vcpu.virtualPending.at(v), 0);
    if ((vectors & VECTOR_CALL_FUNCTION) !== 0) yield* answerCalls(v);
  } while (((yield* readOnce(upcall)) & UPCALL_PENDING) !== 0);
  yield* fetchAnd(upcall, ~UPCALL_MASK);
  writeLocal(Vcpu.inUpcall.at(v), 0);
}

/** Handles the physical interrupts that wait. */
export function* handlePhysical(v: number): Op<void> {
  if (readLocal(Vcpu.inPhysical.at(v)) !== 0) return;
  writeLocal(Vcpu.inPhysical.at(v), 1);
  const vectors = yield* xchg(Vcpu.physical.at(v), 0);
  if ((vectors & PHYS_FLUSH) !== 0) yield* answerFlush(v);
  writeLocal(Vcpu.inPhysical.at(v), 0);
}

/** Fibers: the actor that takes a vCPU's upcalls. Interrupts it at the word Vcpu.upcall. */
export function* upcallActor(v: number): Op<void> {
  for (;;) {
    yield* awaitEqual(Vcpu.upcall.at(v), UPCALL_PENDING | UPCALL_MASK, UPCALL_PENDING);
    yield* handleUpcall(v);
  }
}

/** Fibers: the actor that takes a vCPU's physical interrupts, at the word Vcpu.physical. */
export function* physicalActor(v: number): Op<void> {
  for (;;) {
    yield* awaitNotEqual(Vcpu.physical.at(v), -1, 0);
    yield* handlePhysical(v);
  }
}
