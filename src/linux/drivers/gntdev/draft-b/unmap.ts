/**
 * gntdev of Draft B: the slots of the page array say what is mapped. 1. clear a run of slots under
 * the page-table lock, so that no new reference can be had. 2. sleep until the pages are idle, then
 * unmap (unmap-async.ts). 3. handles and count. All of it under the file's lock.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, write } from '../../../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../../../shared/spinlock.ts';
import { PageSlot } from '../../../designs/vma-pages.ts';
import { NO_PAGE } from '../../../mm/page.ts';
import { pteLock } from '../../../mm/pgtable.ts';
import { settleRun, unmapRunWhenIdle } from '../by-vma/unmap.ts';
import { MapUnmapOp } from '../grant-map.ts';
import { clearNotifyByte } from '../unmap-notify.ts';

/**
 * Clears a slot of the page array. Slots are only cleared under the file's lock, which the caller
 * holds; one that was never filled, because mmap ran out of page tables, has no PTE either.
 * @returns the page that it held, or NO_PAGE.
 */
function* takeSlot(map: number, array: number, slot: number): Op {
  const pg = yield* read(PageSlot.value.at2(array, slot));
  if (pg === NO_PAGE) return NO_PAGE;
  const lock = pteLock(yield* read(MapUnmapOp.hostAddr.at2(map, slot)));
  yield* spinLock(lock);
  yield* write(PageSlot.value.at2(array, slot), NO_PAGE);
  yield* spinUnlock(lock);
  return pg;
}

/** __unmap_grant_pages() of a run whose slots are cleared. */
function* unmapRun(v: number, map: number, offset: number, count: number): Op {
  yield* clearNotifyByte(v, map, offset, count);
  const error = yield* unmapRunWhenIdle(v, map, offset, count);
  const status = yield* settleRun(map, offset, count);
  return error !== 0 ? error : status;
}

/**
 * Unmaps the runs of slots that the page array has filled.
 * @param map - map. @param array - its page array. @param offset - first slot.
 * @param pages - slots. @returns 0 or an error; every slot is dealt with all the same.
 */
export function* unmapSlots(
  v: number,
  map: number,
  array: number,
  offset: number,
  pages: number,
): Op {
  const end = offset + pages;
  let at = offset;
  let result = 0;
  while (at < end) {
    let run = 0;
    while (at + run < end && (yield* takeSlot(map, array, at + run)) !== NO_PAGE) run++;
    if (run > 0) {
      const error = yield* unmapRun(v, map, at, run);
      if (error !== 0) result = error;
    }
    at += run + 1;
  }
  return result;
}
