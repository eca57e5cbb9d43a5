/**
 * gntdev of today (Linux 7.0, drivers/xen/gntdev.c): unmapping without waiting.
 *
 * unmap_grant_pages(): 1. nothing live: nothing to do. 2. the runs of slots that nobody is removing
 *   yet: mark them. 3. for each run: the word to clear, the map's one unmap_data, users + 1, an
 *   asynchronous unmap. It returns when the unmaps are *started* (dbe97cff7dd9).
 * __unmap_grant_pages_done(): 1. count what Xen unmapped, forget the handles. 2. live_grants.
 *   3. users - 1.
 *
 * No lock: mmap_lock and the notifier are relied on. What that leaves open, and is kept: a page in
 * use is still mapped when the notifier returns; unmap_data is filled anew while an earlier unmap
 * of the same map still waits for its pages.
 */
import type { Op } from '../../../../shared/op.ts';
import { fetchAdd, read, readOnce, warnOn, write } from '../../../../shared/operations.ts';
import { UNMAP_HANDLE, UNMAP_STATUS } from '../../../../xen/public/grant-table.ts';
import { BUG_LIVE_GRANTS, BUG_UNMAP_FAILED } from '../../bugs.ts';
import { INVALID_GRANT_HANDLE } from '../../map-refs.ts';
import {
  GrantMap,
  GrantSlot,
  MapKunmapOp,
  MapPage,
  MapUnmapOp,
  gntdevGetMap,
} from '../grant-map.ts';
import { clearNotifyByte } from '../unmap-notify.ts';
import { putMapToday } from './put-map.ts';
import { UnmapData, gnttabUnmapRefsAsync } from './unmap-data.ts';

/** One operation of a finished batch. @param op - its record. @returns 1 if a mapping is gone. */
function* settleOp(map: number, op: number): Op {
  const status = yield* read(op + UNMAP_STATUS);
  const mapped = (yield* read(op + UNMAP_HANDLE)) !== INVALID_GRANT_HANDLE;
  warnOn(status !== 0 && mapped, BUG_UNMAP_FAILED, map, status);
  yield* write(op + UNMAP_HANDLE, INVALID_GRANT_HANDLE);
  return status === 0 && mapped ? 1 : 0;
}

/**
 * drivers/xen/gntdev.c: __unmap_grant_pages_done()
 * @param v - who unmapped: the caller or the domain's kernel thread. @param map - the map.
 */
export function* unmapGrantPagesDone(v: number, map: number): Op<void> {
  const first = MapUnmapOp.hostAddr.at2(map, 0);
  const unmapOps = yield* read(UnmapData.unmapOps.at(map));
  const offset = ((unmapOps - first) / MapUnmapOp.hostAddr.stride) | 0;
  let unmapped = 0;
  const count = yield* read(UnmapData.count.at(map));
  for (let slot = offset; slot < offset + count; slot++) {
    unmapped += yield* settleOp(map, MapUnmapOp.hostAddr.at2(map, slot));
    unmapped += yield* settleOp(map, MapKunmapOp.hostAddr.at2(map, slot));
  }
  // Only after the loop: nobody may see 0 while a handle is still there.
  const live = (yield* fetchAdd(GrantMap.liveGrants.at(map), -unmapped)) - unmapped;
  warnOn(live < 0, BUG_LIVE_GRANTS, map, live);
  yield* putMapToday(v, map);
}

/** drivers/xen/gntdev.c: __unmap_grant_pages() */
function* startUnmap(v: number, map: number, offset: number, count: number): Op<void> {
  yield* clearNotifyByte(v, map, offset, count);
  yield* write(UnmapData.unmapOps.at(map), MapUnmapOp.hostAddr.at2(map, offset));
  yield* write(UnmapData.kunmapOps.at(map), MapKunmapOp.hostAddr.at2(map, offset));
  yield* write(UnmapData.pages.at(map), MapPage.value.at2(map, offset));
  yield* write(UnmapData.count.at(map), count);
  yield* gntdevGetMap(map);
  yield* gnttabUnmapRefsAsync(v, map);
}

/**
 * drivers/xen/gntdev.c: unmap_grant_pages()
 * @param v - vCPU that asks. @param map - map. @param offset - first slot. @param pages - slots.
 */
export function* unmapGrantPages(v: number, map: number, offset: number, pages: number): Op<void> {
  if ((yield* readOnce(GrantMap.liveGrants.at(map))) === 0) return;
  const end = offset + pages;
  let at = offset;
  while (at < end) {
    while (at < end && (yield* read(GrantSlot.beingRemoved.at2(map, at))) !== 0) at++;
    let run = 0;
    while (at + run < end) {
      if ((yield* read(GrantSlot.beingRemoved.at2(map, at + run))) !== 0) break;
      yield* write(GrantSlot.beingRemoved.at2(map, at + run), 1);
      run++;
    }
    if (run > 0) yield* startUnmap(v, map, at, run);
    at += run;
  }
}
