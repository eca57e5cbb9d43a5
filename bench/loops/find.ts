/**
 * One loop for each lookup: takes a sequence of keys from memory and adds up what was found. The
 * build strips it like all simulated code, so what is measured is the kernel's own functions.
 *
 * All loops alike: `v` is the vCPU that runs, in whose address space (CurrentMm) addresses are
 * looked up; `keys` is the word of the first key, `count` how many. The result is the sum of the
 * results, wrapped to 32 bits: it keeps the work alive and tells whether it was right.
 */
import { localIrqRestore, localIrqSave } from '../../src/hardware/irq.ts';
import { walkToPte } from '../../src/hardware/paging.ts';
import { domainOf } from '../../src/hardware/params.ts';
import { DmaHandle, dmaHandleRecord } from '../../src/linux/designs/dma-handles.ts';
import { mfnToPage } from '../../src/linux/designs/m2p-override.ts';
import {
  specialPageLocked,
  vmForeignPageLocked,
  vmaPagePerVmaLock,
  vmaPageSpeculative,
  vmaPageUnderRcu,
} from '../../src/linux/designs/page-behind-address.ts';
import { gupFastPte, getUserPagesFastOnly } from '../../src/linux/mm/gup-fast.ts';
import { FOLL_WRITE, gupPut } from '../../src/linux/mm/gup.ts';
import { CurrentMm } from '../../src/linux/mm/mm-life.ts';
import { mfnToLocalPfn, pfnToMfn } from '../../src/linux/mm/p2m.ts';
import { NO_PAGE } from '../../src/linux/mm/page.ts';
import { NO_PTE, rootOf } from '../../src/linux/mm/pgtable.ts';
import type { Op } from '../../src/shared/op.ts';
import { read, readLocal } from '../../src/shared/operations.ts';
import { rcuReadLock, rcuReadUnlock } from '../../src/shared/rcu.ts';
import { Maptrack, maptrackLookup } from '../../src/xen/grant-table/maptrack.ts';
import { BenchArgument } from '../tables.ts';

/** m2p_override: the page behind a foreign machine frame. Keys: mfn. */
export function* findOverrides(v: number, keys: number, count: number): Op {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* mfnToPage(v, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** vma-pages under mm_lock_seq. Keys: vpn. */
export function* findSpeculatively(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* vmaPageSpeculative(v, mm, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** vma-pages under the lock of the VMA. Keys: vpn. */
export function* findUnderVmaLock(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* vmaPagePerVmaLock(v, mm, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** vma-pages under RCU. Keys: vpn. */
export function* findUnderRcu(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* vmaPageUnderRcu(v, mm, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** vm-foreign under mmap_lock. Keys: vpn. */
export function* findVmForeign(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* vmForeignPageLocked(mm, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** find-special-page under mmap_lock. Keys: vpn. */
export function* findSpecialPages(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* specialPageLocked(mm, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** One page of GUP-fast and back: walk, try-get, re-check, put. @returns the page, or NO_PAGE. */
export function* gupFastLookup(v: number, mm: number, vpn: number): Op {
  const ptep = yield* walkToPte(v, rootOf(mm), vpn);
  const pg = ptep === NO_PTE ? NO_PAGE : yield* gupFastPte(v, ptep, FOLL_WRITE);
  if (pg !== NO_PAGE) yield* gupPut(v, pg, FOLL_WRITE);
  return pg;
}

/**
 * get_user_pages_fast() and put_page() of each address, in one section with upcalls masked, as the
 * kernel takes the pages of one call. Keys: vpn.
 */
export function* gupFastPages(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  const irq = yield* localIrqSave(v);
  yield* rcuReadLock(v);
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* gupFastLookup(v, mm, readLocal(keys + i)))) | 0;
  }
  yield* rcuReadUnlock(v);
  yield* localIrqRestore(v, irq);
  return sum;
}

/** Pages of a range. */
export const RANGE = 16;

/** get_user_pages_fast() of RANGE pages, and put_page() of each. Keys: vpn of the first. */
export function* gupFastRanges(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const out = BenchArgument.value.at2(v, 0);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const vpn = readLocal(keys + i);
    const got = yield* getUserPagesFastOnly(v, mm, vpn, RANGE, FOLL_WRITE, out);
    for (let j = 0; j < got; j++) {
      const pg = readLocal(out + j);
      sum = (sum + pg) | 0;
      yield* gupPut(v, pg, FOLL_WRITE);
    }
  }
  return sum;
}

/** The grant behind a handle. @returns ref, -1 if the handle is of no live mapping. */
export function* maptrackRef(d: number, handle: number): Op {
  const map = yield* maptrackLookup(d, handle);
  return map < 0 ? -1 : yield* read(Maptrack.ref.at2(d, map));
}

/** Maptrack: the grant behind a handle. Keys: handle. */
export function* findMappings(v: number, keys: number, count: number): Op {
  const d = domainOf(v);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* maptrackRef(d, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** P2M: the frame behind a page frame number. Keys: pfn. */
export function* translatePfns(v: number, keys: number, count: number): Op {
  const d = domainOf(v);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* pfnToMfn(d, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** M2P, confirmed by the P2M: the page frame number behind a frame. Keys: mfn. */
export function* translateMfns(v: number, keys: number, count: number): Op {
  const d = domainOf(v);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* mfnToLocalPfn(d, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** The page of a DMA mapping. @returns page, -1 if the handle is of no live mapping. */
export function* dmaPage(handle: number): Op {
  const index = yield* dmaHandleRecord(handle);
  return index < 0 ? -1 : yield* read(DmaHandle.page.at(index));
}

/** DMA handles: the page behind a handle. Keys: handle. */
export function* findDmaPages(v: number, keys: number, count: number): Op {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* dmaPage(readLocal(keys + i)))) | 0;
  }
  return sum;
}
