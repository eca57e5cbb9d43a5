/**
 * /proc/PID/smaps (fs/proc/task_mmu.c: show_smap(), smaps_pte_entry(), smaps_account()): what a VMA
 * is, and how much of it is there.
 *
 * Rss counts entries behind which vm_normal_page() finds a page, so also those of grants, whatever
 * mm.rss says. Pss counts a page that several entries map as that part of a page. A page with one
 * reference has one mapping, or none: it counts in full.
 */
import { PTE_PRESENT, PTE_PROTNONE } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, writeLocal } from '../../shared/operations.ts';
import { mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { vmNormalPage } from '../mm/normal-page.ts';
import { NO_PAGE, Page, pageCount } from '../mm/page.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock } from '../mm/pgtable.ts';
import { NO_VMA, Vma } from '../mm/vma.ts';
import { findVma } from '../mm/vma-tree.ts';

/** Words of a record that showSmap fills. */
export const SMAP_WORDS = 7;
/** Word of a record: first vpn. */
export const SMAP_START = 0;
/** Word of a record: vpn after the last. */
export const SMAP_END = 1;
/** Word of a record: VM_*; VM_MAYSHARE makes the `s` of the permissions. */
export const SMAP_FLAGS = 2;
/** Word of a record: offset in the file, in pages. */
export const SMAP_PGOFF = 3;
/** Word of a record: VM_OPS_*, which says what file it is. */
export const SMAP_OPS = 4;
/** Word of a record: pages that are there. */
export const SMAP_RSS = 5;
/** Word of a record: the same, in parts of a page: 1 << PSS_SHIFT is one. */
export const SMAP_PSS = 6;

/** A page of Pss, as a power of 2. */
export const PSS_SHIFT = 12;

/** smaps_account(). @returns part of the page that counts for this mapping. */
function* pssOf(pg: number): Op {
  const whole = 1 << PSS_SHIFT;
  if ((yield* pageCount(pg)) === 1) return whole;
  const mapcount = yield* readOnce(Page.mapcount.at(pg));
  return mapcount >= 2 ? (whole / mapcount) | 0 : whole;
}

/** smaps_pte_entry(). @returns Pss of the page, 0 if there is none. */
function* smapsPte(v: number, mm: number, vma: number, vpn: number): Op {
  const ptep = yield* pteOffsetMapLock(v, mm, vpn);
  if (ptep === NO_PTE) return 0;
  const pte = yield* readOnce(ptep);
  let pss = 0;
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) !== 0) {
    const pg = yield* vmNormalPage(v, vma, vpn, pte);
    if (pg !== NO_PAGE) pss = yield* pssOf(pg);
  }
  yield* pteUnlock(ptep);
  return pss;
}

/** show_smap(). The caller holds mmap_lock. @param out - word of SMAP_WORDS words. */
function* showVma(v: number, mm: number, vma: number, out: number): Op<void> {
  const start = yield* read(Vma.vmStart.at(vma));
  const end = yield* read(Vma.vmEnd.at(vma));
  let rss = 0;
  let pss = 0;
  for (let vpn = start; vpn < end; vpn++) {
    const part = yield* smapsPte(v, mm, vma, vpn);
    if (part !== 0) rss++;
    pss += part;
  }
  writeLocal(out + SMAP_START, start);
  writeLocal(out + SMAP_END, end);
  writeLocal(out + SMAP_FLAGS, yield* read(Vma.flags.at(vma)));
  writeLocal(out + SMAP_PGOFF, yield* read(Vma.pgoff.at(vma)));
  writeLocal(out + SMAP_OPS, yield* read(Vma.ops.at(vma)));
  writeLocal(out + SMAP_RSS, rss);
  writeLocal(out + SMAP_PSS, pss);
}

/**
 * The record of the first VMA that ends after an address (m_start(), m_next()).
 * @param v - vCPU that reads. @param mm - address space with a reference of the caller.
 * @param vpn - address. @param out - word of an array of SMAP_WORDS words of the caller.
 * @returns 1, or 0 if there is no VMA any more.
 */
export function* showSmap(v: number, mm: number, vpn: number, out: number): Op {
  yield* mmapReadLock(mm);
  const vma = yield* findVma(mm, vpn);
  if (vma !== NO_VMA) yield* showVma(v, mm, vma, out);
  yield* mmapReadUnlock(mm);
  return vma === NO_VMA ? 0 : 1;
}
