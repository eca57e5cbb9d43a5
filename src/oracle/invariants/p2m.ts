/**
 * I12, when the machine is quiet: the P2M entry of every page agrees with the page's mapping in the
 * direct map: both name the same frame, or neither names any.
 *
 * Ballooned pages of 3.12 are backed by scratch pages, one a vCPU, and the P2M names the one of the
 * vCPU that ballooned the page out. An unmap on another vCPU leaves that one's scratch page in the
 * page table (arch/x86/xen/p2m.c: m2p_remove_override()), and an unmap without a kernel mapping of
 * its own, blkback's, leaves nothing. Its authors lived with both, so here they agree.
 */
import { PTE_PRESENT, namesTable, ptEntryWord, ptIndex, pteMfn } from '../../hardware/paging.ts';
import {
  domainCount,
  firstVcpuOf,
  kernelBase,
  kernelVcpuOf,
  pagesPerDomain,
  ptLevels,
} from '../../hardware/params.ts';
import { BalloonScratch } from '../../linux/drivers/balloon.ts';
import { Kernel } from '../../linux/mm/pgd.ts';
import { FOREIGN_FRAME_BIT, INVALID_P2M_ENTRY, P2m } from '../../linux/mm/p2m.ts';
import { NO_PAGE, pfnOf } from '../../linux/mm/page.ts';
import { peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { P2M_MISMATCH } from '../violation.ts';

/** Compares the P2M of every domain with its kernel's page tables. */
export function checkP2m(report: Report): void {
  for (let d = 0; d < domainCount(); d++) {
    const root = peek(Kernel.root.at(d));
    const scratch = scratchFrames(d);
    for (let pfn = 0; pfn < pagesPerDomain(); pfn++) {
      const word = leafWord(root, kernelBase() + pfn);
      const pte = word < 0 ? 0 : peek(word);
      const entry = peek(P2m.value.at2(d, pfn));
      const mapped = (pte & PTE_PRESENT) !== 0 ? pteMfn(pte) : -1;
      const known = entry === INVALID_P2M_ENTRY ? -1 : entry & ~FOREIGN_FRAME_BIT;
      if (mapped === known) continue;
      if (scratch.has(known) && (mapped < 0 || scratch.has(mapped))) continue;
      report(-1, P2M_MISMATCH, P2m.value.at2(d, pfn), Math.max(word, 0));
    }
  }
}

/** The frames of a domain's scratch pages; none in generations without them. */
function scratchFrames(d: number): ReadonlySet<number> {
  const frames = new Set<number>();
  for (let v = firstVcpuOf(d); v <= kernelVcpuOf(d); v++) {
    const pg = peek(BalloonScratch.page.at(v));
    if (pg !== NO_PAGE) frames.add(peek(P2m.value.at2(d, pfnOf(pg))));
  }
  return frames;
}

/** The frame that is mapped at the kernel address of a page. @returns mfn, -1 if none. */
export function kernelFrameOf(d: number, pfn: number): number {
  const word = leafWord(peek(Kernel.root.at(d)), kernelBase() + pfn);
  const pte = word < 0 ? 0 : peek(word);
  return (pte & PTE_PRESENT) !== 0 ? pteMfn(pte) : -1;
}

/** The word of a leaf entry, -1 if a table is missing. */
function leafWord(root: number, vpn: number): number {
  let table = root;
  for (let level = ptLevels(); level > 1; level--) {
    const entry = peek(ptEntryWord(table, ptIndex(vpn, level)));
    if (!namesTable(entry)) return -1;
    table = pteMfn(entry);
  }
  return ptEntryWord(table, ptIndex(vpn, 1));
}
