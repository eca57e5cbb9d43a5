/**
 * I2 and I17, when the machine is quiet: every frame is either free, on the heap and referred to by
 * nobody, or it belongs to a domain; the domains' and the heap's own counts say the same. A frame
 * has at least the references that page tables hold on it.
 */
import { PTE_PRESENT, ptEntryWord, pteMfn } from '../../hardware/paging.ts';
import { domainCount, frameCount, ptEntryCount, ptFrameCount } from '../../hardware/params.ts';
import { Domain } from '../../xen/domain.ts';
import { Heap } from '../../xen/page-alloc.ts';
import {
  NO_PAGE,
  PGC_count_mask,
  PGC_xen_heap,
  PGT_l1_page_table,
  PGT_type_mask,
  PageInfo,
} from '../../xen/page-info.ts';
import { peek } from '../shadow-words.ts';
import { checkPhysmap } from './status-frames.ts';
import type { Report } from '../violation.ts';
import { FRAMES_LOST, FRAME_REFERENCE } from '../violation.ts';

/** Compares the frame table with the heap, the domains and the page tables. */
export function checkFrames(report: Report): void {
  const free = new Uint8Array(frameCount());
  const listed =
    collectFree(Heap.dataHead.word, free, report) + collectFree(Heap.ptHead.word, free, report);
  if (listed !== peek(Heap.available.word)) report(-1, FRAMES_LOST, Heap.available.word, 0);

  const owned = new Int32Array(domainCount());
  const shared = new Int32Array(domainCount());
  for (let mfn = 1; mfn < frameCount(); mfn++) {
    const owner = peek(PageInfo.owner.at(mfn));
    const isFree = free[mfn] === 1;
    if (isFree === owner >= 0) report(-1, FRAMES_LOST, PageInfo.owner.at(mfn), 0);
    const isXens = (peek(PageInfo.countInfo.at(mfn)) & PGC_xen_heap) !== 0;
    const counts = isXens ? shared : owned;
    if (owner >= 0) counts[owner] = (counts[owner] as number) + 1;
    if (isFree && (peek(PageInfo.countInfo.at(mfn)) & PGC_count_mask) !== 0) {
      report(-1, FRAME_REFERENCE, PageInfo.countInfo.at(mfn), 0);
    }
  }
  for (let d = 0; d < domainCount(); d++) {
    if (owned[d] !== peek(Domain.totPages.at(d))) report(-1, FRAMES_LOST, Domain.totPages.at(d), 0);
    const xens = Domain.xenheapPages.at(d);
    if (shared[d] !== peek(xens)) report(-1, FRAMES_LOST, xens, 0);
  }
  checkTables(report);
  checkPhysmap(report);
}

/** Marks the frames of a free list. @returns how many there are. */
function collectFree(head: number, free: Uint8Array, report: Report): number {
  let count = 0;
  for (let mfn = peek(head); mfn !== NO_PAGE; mfn = peek(PageInfo.next.at(mfn))) {
    if (mfn < 0 || mfn >= free.length || free[mfn] === 1) {
      report(-1, FRAMES_LOST, head, PageInfo.next.at(mfn));
      return count;
    }
    free[mfn] = 1;
    count++;
  }
  return count;
}

/** Every present leaf entry of a page table holds one reference of the frame it names. */
function checkTables(report: Report): void {
  const held = new Int32Array(frameCount());
  for (let table = 1; table < ptFrameCount(); table++) {
    if ((peek(PageInfo.typeInfo.at(table)) & PGT_type_mask) !== PGT_l1_page_table) continue;
    for (let index = 0; index < ptEntryCount(); index++) {
      const pte = peek(ptEntryWord(table, index));
      if ((pte & PTE_PRESENT) === 0) continue;
      const mfn = pteMfn(pte);
      if (mfn >= held.length) continue;
      const references = (held[mfn] as number) + 1;
      held[mfn] = references;
      const countInfo = PageInfo.countInfo.at(mfn);
      if ((peek(countInfo) & PGC_count_mask) < references) {
        report(-1, FRAME_REFERENCE, countInfo, ptEntryWord(table, index));
      }
    }
  }
}
