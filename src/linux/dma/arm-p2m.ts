/**
 * The translation of foreign pages on ARM (arch/arm/xen/p2m.c of Linux 3.13–3.17): one entry for
 * each grant that is mapped, in a tree by page and in a tree by frame, both under p2m_lock.
 *
 * The second tree refuses an entry whose frame it knows already: a frame that is granted twice
 * cannot be recorded, and set_foreign_p2m_mapping() does not look at what it is told. The page is
 * taken for a local one from then on. Later kernels have no tree by
 * frame, and neither has one whose DMA unmap takes handles: nobody asks.
 *
 * Not modelled: the shape of the trees (every entry is compared, as in a tree of one node), runs of
 * several pages. The first tree is P2m itself.
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';

export const ArmP2m = defineTable('arm_p2m[d%]', ['domains'], {
  lock: '[GST] p2m_lock: spinlock, upcalls masked',
});

export const ArmP2mEntry = defineTable('arm_p2m[d%].entry[%]', ['domains', 'armP2mEntries'], {
  mfn: '[GST] 1 + frame, 0 if the entry is in no tree; under p2m_lock',
  pfn: '[GST] page; under p2m_lock',
});

export const ArmP2mBitmap = defineTable('arm_p2m[d%].bitmap[%]', ['domains', 'armP2mWords'], {
  value: '[GST] entries in use (kzalloc)',
});

const NO_ENTRY = -1;

/** Looks an entry up. The caller holds the lock. @param mfn - frame, or -1 for any. */
function* findEntry(d: number, pfn: number, mfn: number): Op {
  for (let i = 0; i < ArmP2mEntry.mfn.count; i++) {
    const seen = yield* read(ArmP2mEntry.mfn.at2(d, i));
    if (seen === 0) continue;
    if (seen === mfn + 1 || (yield* read(ArmP2mEntry.pfn.at2(d, i))) === pfn) return i;
  }
  return NO_ENTRY;
}

/**
 * xen_add_phys_to_mach_entry(), xen_add_mach_to_phys_entry()
 * @param pfn - page. @param mfn - foreign frame. @returns 1, or 0 if page or frame has one already.
 */
export function* addMachToPhys(v: number, pfn: number, mfn: number): Op {
  const d = domainOf(v);
  const entry = yield* slabAlloc(ArmP2mBitmap.value.at2(d, 0), ArmP2mEntry.mfn.count);
  if (entry < 0) return 0;
  const flags = yield* localIrqSave(v);
  yield* spinLock(ArmP2m.lock.at(d));
  const other = yield* findEntry(d, pfn, mfn);
  if (other === NO_ENTRY) {
    yield* write(ArmP2mEntry.pfn.at2(d, entry), pfn);
    yield* write(ArmP2mEntry.mfn.at2(d, entry), mfn + 1);
  }
  yield* spinUnlock(ArmP2m.lock.at(d));
  yield* localIrqRestore(v, flags);
  if (other === NO_ENTRY) return 1;
  yield* slabFree(ArmP2mBitmap.value.at2(d, 0), entry);
  return 0;
}

/** __set_phys_to_machine_multi() with INVALID_P2M_ENTRY. @param pfn - page. */
export function* removeMachToPhys(v: number, pfn: number): Op<void> {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(ArmP2m.lock.at(d));
  const entry = yield* findEntry(d, pfn, -2);
  if (entry !== NO_ENTRY) yield* write(ArmP2mEntry.mfn.at2(d, entry), 0);
  yield* spinUnlock(ArmP2m.lock.at(d));
  yield* localIrqRestore(v, flags);
  if (entry !== NO_ENTRY) yield* slabFree(ArmP2mBitmap.value.at2(d, 0), entry);
}

/** xen_get_p2m_entry_from_mach(). @param mfn - frame. @returns the page over it, or -1. */
export function* machToPhys(v: number, mfn: number): Op {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(ArmP2m.lock.at(d));
  const entry = yield* findEntry(d, -1, mfn);
  const pfn = entry === NO_ENTRY ? -1 : yield* read(ArmP2mEntry.pfn.at2(d, entry));
  yield* spinUnlock(ArmP2m.lock.at(d));
  yield* localIrqRestore(v, flags);
  return pfn;
}
