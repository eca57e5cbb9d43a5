/**
 * The translation cache of a vCPU: (vpn → mfn, rights), filled only by page walks, emptied only by
 * a flush of this vCPU. A page-table store does not touch it: stale translations are the point.
 *
 * Direct-mapped: slot = vpn mod tlbEntries; a walk that fills a slot evicts what was in it, as in
 * life. Translations carry no address-space tag: loading cr3 flushes.
 *
 * The cache is private to its vCPU, so its words are no preemption points. But the vCPU's own
 * interrupt handlers flush it, and in fibers they are actors of their own; so every look at the
 * cache happens in the step of an operation on Vcpu.tlbSequence: a lookup right after it was read,
 * a fill right after an access that it guarded (access.ts), a flush right after it was bumped.
 *
 * A flush serialises as INVLPG and MOV to CR3 do: the bump is a locked operation.
 * Not modelled: PCIDs, global pages, speculative fills (a walk without an access).
 */
import type { Op } from '../shared/op.ts';
import { fetchAdd, readLocal, writeLocal, writeOnce } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { Params } from './params.ts';
import { Vcpu } from './vcpu.ts';

export const Tlb = defineTable('%v.tlb[%]', ['vcpus', 'tlbEntries'], {
  tag: '[CPU] vpn + 1, or 0 if the slot is empty',
  pte: '[CPU] leaf entry with the rights of the whole walk',
});

function slotOf(vpn: number): number {
  return vpn % readLocal(Params.tlbEntries.word);
}

/** Looks a page up. Only in the step of an operation on Vcpu.tlbSequence. @returns pte, or 0. */
export function tlbLookup(v: number, vpn: number): number {
  const slot = slotOf(vpn);
  if (readLocal(Tlb.tag.at2(v, slot)) !== vpn + 1) return 0;
  return readLocal(Tlb.pte.at2(v, slot));
}

/** Keeps a walk's result. Only in the step of an access that Vcpu.tlbSequence guarded. */
export function tlbFill(v: number, vpn: number, pte: number): void {
  const slot = slotOf(vpn);
  writeLocal(Tlb.tag.at2(v, slot), vpn + 1);
  writeLocal(Tlb.pte.at2(v, slot), pte);
}

/** Drops all translations of this vCPU: one step. @param v - the vCPU that runs this. */
export function* tlbFlushLocal(v: number): Op<void> {
  yield* fetchAdd(Vcpu.tlbSequence.at(v), 1);
  const entries = readLocal(Params.tlbEntries.word);
  for (let slot = 0; slot < entries; slot++) writeLocal(Tlb.tag.at2(v, slot), 0);
}

/** INVLPG: drops the translation of one page, in one step. @param vpn - virtual page. */
export function* tlbFlushPageLocal(v: number, vpn: number): Op<void> {
  yield* fetchAdd(Vcpu.tlbSequence.at(v), 1);
  const slot = slotOf(vpn);
  if (readLocal(Tlb.tag.at2(v, slot)) === vpn + 1) writeLocal(Tlb.tag.at2(v, slot), 0);
}

/** MOV to CR3: switches the page tables and drops all translations. @param root - mfn. */
export function* loadCr3(v: number, root: number): Op<void> {
  yield* writeOnce(Vcpu.cr3.at(v), root);
  yield* tlbFlushLocal(v);
}
