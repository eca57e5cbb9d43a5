/**
 * TLB shootdown, in the two ways that grant mapping distinguishes.
 *
 * flushTlbIpi: as on bare metal, by virtual IPI. A target whose interrupts are off answers after it
 * turned them on: that delay is what keeps pages and page tables alive under an IRQ-off walker
 * (GUP-fast).
 * flushTlbHypercall: as in a Xen PV guest, by MMUEXT_TLB_FLUSH_MULTI
 * (xen/arch/x86/mm.c: do_mmuext_op(), xen/arch/x86/smp.c: flush_area_mask()). Xen interrupts the
 * physical CPUs; the guest's interrupt mask does not matter, so nothing waits for the walker.
 *
 * Both return only after every vCPU of the mask has flushed. The caller must not have masked
 * upcalls (two such flushers would wait for each other) and flushes its own TLB itself.
 * Masks: bit v is the machine-wide vCPU v. vCPUs that are not online are left out.
 * Not modelled: Xen's filter by TLB clock (every request is sent), single-page shootdown.
 */
import type { Op } from '../shared/op.ts';
import {
  acquireWhen,
  awaitEqual,
  fetchOr,
  readLocal,
  storeRelease,
  writeOnce,
} from '../shared/operations.ts';
import { sendIpi, sendPhysical } from './irq.ts';
import { vcpuCount, vcpusPerDomain } from './params.ts';
import { Call, CallQueue, Shootdown } from './shootdown.ts';
import { tlbFlushLocal } from './tlb.ts';
import { PHYS_FLUSH, VECTOR_CALL_FUNCTION, Vcpu } from './vcpu.ts';

/** All vCPUs of a domain. @param d - domain. @returns mask of machine-wide vCPU numbers. */
export function vcpuMaskOf(d: number): number {
  const count = vcpusPerDomain();
  const low = count === 32 ? -1 : (1 << count) - 1;
  return low << (d * count);
}

/** The vCPUs of a mask that are online and not `v`. */
function others(v: number, vcpuMask: number): number {
  let mask = 0;
  for (let t = 0; t < vcpuCount(); t++) {
    if (t !== v && readLocal(Vcpu.online.at(t)) !== 0) mask |= 1 << t;
  }
  return mask & vcpuMask;
}

/**
 * Flushes the TLBs of vCPUs by virtual IPI and waits. Linux: flush_tlb_multi()
 * @param v - vCPU that asks. @param vcpuMask - vCPUs to flush.
 */
export function* flushTlbIpi(v: number, vcpuMask: number): Op<void> {
  const targets = others(v, vcpuMask);
  for (let t = 0; t < vcpuCount(); t++) {
    if (((targets >> t) & 1) === 0) continue;
    yield* writeOnce(Call.busy.at2(v, t), 1);
    const queued = yield* fetchOr(CallQueue.callers.at(t), 1 << v);
    if (queued === 0) yield* sendIpi(v, t, VECTOR_CALL_FUNCTION);
  }
  if (((vcpuMask >> v) & 1) !== 0) yield* tlbFlushLocal(v);
  for (let t = 0; t < vcpuCount(); t++) {
    if (((targets >> t) & 1) !== 0) yield* awaitEqual(Call.busy.at2(v, t), -1, 0);
  }
}

/**
 * Flushes the TLBs of vCPUs by physical IPI and waits. xen/arch/x86/smp.c: flush_area_mask()
 * @param v - vCPU that asks. @param vcpuMask - vCPUs to flush.
 */
export function* flushTlbHypercall(v: number, vcpuMask: number): Op<void> {
  if (((vcpuMask >> v) & 1) !== 0) yield* tlbFlushLocal(v);
  const targets = others(v, vcpuMask);
  if (targets === 0) return;
  yield* acquireWhen(Shootdown.flushLock.word, -1, 0, 1);
  yield* writeOnce(Shootdown.flushMask.word, targets);
  for (let t = 0; t < vcpuCount(); t++) {
    if (((targets >> t) & 1) !== 0) yield* sendPhysical(t, PHYS_FLUSH);
  }
  yield* awaitEqual(Shootdown.flushMask.word, -1, 0);
  yield* storeRelease(Shootdown.flushLock.word, 0);
}
