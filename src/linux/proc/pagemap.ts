/**
 * /proc/PID/pagemap (fs/proc/task_mmu.c: pagemap_read(), pte_to_pagemap_entry()) and
 * /proc/kpagecount (fs/proc/page.c: kpagecount_read()).
 *
 * The number of a page is what the entry's frame is called here: for a foreign frame that is
 * nothing (pte_pfn() is 0), while what is behind the entry, the page that vm_normal_page() finds,
 * decides the other bits. A domain that maps a frame of its own finds its own page.
 */
import { PTE_PRESENT, PTE_PROTNONE, pteMfn } from '../../hardware/paging.ts';
import { domainOf, pagesPerDomain } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, writeLocal } from '../../shared/operations.ts';
import { mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { vmNormalPage } from '../mm/normal-page.ts';
import { mfnToLocalPfn } from '../mm/p2m.ts';
import { NO_PAGE, PG_anon, PG_table, Page, pageOf } from '../mm/page.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock } from '../mm/pgtable.ts';
import { NO_VMA, VM_SOFTDIRTY, Vma } from '../mm/vma.ts';
import { vmaLookup } from '../mm/vma-tree.ts';

/** Words of an entry: PM_* bits, then the page frame number. */
export const PAGEMAP_WORDS = 2;

/** Bit 55 in life: the entry is soft-dirty. */
export const PM_SOFT_DIRTY = 1;
/** Bit 56 in life: one entry maps the page. */
export const PM_MMAP_EXCLUSIVE = 2;
/** Bit 61 in life: a page of a file, or of a driver. */
export const PM_FILE = 4;
/** Bit 63 in life: the page is there. */
export const PM_PRESENT = 8;

/** What the page behind an entry adds. @returns PM_*. */
function* bitsOfPage(pg: number): Op {
  if (pg === NO_PAGE) return 0;
  const anonymous = ((yield* readOnce(Page.flags.at(pg))) & PG_anon) !== 0;
  const exclusive = (yield* readOnce(Page.mapcount.at(pg))) === 1;
  return (anonymous ? 0 : PM_FILE) | (exclusive ? PM_MMAP_EXCLUSIVE : 0);
}

/** pte_to_pagemap_entry(). @param out - word of the entry. */
function* pagemapPte(v: number, mm: number, vma: number, vpn: number, out: number): Op<void> {
  let bits = ((yield* read(Vma.flags.at(vma))) & VM_SOFTDIRTY) !== 0 ? PM_SOFT_DIRTY : 0;
  let pfn = 0;
  const ptep = yield* pteOffsetMapLock(v, mm, vpn);
  if (ptep !== NO_PTE) {
    const pte = yield* readOnce(ptep);
    if ((pte & (PTE_PRESENT | PTE_PROTNONE)) !== 0) {
      bits |= PM_PRESENT | (yield* bitsOfPage(yield* vmNormalPage(v, vma, vpn, pte)));
      pfn = Math.max(0, yield* mfnToLocalPfn(domainOf(v), pteMfn(pte)));
    }
    yield* pteUnlock(ptep);
  }
  writeLocal(out, bits);
  writeLocal(out + 1, pfn);
}

/**
 * fs/proc/task_mmu.c: pagemap_read().
 * @param v - vCPU that reads. @param mm - address space with a reference of the caller.
 * @param vpn - first address. @param count - pages.
 * @param out - word of an array of the caller, PAGEMAP_WORDS words for each page.
 */
export function* pagemapRead(
  v: number,
  mm: number,
  vpn: number,
  count: number,
  out: number,
): Op<void> {
  yield* mmapReadLock(mm);
  for (let i = 0; i < count; i++) {
    const entry = out + i * PAGEMAP_WORDS;
    const vma = yield* vmaLookup(mm, vpn + i);
    if (vma !== NO_VMA) {
      yield* pagemapPte(v, mm, vma, vpn + i, entry);
    } else {
      writeLocal(entry, 0);
      writeLocal(entry + 1, 0);
    }
  }
  yield* mmapReadUnlock(mm);
}

/**
 * fs/proc/page.c: kpagecount_read(), of one page.
 * @param v - vCPU that reads. @param pfn - page of its domain.
 * @returns entries that map the page; 0 for a page table; -1 if there is no such page.
 */
export function* kpagecount(v: number, pfn: number): Op {
  if (pfn < 0 || pfn >= pagesPerDomain()) return -1;
  const pg = pageOf(domainOf(v), pfn);
  if (((yield* readOnce(Page.flags.at(pg))) & PG_table) !== 0) return 0;
  return yield* readOnce(Page.mapcount.at(pg));
}
