/**
 * Unmapping the grants of a map: drivers/xen/gntdev.c, unmap_grant_pages(), in two generations.
 *
 * 3.12: a slot with a handle is unmapped at once, whoever uses its page. In its run-finding loop
 * the kernel of the time had an off-by-one that hangs when a hole follows (fixed by 951a010233);
 * the fixed loop is used, since a hang hides every other finding.
 *
 * Draft B: the slots of the page array say what is mapped. 1. clear a run of slots under the
 * page-table lock, so that no new reference can be had. 2. sleep until the pages are idle, then
 * unmap (unmap-async.ts). 3. handles and count.
 *
 * Both run under the file's lock, which serialises them with each other.
 */
import { kernelBase } from '../../../hardware/params.ts';
import { cpuStore } from '../../../hardware/access.ts';
import type { Op } from '../../../shared/op.ts';
import { read, warnOn, write, writeLocal } from '../../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../../shared/spinlock.ts';
import { PageSlot } from '../../designs/vma-pages.ts';
import { EINVAL } from '../../errno.ts';
import { NO_PAGE, pfnOf } from '../../mm/page.ts';
import { pteLock } from '../../mm/pgtable.ts';
import { BUG_LIVE_GRANTS } from '../bugs.ts';
import { INVALID_GRANT_HANDLE, gnttabSetUnmapOp, gnttabUnmapRefs } from '../map-refs.ts';
import { KunmapOp, UnmapItem, UnmapOp, UnmapPage, gnttabUnmapRefsSync } from '../unmap-async.ts';
import { GrantMap, GrantSlot, MapPage, UNMAP_NOTIFY_CLEAR_BYTE } from './grant-map.ts';

/** UNMAP_NOTIFY_CLEAR_BYTE: clears the word that the user named, if its page is among these. */
function* clearNotifyByte(v: number, map: number, offset: number, pages: number): Op<void> {
  const flags = yield* read(GrantMap.notifyFlags.at(map));
  if ((flags & UNMAP_NOTIFY_CLEAR_BYTE) === 0) return;
  const page = yield* read(GrantMap.notifyPage.at(map));
  if (page < offset || page >= offset + pages) return;
  const pfn = pfnOf(yield* read(MapPage.value.at2(map, page)));
  yield* cpuStore(v, kernelBase() + pfn, yield* read(GrantMap.notifyOffset.at(map)), 0);
  yield* write(GrantMap.notifyFlags.at(map), flags & ~UNMAP_NOTIFY_CLEAR_BYTE);
}

/** Fills item v, this task's, with the unmap operations of a run of grants. */
function* fillItem(v: number, map: number, offset: number, count: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const slot = offset + i;
    const pg = yield* read(MapPage.value.at2(map, slot));
    const pte = yield* read(GrantSlot.pte.at2(map, slot));
    const handle = yield* read(GrantSlot.handle.at2(map, slot));
    const kernelHandle = yield* read(GrantSlot.kernelHandle.at2(map, slot));
    gnttabSetUnmapOp(UnmapOp.hostAddr.at2(v, i), pte, handle);
    gnttabSetUnmapOp(KunmapOp.hostAddr.at2(v, i), kernelBase() + pfnOf(pg), kernelHandle);
    writeLocal(UnmapPage.value.at2(v, i), pg);
  }
  writeLocal(UnmapItem.count.at(v), count);
  writeLocal(UnmapItem.kernel.at(v), 1);
}

/** Counts what Xen says is unmapped, and forgets the handles. @returns 0 or -EINVAL. */
function* settle(v: number, map: number, offset: number, count: number): Op {
  let status = 0;
  let live = yield* read(GrantMap.liveGrants.at(map));
  for (let i = 0; i < count; i++) {
    const slot = offset + i;
    const userOk = (yield* read(UnmapOp.status.at2(v, i))) === 0;
    const kernelOk = (yield* read(KunmapOp.status.at2(v, i))) === 0;
    if (!userOk || !kernelOk) status = -EINVAL;
    if (userOk && (yield* read(GrantSlot.handle.at2(map, slot))) >= 0) live--;
    if (kernelOk && (yield* read(GrantSlot.kernelHandle.at2(map, slot))) >= 0) live--;
    yield* write(GrantSlot.handle.at2(map, slot), INVALID_GRANT_HANDLE);
    yield* write(GrantSlot.kernelHandle.at2(map, slot), INVALID_GRANT_HANDLE);
  }
  warnOn(live < 0, BUG_LIVE_GRANTS, map, live);
  yield* write(GrantMap.liveGrants.at(map), live);
  return status;
}

/** 3.12: __unmap_grant_pages(). */
function* unmapRunNow(v: number, map: number, offset: number, count: number): Op {
  yield* clearNotifyByte(v, map, offset, count);
  yield* fillItem(v, map, offset, count);
  const error = yield* gnttabUnmapRefs(
    v,
    UnmapOp.hostAddr.at2(v, 0),
    KunmapOp.hostAddr.at2(v, 0),
    UnmapPage.value.at2(v, 0),
    count,
  );
  if (error !== 0) return error;
  return yield* settle(v, map, offset, count);
}

/**
 * 3.12: unmap_grant_pages(): the runs of slots that have a handle.
 * @param map - map. @param offset - first slot. @param pages - slots. @returns 0 or an error.
 */
export function* unmapGrantPagesNow(v: number, map: number, offset: number, pages: number): Op {
  const end = offset + pages;
  let at = offset;
  while (at < end) {
    let run = 0;
    while (
      at + run < end &&
      (yield* read(GrantSlot.handle.at2(map, at + run))) !== INVALID_GRANT_HANDLE
    ) {
      run++;
    }
    if (run > 0) {
      const error = yield* unmapRunNow(v, map, at, run);
      if (error !== 0) return error;
    }
    at += run + 1;
  }
  return 0;
}

/**
 * Clears a slot of the page array. Slots are only cleared under the file's lock, which the caller
 * holds; one that was never filled, because mmap ran out of page tables, has no PTE either.
 * @returns the page that it held, or NO_PAGE.
 */
function* takeSlot(map: number, array: number, slot: number): Op {
  const pg = yield* read(PageSlot.value.at2(array, slot));
  if (pg === NO_PAGE) return NO_PAGE;
  const lock = pteLock(yield* read(GrantSlot.pte.at2(map, slot)));
  yield* spinLock(lock);
  yield* write(PageSlot.value.at2(array, slot), NO_PAGE);
  yield* spinUnlock(lock);
  return pg;
}

/** Draft B: __unmap_grant_pages() of a run whose slots are cleared. */
function* unmapRunWhenIdle(v: number, map: number, offset: number, count: number): Op {
  yield* clearNotifyByte(v, map, offset, count);
  yield* fillItem(v, map, offset, count);
  const error = yield* gnttabUnmapRefsSync(v);
  const status = yield* settle(v, map, offset, count);
  return error !== 0 ? error : status;
}

/**
 * Draft B: unmaps the runs of slots that the page array has filled.
 * @param map - map. @param array - its page array. @param offset - first slot.
 * @param pages - slots. @returns 0 or an error; every slot is dealt with all the same.
 */
export function* unmapGrantPagesWhenIdle(
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
      const error = yield* unmapRunWhenIdle(v, map, at, run);
      if (error !== 0) result = error;
    }
    at += run + 1;
  }
  return result;
}
