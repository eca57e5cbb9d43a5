/**
 * The memory map of an ARM domain that is mapped 1:1 (memblock; arch/arm/mm/init.c: pfn_valid()):
 * the physical address of a page is the machine address of the frame that the page has at boot.
 * The domain keeps these frames, ballooned out or not, so a frame that it does not know here is
 * another domain's: `pfn_valid(mfn)` is the test for local or foreign.
 *
 * Written once at boot. Pages here are counted from the start of the map (pfns of mm/page.ts); the
 * physical frame number of ARM is the number of the machine frame.
 */
import { pagesPerDomain } from '../../hardware/params.ts';
import { readLocal, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { P2m } from '../mm/p2m.ts';

export const MemblockPage = defineTable('memblock.frame[%]', ['frames'], {
  page: '[BOOT] 1 + number of the page of domain 0 that lies here, 0 if it is none of its memory',
});

export const MemblockFrame = defineTable('memblock.page[%]', ['pagesPerDomain'], {
  frame: '[BOOT] physical frame of the page of domain 0',
});

/** Notes the map of a domain whose memory is populated. @param d - domain. */
export function initMemblock(d: number): void {
  for (let pfn = 0; pfn < pagesPerDomain(); pfn++) {
    const mfn = readLocal(P2m.value.at2(d, pfn));
    writeLocal(MemblockFrame.frame.at(pfn), mfn);
    writeLocal(MemblockPage.page.at(mfn), pfn + 1);
  }
}

/** pfn_valid(): is this frame in the domain's memory map? @param mfn - any frame. */
export function pfnValid(mfn: number): boolean {
  if (mfn < 0 || mfn >= MemblockPage.page.count) return false;
  return readLocal(MemblockPage.page.at(mfn)) !== 0;
}

/** pfn_to_page(): number of the page at a frame of the map. */
export function pfnAtFrame(mfn: number): number {
  return readLocal(MemblockPage.page.at(mfn)) - 1;
}

/** page_to_phys(): the frame at which a page lies. @param pfn - number of the page. */
export function frameAtPfn(pfn: number): number {
  return readLocal(MemblockFrame.frame.at(pfn));
}
