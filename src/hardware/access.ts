/**
 * Loads and stores by virtual address, as an instruction of the guest (kernel or user) does them.
 *
 * 1. Look into the TLB; on a miss, walk from cr3, one entry a step.
 * 2. Check the rights: the page must be present, for a store also writable at every level.
 * 3. Access the frame through the translation.
 * An interrupt is taken between instructions, never inside one: if this vCPU's own flush handler
 * ran between 1 and 3, the instruction starts anew. That is the guard Vcpu.tlbSequence of
 * loadThrough and storeThrough. Other vCPUs and Xen can change page tables at any step, and a
 * translation that is cached already goes on being used.
 *
 * On machines whose DMA does not see the CPUs' cache, 3 goes through the cache (cache.ts).
 *
 * A store through a cached read-only translation walks again before it faults (AMD's manual,
 * volume 2, 5.5.2), so that a page table that became writable is seen without a flush.
 */
import type { Op } from '../shared/op.ts';
import { loadThrough, readOnce, storeThrough } from '../shared/operations.ts';
import { LOST } from '../shared/kinds.ts';
import { cachedLoad, cachedMaintain, cachedStore, nonCoherent } from './cache.ts';
import { ptLevels } from './params.ts';
import {
  PTE_PRESENT,
  PTE_RW,
  frameWord,
  namesFrame,
  namesTable,
  ptEntryWord,
  ptIndex,
  pteMfn,
} from './paging.ts';
import { tlbFill, tlbLookup } from './tlb.ts';
import { REG_MFN, REG_VALUE, Vcpu, setReg } from './vcpu.ts';

/** The page is not mapped. */
export const FAULT_NOT_PRESENT = 1;
/** A store to a page that is mapped read-only. */
export const FAULT_READ_ONLY = 2;
/** The page is mapped to a frame that the machine does not have. */
export const FAULT_NO_MEMORY = 3;

/** The hardware's walk. @returns the leaf entry with the rights of all levels; 0 if none. */
function* walk(root: number, vpn: number): Op {
  let table = root;
  let rights = PTE_RW;
  for (let level = ptLevels(); level > 1; level--) {
    const entry = yield* readOnce(ptEntryWord(table, ptIndex(vpn, level)));
    if (!namesTable(entry)) return 0;
    rights &= entry;
    table = pteMfn(entry);
  }
  const leaf = yield* readOnce(ptEntryWord(table, ptIndex(vpn, 1)));
  if ((leaf & PTE_PRESENT) === 0) return 0;
  return leaf & (rights | ~PTE_RW);
}

/**
 * Loads a word by virtual address; the value comes in REG_VALUE, the frame reached in REG_MFN.
 * @param vpn - virtual page. @param offset - word in the page.
 * @returns 0 or FAULT_*.
 */
export function* cpuLoad(v: number, vpn: number, offset: number): Op {
  const guard = Vcpu.tlbSequence.at(v);
  for (;;) {
    const sequence = yield* readOnce(guard);
    const cached = tlbLookup(v, vpn);
    let pte = cached;
    if (cached === 0) {
      pte = yield* walk(yield* readOnce(Vcpu.cr3.at(v)), vpn);
      if (pte === 0) return FAULT_NOT_PRESENT;
      if (!namesFrame(pte)) return FAULT_NO_MEMORY;
    }
    let value = 0;
    if (nonCoherent()) value = yield* cachedLoad(guard, sequence, pteMfn(pte), offset);
    else value = yield* loadThrough(guard, sequence, frameWord(pteMfn(pte), offset));
    if (value === LOST) continue;
    if (cached === 0) tlbFill(v, vpn, pte);
    setReg(v, REG_VALUE, value);
    setReg(v, REG_MFN, pteMfn(pte));
    return 0;
  }
}

/**
 * Stores a word by virtual address; the frame reached comes in REG_MFN.
 * @param vpn - virtual page. @param offset - word in the page. @param value - what to store.
 * @returns 0 or FAULT_*.
 */
export function* cpuStore(v: number, vpn: number, offset: number, value: number): Op {
  const guard = Vcpu.tlbSequence.at(v);
  for (;;) {
    const sequence = yield* readOnce(guard);
    const cached = tlbLookup(v, vpn);
    let pte = cached;
    if ((cached & PTE_RW) === 0) {
      pte = yield* walk(yield* readOnce(Vcpu.cr3.at(v)), vpn);
      if (pte === 0) return FAULT_NOT_PRESENT;
      if (!namesFrame(pte)) return FAULT_NO_MEMORY;
      if ((pte & PTE_RW) === 0) return FAULT_READ_ONLY;
    }
    let done = 0;
    if (nonCoherent()) done = yield* cachedStore(guard, sequence, pteMfn(pte), offset, value);
    else done = yield* storeThrough(guard, sequence, frameWord(pteMfn(pte), offset), value);
    if (done === LOST) continue;
    if (pte !== cached) tlbFill(v, vpn, pte);
    setReg(v, REG_MFN, pteMfn(pte));
    return 0;
  }
}

/**
 * Cache maintenance of a word by virtual address, of which any alias will do (DC CVAC, DC IVAC,
 * DC CIVAC). Without a cache between CPUs and memory there is nothing to do.
 * @param vpn - virtual page. @param offset - word in the page. @param operation - CACHE_* bits.
 * @returns 0 or FAULT_*.
 */
export function* cpuMaintain(v: number, vpn: number, offset: number, operation: number): Op {
  if (!nonCoherent()) return 0;
  const guard = Vcpu.tlbSequence.at(v);
  for (;;) {
    const sequence = yield* readOnce(guard);
    const cached = tlbLookup(v, vpn);
    let pte = cached;
    if (cached === 0) {
      pte = yield* walk(yield* readOnce(Vcpu.cr3.at(v)), vpn);
      if (pte === 0) return FAULT_NOT_PRESENT;
      if (!namesFrame(pte)) return FAULT_NO_MEMORY;
    }
    const done = yield* cachedMaintain(guard, sequence, pteMfn(pte), offset, operation);
    if (done === LOST) continue;
    if (cached === 0) tlbFill(v, vpn, pte);
    return 0;
  }
}
