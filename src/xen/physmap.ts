/**
 * The guest-physical memory of translated domains (HVM, PVH), as far as grant-table frames need it
 * (xen/arch/x86/mm/p2m.c: p2m_add_page(), p2m_remove_page()). A PV domain has none: its page tables
 * hold machine frames.
 *
 * entry     mfn at the gfn, 0 if none   [XEN]  the hardware reads it at every access
 * P2mLock   get_gfn(), put_gfn(): one spinlock for the whole table of a domain. A page can be freed
 *           later, so it must be at one gfn only: which, the M2P tells. Order: grant table → P2M.
 * Not modelled: caching of these translations. A flush still makes a running instruction of the
 * guest begin anew.
 */
import { flushTlbHypercall } from '../hardware/flush.ts';
import { FAULT_NOT_PRESENT } from '../hardware/access.ts';
import { frameWord } from '../hardware/paging.ts';
import { REG_VALUE, Vcpu, setReg } from '../hardware/vcpu.ts';
import { LOST } from '../shared/kinds.ts';
import type { Op } from '../shared/op.ts';
import { loadThrough, readOnce, storeThrough, writeOnce } from '../shared/operations.ts';
import { spinLock, spinUnlock } from '../shared/spinlock.ts';
import { defineTable } from '../shared/table.ts';
import { dirtyCpumask } from './domain.ts';
import { setGpfnFromMfn } from './m2p.ts';
import { INVALID_M2P_ENTRY, XEN_EINVAL } from './public/xen.ts';

export const Physmap = defineTable('physmap[d%].gfn[%]', ['domains', 'physmapGfns'], {
  mfn: '[XEN] machine frame at the gfn, 0 if none; P2mLock protects it',
});

export const P2mLock = defineTable('physmap[d%]', ['domains'], {
  lock: '[XEN] spinlock of the domain’s guest-physical memory',
});

/** Is there such a gfn? */
export function gfnValid(gfn: number): boolean {
  return gfn >= 0 && gfn < Physmap.mfn.count;
}

/** xen/arch/x86/mm/p2m.c: get_gfn(), with the lock held afterwards. @returns mfn, 0 if none. */
export function* getGfn(d: number, gfn: number): Op {
  yield* spinLock(P2mLock.lock.at(d));
  return yield* readOnce(Physmap.mfn.at2(d, gfn));
}

/** xen/arch/x86/mm/p2m.c: put_gfn(). */
export function* putGfn(d: number): Op<void> {
  yield* spinUnlock(P2mLock.lock.at(d));
}

/** xen/arch/x86/mm/p2m.c: p2m_add_page(). The caller holds the lock. */
export function* p2mAddPage(d: number, gfn: number, mfn: number): Op<void> {
  yield* writeOnce(Physmap.mfn.at2(d, gfn), mfn);
  yield* setGpfnFromMfn(mfn, gfn);
}

/**
 * xen/arch/x86/mm/p2m.c: p2m_remove_page(). The caller holds the lock.
 * @returns 0, or -XEN_EINVAL if another frame is there.
 */
export function* p2mRemovePage(v: number, d: number, gfn: number, mfn: number): Op {
  if ((yield* readOnce(Physmap.mfn.at2(d, gfn))) !== mfn) return -XEN_EINVAL;
  yield* setGpfnFromMfn(mfn, INVALID_M2P_ENTRY);
  yield* writeOnce(Physmap.mfn.at2(d, gfn), 0);
  yield* flushTlbHypercall(v, dirtyCpumask(d));
  return 0;
}

/** xen/arch/x86/mm/physmap.c: guest_physmap_remove_page() of a translated domain. */
export function* guestPhysmapRemovePage(v: number, d: number, gfn: number, mfn: number): Op {
  yield* spinLock(P2mLock.lock.at(d));
  const rc = yield* p2mRemovePage(v, d, gfn, mfn);
  yield* spinUnlock(P2mLock.lock.at(d));
  return rc;
}

/**
 * A load of a translated guest by guest-physical address; the value comes in REG_VALUE.
 * @returns 0 or FAULT_NOT_PRESENT.
 */
export function* physLoad(v: number, d: number, gfn: number, offset: number): Op {
  const guard = Vcpu.tlbSequence.at(v);
  for (;;) {
    const sequence = yield* readOnce(guard);
    const mfn = yield* readOnce(Physmap.mfn.at2(d, gfn));
    if (mfn === 0) return FAULT_NOT_PRESENT;
    const value = yield* loadThrough(guard, sequence, frameWord(mfn, offset));
    if (value === LOST) continue;
    setReg(v, REG_VALUE, value);
    return 0;
  }
}

/** The store to go with physLoad. @returns 0 or FAULT_NOT_PRESENT. */
export function* physStore(v: number, d: number, gfn: number, offset: number, value: number): Op {
  const guard = Vcpu.tlbSequence.at(v);
  for (;;) {
    const sequence = yield* readOnce(guard);
    const mfn = yield* readOnce(Physmap.mfn.at2(d, gfn));
    if (mfn === 0) return FAULT_NOT_PRESENT;
    const done = yield* storeThrough(guard, sequence, frameWord(mfn, offset), value);
    if (done !== LOST) return 0;
  }
}
