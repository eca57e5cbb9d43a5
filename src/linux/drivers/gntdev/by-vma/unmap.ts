/**
 * gntdev of 3.12 and 4.0 (drivers/xen/gntdev.c): unmap_grant_pages(). A slot with a handle is
 * unmapped, in runs, under the file's lock: in 3.12 at once, whoever uses the pages; in 4.0 when
 * they are idle, which the caller sleeps for (745282256c75).
 *
 * In its run-finding loop the kernel of both times had an off-by-one that hangs when a hole follows
 * (fixed by 951a010233); the fixed loop is used, since a hang hides every other finding.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, warnOn, write } from '../../../../shared/operations.ts';
import { M2P_OVERRIDE, design } from '../../../designs/design.ts';
import { EINVAL } from '../../../errno.ts';
import { BUG_LIVE_GRANTS } from '../../bugs.ts';
import { INVALID_GRANT_HANDLE, gnttabUnmapRefs } from '../../map-refs.ts';
import { gnttabUnmapRefsSync, setUnmapItem } from '../../unmap-async.ts';
import { GrantMap, MapKunmapOp, MapPage, MapUnmapOp } from '../grant-map.ts';
import { clearNotifyByte } from '../unmap-notify.ts';

/**
 * Counts what Xen says is unmapped, and forgets the handles: the end of __unmap_grant_pages().
 * @returns 0, or -EINVAL if an operation failed.
 */
export function* settleRun(map: number, offset: number, count: number): Op {
  let status = 0;
  let live = yield* read(GrantMap.liveGrants.at(map));
  for (let slot = offset; slot < offset + count; slot++) {
    const handle = MapUnmapOp.handle.at2(map, slot);
    const kernelHandle = MapKunmapOp.handle.at2(map, slot);
    const userOk = (yield* read(MapUnmapOp.status.at2(map, slot))) === 0;
    const kernelOk = (yield* read(MapKunmapOp.status.at2(map, slot))) === 0;
    if (!userOk || !kernelOk) status = -EINVAL;
    if (userOk && (yield* read(handle)) >= 0) live--;
    if (kernelOk && (yield* read(kernelHandle)) >= 0) live--;
    yield* write(handle, INVALID_GRANT_HANDLE);
    yield* write(kernelHandle, INVALID_GRANT_HANDLE);
  }
  warnOn(live < 0, BUG_LIVE_GRANTS, map, live);
  yield* write(GrantMap.liveGrants.at(map), live);
  return status;
}

/**
 * gnttab_unmap_refs_sync() of a run of a map, by item v, the task's own.
 * @returns 0, or a negative error.
 */
export function* unmapRunWhenIdle(v: number, map: number, offset: number, count: number): Op {
  setUnmapItem(
    v,
    MapUnmapOp.hostAddr.at2(map, offset),
    MapKunmapOp.hostAddr.at2(map, offset),
    MapPage.value.at2(map, offset),
    count,
  );
  return yield* gnttabUnmapRefsSync(v);
}

/** 3.12: gnttab_unmap_refs() of a run of a map. */
function* unmapRunNow(v: number, map: number, offset: number, count: number): Op {
  return yield* gnttabUnmapRefs(
    v,
    MapUnmapOp.hostAddr.at2(map, offset),
    MapKunmapOp.hostAddr.at2(map, offset),
    MapPage.value.at2(map, offset),
    count,
  );
}

/** drivers/xen/gntdev.c: __unmap_grant_pages() */
function* unmapRun(v: number, map: number, offset: number, count: number): Op {
  yield* clearNotifyByte(v, map, offset, count);
  let error = 0;
  if (design() === M2P_OVERRIDE) error = yield* unmapRunNow(v, map, offset, count);
  else error = yield* unmapRunWhenIdle(v, map, offset, count);
  if (error !== 0) return error;
  return yield* settleRun(map, offset, count);
}

/**
 * drivers/xen/gntdev.c: unmap_grant_pages(): the runs of slots that have a handle.
 * @param map - map. @param offset - first slot. @param pages - slots. @returns 0 or an error.
 */
export function* unmapGrantPages(v: number, map: number, offset: number, pages: number): Op {
  const end = offset + pages;
  let at = offset;
  while (at < end) {
    let run = 0;
    while (
      at + run < end &&
      (yield* read(MapUnmapOp.handle.at2(map, at + run))) !== INVALID_GRANT_HANDLE
    ) {
      run++;
    }
    if (run > 0) {
      const error = yield* unmapRun(v, map, at, run);
      if (error !== 0) return error;
    }
    at += run + 1;
  }
  return 0;
}
