/**
 * The machine-to-phys table (xen/arch/x86/mm.c: set_gpfn_from_mfn()): for each machine frame the
 * pseudo-physical frame that its owner gave it. One table for the machine, which every guest reads
 * without a lock and only Xen writes. For a foreign frame it gives the owner's number, which names
 * an unrelated page of the reader.
 */
import type { Op } from '../shared/op.ts';
import { readOnce, writeOnce } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

export const M2p = defineTable('m2p[%]', ['frames'], {
  value: '[XEN] pfn in the numbering of the owner, INVALID_M2P_ENTRY if none',
});

/** set_gpfn_from_mfn(). @param mfn - machine frame. @param pfn - the owner's number for it. */
export function* setGpfnFromMfn(mfn: number, pfn: number): Op<void> {
  yield* writeOnce(M2p.value.at(mfn), pfn);
}

/** machine_to_phys_mapping[mfn], as guest and hypervisor read it. @returns pfn, or -1. */
export function* getGpfnFromMfn(mfn: number): Op {
  return yield* readOnce(M2p.value.at(mfn));
}
