/**
 * Draft B of the proposal (D. Vrabel, xen-devel, October 2014) to the letter: a VMA may have an
 * array of pages that spans exactly the VMA. The driver fills it as foreign mappings are made and
 * clears it at unmap; it is split with the VMA. What the XenServer patch queue made of it
 * (mm-provide-an-alternate-set-of-pages-for-userspace-m.patch, December 2014) is the model.
 *
 * Vma.pages          word of the slot of the VMA's first page; -1 without an array
 * PageSlot.page      the page that the grant at this address is mapped over, NO_PAGE if none
 * PageArray.users    VMAs whose slices lie in this array; with the last one it is free again
 * PageArray.start    vpn of slot 0: slots keep their address through every split
 *
 * Splitting is pointer arithmetic over the one shared array: with `delta` pages before the cut, the
 * part that becomes or stays the upper one points `delta` slots further.
 *
 * Finding: M2P gives no local pfn for a foreign frame and the PTE is special, so the fast path of
 * get_user_pages() fails by itself. The slow path asks the array first, and takes its reference
 * under the page-table lock that it holds for the PTE. The driver clears a slot under the same
 * lock *before* it looks at the page's count: who saw the slot has its reference by then, and
 * nobody gets a new one. So the count that is 1 then stays 1, and the unmap that follows is of an
 * idle page. Slots are filled before the VMA is visible to anybody.
 * What mapping and unmapping remember of the grant is in foreign-page.ts.
 */
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, warnOn, write } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { BUG_PAGE_ARRAY_USERS } from '../drivers/bugs.ts';
import { NO_PAGE } from '../mm/page.ts';
import { Vma } from '../mm/vma.ts';

/** No array. */
export const NO_ARRAY = -1;

export const PageArray = defineTable(
  'page_array[%]',
  ['pageArrays'],
  {
    users: '[GST] VMAs with a slice of the array',
    start: '[GST] vpn of slot 0; constant while there are users',
    count: '[GST] slots; constant while there are users',
  },
  { lineAligned: true },
);

export const PageSlot = defineTable('page_array[%].page[%]', ['pageArrays', 'mapPages'], {
  value: '[GST] page behind the address, NO_PAGE if none; under the page-table lock',
});

export const PageArrayBitmap = defineTable('page_array_bitmap[%]', ['pageArrayWords'], {
  value: '[GST] page arrays in use (kmalloc)',
});

/** The array of a slot. @param slot - word of a slot, as in Vma.pages. */
export function arrayOfSlot(slot: number): number {
  return ((slot - PageSlot.value.at2(0, 0)) / PageSlot.value.outer) | 0;
}

/**
 * An array of its own for a VMA, empty.
 * @param start - its first vpn. @param count - its pages.
 * @returns the array, or NO_ARRAY if there is no memory.
 */
export function* pageArrayAlloc(start: number, count: number): Op {
  const array = yield* slabAlloc(PageArrayBitmap.value.word, PageArray.users.count);
  if (array < 0) return NO_ARRAY;
  for (let i = 0; i < count; i++) yield* write(PageSlot.value.at2(array, i), NO_PAGE);
  yield* write(PageArray.start.at(array), start);
  yield* write(PageArray.count.at(array), count);
  yield* write(PageArray.users.at(array), 1);
  return array;
}

/**
 * A driver gives a VMA that nobody sees yet an array.
 * @param vma - new VMA. @returns the array, or NO_ARRAY if there is no memory.
 */
export function* vmaPagesAttach(vma: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const count = (yield* read(Vma.vmEnd.at(vma))) - start;
  const array = yield* pageArrayAlloc(start, count);
  if (array !== NO_ARRAY) yield* write(Vma.pages.at(vma), PageSlot.value.at2(array, 0));
  return array;
}

/** A copy of a VMA has a slice too. @param vma - the copy. */
export function* vmaPagesOpen(vma: number): Op<void> {
  const pages = yield* read(Vma.pages.at(vma));
  if (pages < 0) return;
  const before = yield* fetchAdd(PageArray.users.at(arrayOfSlot(pages)), 1);
  warnOn(before <= 0, BUG_PAGE_ARRAY_USERS, arrayOfSlot(pages), before);
}

/** A VMA gives its slice up; the array goes with the last one. @param vma - VMA. */
export function* vmaPagesClose(vma: number): Op<void> {
  const pages = yield* read(Vma.pages.at(vma));
  if (pages < 0) return;
  yield* write(Vma.pages.at(vma), -1);
  const array = arrayOfSlot(pages);
  const before = yield* fetchAdd(PageArray.users.at(array), -1);
  warnOn(before <= 0, BUG_PAGE_ARRAY_USERS, array, before);
  if (before === 1) yield* slabFree(PageArrayBitmap.value.word, array);
}

/**
 * mm/mmap.c: __split_vma() with vma->pages. The copy has the old VMA's pointer.
 * @param vma - VMA that stays. @param newVma - its copy. @param deltaPages - pages before the cut.
 * @param newBelow - 1 if the copy becomes the lower part.
 */
export function* vmaPagesSplit(
  vma: number,
  newVma: number,
  deltaPages: number,
  newBelow: number,
): Op<void> {
  const pages = yield* read(Vma.pages.at(vma));
  if (pages < 0) return;
  const upper = newBelow !== 0 ? vma : newVma;
  yield* write(Vma.pages.at(upper), pages + deltaPages * PageSlot.value.stride);
}

/**
 * mm/memory.c: vm_normal_page() with vma->pages. The caller keeps the VMA stable and holds the
 * page-table lock of the address.
 * @param vma - VMA of the address. @param vpn - address. @returns page, or NO_PAGE.
 */
export function* vmaPagesLookup(vma: number, vpn: number): Op {
  const pages = yield* read(Vma.pages.at(vma));
  if (pages < 0) return NO_PAGE;
  const index = vpn - (yield* read(Vma.vmStart.at(vma)));
  return yield* read(pages + index * PageSlot.value.stride);
}
