/**
 * Models that are wrong on purpose, each in one function: recordings of a real Xen and Linux must
 * tell them from the right one. None of them ever was.
 */
import type { Op } from '../shared/op.ts';
import { read } from '../shared/operations.ts';
import type { Override } from '../shared/override.ts';
import { replaces } from '../shared/override.ts';
import { invalidateToday } from '../linux/drivers/gntdev/today/invalidate.ts';
import { unmapGrantPages } from '../linux/drivers/gntdev/today/unmap.ts';
import { putMapToday } from '../linux/drivers/gntdev/today/put-map.ts';
import {
  GrantMap,
  NO_MAP,
  gntdevFindMapIndex,
  gntdevLock,
  gntdevUnlock,
} from '../linux/drivers/gntdev/grant-map.ts';
import { gntdevUnmapGrantRef } from '../linux/drivers/gntdev/ioctl.ts';
import { listDel } from '../linux/drivers/list.ts';
import { ENOENT } from '../linux/errno.ts';
import { pinIncrement } from '../xen/grant-table/active.ts';
import {
  GNTMAP_contains_pte,
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
} from '../xen/public/grant-table.ts';

/** The array of grants is not split with the VMA: a piece's first page is taken for grant 0. */
function* invalidateUnsplit(
  v: number,
  map: number,
  start: number,
  end: number,
  blockable: number,
): Op {
  if (blockable === 0) return 0;
  const mapStart = yield* read(GrantMap.pagesVmStart.at(map));
  const mapEnd = mapStart + (yield* read(GrantMap.count.at(map)));
  if (mapStart >= end || mapEnd <= start) return 1;
  yield* unmapGrantPages(v, map, 0, Math.min(end, mapEnd) - Math.max(start, mapStart));
  return 1;
}

/** The kernel's own mapping of a granted page takes no pin. */
function pinIncrementOnce(flags: number): number {
  let pins = 0;
  const ofKernel = (flags & GNTMAP_contains_pte) === 0;
  if ((flags & GNTMAP_device_map) !== 0) {
    pins += (flags & GNTMAP_readonly) !== 0 ? 1 << 24 : 1 << 16;
  }
  if ((flags & GNTMAP_host_map) !== 0 && !ofKernel) {
    pins += (flags & GNTMAP_readonly) !== 0 ? 1 << 8 : 1;
  }
  return pins;
}

/** IOCTL_GNTDEV_UNMAP_GRANT_REF unmaps what is still mapped. */
function* unmapAtOnce(v: number, fd: number, index: number, count: number): Op {
  yield* gntdevLock(fd);
  const map = yield* gntdevFindMapIndex(fd, index, count);
  if (map !== NO_MAP) yield* listDel(GrantMap.next.at(map));
  yield* gntdevUnlock(fd);
  if (map === NO_MAP) return -ENOENT;
  yield* unmapGrantPages(v, map, 0, yield* read(GrantMap.count.at(map)));
  yield* putMapToday(v, map);
  return 0;
}

/** By name, in words. */
export const wrongModels: Readonly<Record<string, readonly Override[]>> = {
  'no split of the array': [replaces(invalidateToday, invalidateUnsplit)],
  'pins not doubled by the kernel mapping': [replaces(pinIncrement, pinIncrementOnce)],
  'UNMAP_GRANT_REF unmaps at once': [replaces(gntdevUnmapGrantRef, unmapAtOnce)],
};
