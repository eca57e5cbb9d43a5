/**
 * The state of a virtual CPU that other actors see, and its registers.
 *
 * A vCPU runs on a physical CPU of its own, so physical and virtual interrupts of one vCPU come to
 * one place: `physical` is Xen's side (the guest cannot mask it), `upcall` and `virtualPending` are
 * the guest's (struct vcpu_info: evtchn_upcall_pending, evtchn_upcall_mask, evtchn_pending_sel).
 *
 * Registers carry the further results of simulated functions. They belong to whoever runs on the
 * vCPU; interrupt handlers must leave them as they found them, so handlers use none. Numbers:
 * 0–3 hardware, 4–11 xen, 12–31 linux.
 *
 * Not modelled: migration of vCPUs between physical CPUs, descheduling.
 */
import { readLocal, writeLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

/** Bit of Vcpu.upcall: evtchn_upcall_pending. */
export const UPCALL_PENDING = 1;
/** Bit of Vcpu.upcall: evtchn_upcall_mask, the virtual interrupt flag (set = interrupts off). */
export const UPCALL_MASK = 2;

/** Bit of Vcpu.physical: invalidate the TLB and acknowledge (Xen's INVALIDATE_TLB_VECTOR). */
export const PHYS_FLUSH = 1;

/** Bit of Vcpu.virtualPending: run the functions other vCPUs ask for (CALL_FUNCTION_VECTOR). */
export const VECTOR_CALL_FUNCTION = 1;

export const Vcpu = defineTable(
  '%v.cpu',
  ['vcpus'],
  {
    upcall: '[XEN,GST] bit 0 UPCALL_PENDING (set by Xen, cleared by the guest), bit 1 UPCALL_MASK',
    virtualPending: '[GST] virtual interrupt vectors that wait, by sendIpi of any vCPU',
    physical: '[XEN] physical interrupt vectors that wait',
    cr3: '[CPU] root of the current page tables (mfn)',
    tlbSequence: '[CPU] counts the flushes of this TLB: guard of every access through it',
    online: '[BOOT] 1 if the vCPU takes part',
    inUpcall: '[CPU] the upcall handler has been entered',
    inPhysical: '[CPU] the physical interrupt handler has been entered',
  },
  { lineAligned: true },
);

export const VcpuReg = defineTable('%v.reg[%]', ['vcpus', 'regs'], {
  value: '[CPU] register',
});

/** Register with the value of cpuLoad. */
export const REG_VALUE = 0;
/** Register with the mfn that an access reached. */
export const REG_MFN = 1;

/** Reads a register. @param v - vCPU. @param r - register number. */
export function reg(v: number, r: number): number {
  return readLocal(VcpuReg.value.at2(v, r));
}

/** Writes a register. @param v - vCPU. @param r - register number. @param value - its new value. */
export function setReg(v: number, r: number, value: number): void {
  writeLocal(VcpuReg.value.at2(v, r), value);
}
