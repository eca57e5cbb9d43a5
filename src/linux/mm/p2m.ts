/**
 * The translation between pseudo-physical and machine frames of a PV guest
 * (arch/x86/xen/p2m.c, arch/x86/include/asm/xen/page.h).
 *
 * P2m entry  INVALID_P2M_ENTRY, or mfn with FOREIGN_FRAME_BIT or IDENTITY_FRAME_BIT. One store of a
 *            word is atomic; there is no lock. Writers: boot, the balloon, and whoever maps a grant
 *            over a page it holds. (64-bit Linux has the bits at 63 and 62.)
 *
 * The reverse way is Xen's M2P table, which knows one pfn for each frame, in the numbering of the
 * frame's owner. For a foreign frame that number names an unrelated local page; so a translation
 * counts only if the P2M confirms it: p2m[m2p[mfn]] === mfn. The foreign bit makes the cross-check
 * fail on purpose, even when a domain maps a frame of its own.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { domainOf, frameCount, pagesPerDomain } from '../../hardware/params.ts';
import { getGpfnFromMfn } from '../../xen/m2p.ts';
import { designHasDmaHandles } from '../designs/design.ts';
import { addMachToPhys, removeMachToPhys } from '../dma/arm-p2m.ts';
import { DMA_ARM_MACH_TO_PHYS, dmaApi } from '../dma/platform.ts';

/** arch/x86/include/asm/xen/page.h: nothing is behind the pfn. */
export const INVALID_P2M_ENTRY = -1;
/** The frame behind the pfn belongs to another domain (or is mapped as if it did). */
export const FOREIGN_FRAME_BIT = 1 << 30;
/** The frame behind the pfn has the same number. */
export const IDENTITY_FRAME_BIT = 1 << 29;
/** No local pfn. */
const INVALID_PFN = -1;

export const P2m = defineTable('d%.p2m[%]', ['domains', 'pagesPerDomain'], {
  value: '[GST] INVALID_P2M_ENTRY, or mfn and the bits FOREIGN_FRAME_BIT, IDENTITY_FRAME_BIT',
});

/** The frame of an entry without its bits; INVALID_P2M_ENTRY stays. */
function p2mEntryMfn(entry: number): number {
  if (entry === INVALID_P2M_ENTRY) return entry;
  return entry & ~(FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT);
}

/**
 * arch/x86/include/asm/xen/page.h: __pfn_to_mfn(), get_phys_to_machine()
 * @param d - domain. @param pfn - any number. @returns the entry with its bits.
 */
export function* getPhysToMachine(d: number, pfn: number): Op {
  if (pfn < 0 || pfn >= pagesPerDomain()) return INVALID_P2M_ENTRY;
  return yield* readOnce(P2m.value.at2(d, pfn));
}

/**
 * arch/x86/xen/p2m.c: set_phys_to_machine()
 * On ARM with a tree by frame a foreign frame that the tree refuses is not recorded, and no caller
 * asks.
 * @param v - vCPU that runs this; the entry is its domain's. @param pfn - page frame number.
 * @param entry - new entry with its bits.
 */
export function* setPhysToMachine(v: number, pfn: number, entry: number): Op<void> {
  if (dmaApi() === DMA_ARM_MACH_TO_PHYS && designHasDmaHandles() === 0) {
    const foreign = entry !== INVALID_P2M_ENTRY && (entry & FOREIGN_FRAME_BIT) !== 0;
    if (!foreign) yield* removeMachToPhys(v, pfn);
    else if ((yield* addMachToPhys(v, pfn, p2mEntryMfn(entry))) === 0) return;
  }
  yield* writeOnce(P2m.value.at2(domainOf(v), pfn), entry);
}

/** asm/xen/page.h: pfn_to_mfn(). @returns the mfn without bits, or INVALID_P2M_ENTRY. */
export function* pfnToMfn(d: number, pfn: number): Op {
  return p2mEntryMfn(yield* getPhysToMachine(d, pfn));
}

/** asm/xen/page.h: mfn_to_pfn_no_overrides(): what M2P says, confirmed or not. */
export function* mfnToPfnNoOverrides(mfn: number): Op {
  if (mfn < 0 || mfn >= frameCount()) return INVALID_PFN;
  return yield* getGpfnFromMfn(mfn);
}

/**
 * asm/xen/page.h: bfn_to_local_pfn(), earlier mfn_to_local_pfn()
 * @param d - domain that asks. @param mfn - machine frame.
 * @returns the domain's pfn for a frame of its own, or INVALID_PFN.
 */
export function* mfnToLocalPfn(d: number, mfn: number): Op {
  const pfn = yield* mfnToPfnNoOverrides(mfn);
  if (pfn === INVALID_PFN) return INVALID_PFN;
  if ((yield* getPhysToMachine(d, pfn)) !== mfn) return INVALID_PFN;
  return pfn;
}
