/**
 * Page-table updates and TLB flushes of PV guests (xen/arch/x86/mm.c: do_mmu_update(),
 * mod_l1_entry(), do_update_va_mapping(), do_mmuext_op()).
 *
 * An update of an entry: 1. reference of the table's page. 2. page_lock(), which serialises updates
 * of a table with each other and with the grant table's. 3. read the old entry. 4. take what the
 * new one refers to. 5. store it. 6. drop what the old one referred to. 7. unlock, put.
 *
 * Nothing of this flushes a TLB for a leaf entry: that is the guest's duty before it reuses a page
 * of its own, and Xen's before a frame changes hands or type (needTlbflush). Overwriting a grant's
 * entry is put_page_from_l1e()'s business: page references go, the pin stays (the implicit
 * unmap; BUG_IMPLICIT_UNMAP).
 */
import { flushTlbHypercall, vcpuMaskOf } from '../hardware/flush.ts';
import {
  PTE_ACCESSED,
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_SPECIAL,
  PTE_USER,
  PtWord,
  walkToPte,
} from '../hardware/paging.ts';
import { domainOf, ptEntryCount, ptFrameCount, ptLevels } from '../hardware/params.ts';
import { loadCr3, tlbFlushPageLocal } from '../hardware/tlb.ts';
import { Vcpu } from '../hardware/vcpu.ts';
import type { Op } from '../shared/op.ts';
import { fetchAnd, fetchOr, readOnce, writeOnce } from '../shared/operations.ts';
import { dirtyCpumask } from './domain.ts';
import { getPage, mfnValid, putPage } from './frame-table.ts';
import { setGpfnFromMfn } from './m2p.ts';
import { PGT_l1_page_table, PGT_pinned, PGT_writable_page, PageInfo } from './page-info.ts';
import {
  getPageFromL1e,
  getPageFromUpper,
  levelOfType,
  putPageFromL1e,
  putPageFromUpper,
  typeOfLevel,
} from './page-table.ts';
import { getPageType, pageLock, pageUnlock, putPageAndType, putPageType } from './page-type.ts';
import { XEN_EINVAL } from './public/xen.ts';

/** FASTPATH_FLAG_WHITELIST: flags that change nothing Xen counts. */
const FASTPATH_FLAGS = PTE_USER | PTE_ACCESSED | PTE_DIRTY | PTE_SPECIAL;

/** The frame of the page table that an entry lies in. @returns mfn, or -1 if it is none. */
export function ptMfnOfWord(ptep: number): number {
  const offset = ptep - PtWord.value.at2(0, 0);
  if (offset < 0 || offset >= ptFrameCount() * ptEntryCount()) return -1;
  return (offset / ptEntryCount()) | 0;
}

/** xen/arch/x86/mm.c: mod_l1_entry(). The page is locked. @returns 0 or a negative errno. */
function* modL1Entry(v: number, ptep: number, nl1e: number, d: number): Op {
  const ol1e = yield* readOnce(ptep);
  if ((nl1e & PTE_PRESENT) !== 0) {
    if (((ol1e ^ nl1e) & ~FASTPATH_FLAGS) === 0) {
      yield* writeOnce(ptep, nl1e);
      return 0;
    }
    const status = yield* getPageFromL1e(v, nl1e, d);
    if (status < 0) return status;
  }
  yield* writeOnce(ptep, nl1e);
  yield* putPageFromL1e(v, ol1e, d);
  return 0;
}

/** xen/arch/x86/mm.c: mod_l2_entry() and its kin. The page is locked. */
function* modUpperEntry(v: number, ptep: number, entry: number, level: number, d: number): Op {
  const old = yield* readOnce(ptep);
  if ((entry & PTE_PRESENT) !== 0) {
    if (((old ^ entry) & ~FASTPATH_FLAGS) === 0) {
      yield* writeOnce(ptep, entry);
      return 0;
    }
    const status = yield* getPageFromUpper(v, entry, level, d);
    if (status < 0) return status;
  }
  yield* writeOnce(ptep, entry);
  yield* putPageFromUpper(v, old);
  return 0;
}

/**
 * HYPERVISOR_mmu_update, MMU_NORMAL_PT_UPDATE of one entry. xen/arch/x86/mm.c: do_mmu_update()
 * A page that is no page table yet is written like any writable page. After an update of a higher
 * level the TLBs of the domain are flushed.
 * @param v - vCPU that calls. @param ptep - word of the entry. @param pte - its new value.
 * @returns 0 or a negative errno.
 */
export function* mmuUpdate(v: number, ptep: number, pte: number): Op {
  const d = domainOf(v);
  const mfn = ptMfnOfWord(ptep);
  if (mfn < 0 || (yield* getPage(v, mfn, d)) === 0) return -XEN_EINVAL;
  let status = -XEN_EINVAL;
  let flush = 0;
  const type = yield* pageLock(mfn);
  if (type >= 0) {
    if (type === PGT_l1_page_table) {
      status = yield* modL1Entry(v, ptep, pte, d);
    } else if (type === PGT_writable_page) {
      yield* writeOnce(ptep, pte);
      status = 0;
    } else {
      status = yield* modUpperEntry(v, ptep, pte, levelOfType(type), d);
      if (status === 0) flush = 1;
    }
    yield* pageUnlock(mfn);
  } else if ((yield* getPageType(v, mfn, PGT_writable_page)) !== 0) {
    yield* writeOnce(ptep, pte);
    yield* putPageType(v, mfn);
    status = 0;
  }
  yield* putPage(v, mfn);
  if (flush !== 0) yield* flushTlbHypercall(v, dirtyCpumask(d));
  return status;
}

