/**
 * TLB flushes of the guest kernel (arch/x86/mm/tlb.c, arch/x86/xen/mmu_pv.c). Params.flushHypercall
 * says how: by MMUEXT_TLB_FLUSH_MULTI as a PV guest, which no interrupt mask delays, or by IPI as
 * on bare metal, which a vCPU with interrupts off answers later.
 *
 * Both return after every vCPU of the mask has flushed. Changes of page tables go through Xen and
 * are full barriers, so a vCPU that is not yet in the mask reads the new entries when it comes.
 */
import { flushTlbIpi, vcpuMaskOf } from '../../hardware/flush.ts';
import { domainOf, flushHypercall } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { readOnce } from '../../shared/operations.ts';
import { mmuextFlush } from '../../xen/mmu.ts';
import { Mm } from './mm.ts';

/** flush_tlb_multi(). @param v - vCPU that asks. @param vcpuMask - vCPUs, its own included. */
function* flushTlbMulti(v: number, vcpuMask: number): Op<void> {
  if (flushHypercall() !== 0) yield* mmuextFlush(v, vcpuMask);
  else yield* flushTlbIpi(v, vcpuMask);
}

/**
 * arch/x86/mm/tlb.c: flush_tlb_mm(): every vCPU that may run in an address space.
 * @param v - vCPU that asks, upcalls not masked. @param mm - address space.
 */
export function* flushTlbMm(v: number, mm: number): Op<void> {
  yield* flushTlbMulti(v, yield* readOnce(Mm.cpumask.at(mm)));
}

/** arch/x86/mm/tlb.c: flush_tlb_all(): every vCPU of the domain. @param v - vCPU that asks. */
export function* flushTlbAll(v: number): Op<void> {
  yield* flushTlbMulti(v, vcpuMaskOf(domainOf(v)));
}