/**
 * HYPERVISOR_mmu_update, MMU_MACHPHYS_UPDATE: the owner renumbers a frame.
 * @param mfn - own frame. @param pfn - its number in the M2P from now on.
 * @returns 0 or a negative errno.
 */
export function* mmuMachphysUpdate(v: number, mfn: number, pfn: number): Op {
  if (!mfnValid(mfn) || (yield* getPage(v, mfn, domainOf(v))) === 0) return -XEN_EINVAL;
  yield* setGpfnFromMfn(mfn, pfn);
  yield* putPage(v, mfn);
  return 0;
}

/**
 * HYPERVISOR_update_va_mapping without a flush. xen/arch/x86/mm.c: do_update_va_mapping()
 * @param v - vCPU that calls; the current page tables count. @param vpn - virtual page.
 * @param pte - new leaf entry. @returns 0 or a negative errno.
 */
export function* updateVaMapping(v: number, vpn: number, pte: number): Op {
  const d = domainOf(v);
  const ptep = yield* walkToPte(v, yield* readOnce(Vcpu.cr3.at(v)), vpn);
  if (ptep < 0) return -XEN_EINVAL;
  const mfn = ptMfnOfWord(ptep);
  if ((yield* getPage(v, mfn, d)) === 0) return -XEN_EINVAL;
  let status = -XEN_EINVAL;
  const type = yield* pageLock(mfn);
  if (type >= 0) {
    if (type === PGT_l1_page_table) status = yield* modL1Entry(v, ptep, pte, d);
    yield* pageUnlock(mfn);
  }
  yield* putPage(v, mfn);
  return status;
}

/**
 * MMUEXT_TLB_FLUSH_MULTI: returns after every vCPU has flushed, whatever the guest masks.
 * @param v - vCPU that calls. @param vcpuMask - machine-wide; others' vCPUs are left out.
 */
export function* mmuextFlush(v: number, vcpuMask: number): Op<void> {
  yield* flushTlbHypercall(v, vcpuMask & vcpuMaskOf(domainOf(v)));
}

/** MMUEXT_INVLPG_LOCAL. @param vpn - virtual page. */
export function* mmuextInvlpgLocal(v: number, vpn: number): Op<void> {
  yield* tlbFlushPageLocal(v, vpn);
}

/** get_page_and_type() for a page table of the caller. @returns 1 or 0. */
function* getTable(v: number, mfn: number, level: number): Op {
  if (!mfnValid(mfn) || (yield* getPage(v, mfn, domainOf(v))) === 0) return 0;
  if ((yield* getPageType(v, mfn, typeOfLevel(level))) !== 0) return 1;
  yield* putPage(v, mfn);
  return 0;
}

/**
 * MMUEXT_PIN_Ln_TABLE: the page keeps its type until it is unpinned.
 * @param mfn - page table to be. @param level - 1 for the leaf. @returns 0 or a negative errno.
 */
export function* mmuextPinTable(v: number, mfn: number, level: number): Op {
  if ((yield* getTable(v, mfn, level)) === 0) return -XEN_EINVAL;
  const before = yield* fetchOr(PageInfo.typeInfo.at(mfn), PGT_pinned);
  if ((before & PGT_pinned) === 0) return 0;
  yield* putPageAndType(v, mfn);
  return -XEN_EINVAL;
}

/** MMUEXT_UNPIN_TABLE. @param mfn - pinned page table. @returns 0 or a negative errno. */
export function* mmuextUnpinTable(v: number, mfn: number): Op {
  if (!mfnValid(mfn) || (yield* getPage(v, mfn, domainOf(v))) === 0) return -XEN_EINVAL;
  const before = yield* fetchAnd(PageInfo.typeInfo.at(mfn), ~PGT_pinned);
  if ((before & PGT_pinned) !== 0) yield* putPageAndType(v, mfn);
  yield* putPage(v, mfn);
  return (before & PGT_pinned) !== 0 ? 0 : -XEN_EINVAL;
}

/**
 * MMUEXT_NEW_BASEPTR: loads page tables and flushes the local TLB; cr3 holds a reference.
 * @param mfn - top table of the caller's domain. @returns 0 or a negative errno.
 */
export function* mmuextNewBaseptr(v: number, mfn: number): Op {
  const old = yield* readOnce(Vcpu.cr3.at(v));
  if (old === mfn) return 0;
  if ((yield* getTable(v, mfn, ptLevels())) === 0) return -XEN_EINVAL;
  yield* loadCr3(v, mfn);
  if (old !== 0) yield* putPageAndType(v, old);
  return 0;
}
