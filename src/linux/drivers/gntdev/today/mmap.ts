/**
 * gntdev of today (Linux 7.0, drivers/xen/gntdev.c): gntdev_mmap(). The caller (mm/mmap.c) holds
 * mmap_lock for writing and has not yet put the VMA where others find it.
 *
 *   1. under the file's lock: the map of this offset and length; `in_use`, once and for all; a
 *   reference; the VMA; `pages_vm_start`; a notifier of the whole range.
 *   2. wait until an invalidation that the insert met is over. Nobody looks whether one came
 *   meanwhile: "this vma's mappings can't be touched without the mmap_lock".
 *   3. PTEs, map. An error in any grant: unmap what was mapped, drop the reference.
 */
import type { Op } from '../../../../shared/op.ts';
import { cmpxchg, fetchAdd, read, write } from '../../../../shared/operations.ts';
import { GNTMAP_host_map, GNTMAP_readonly } from '../../../../xen/public/grant-table.ts';
import { EINVAL } from '../../../errno.ts';
import {
  NOTIFIER_GNTDEV,
  mmuIntervalNotifierInsert,
  mmuIntervalReadBegin,
} from '../../../mm/mmu-notifier.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTDEV } from '../../../mm/vm-ops.ts';
import { VM_WRITE, Vma } from '../../../mm/vma.ts';
import { gntdevGetFile, gntdevPutFile } from '../file.ts';
import {
  GNTDEV_VM_FLAGS,
  GrantMap,
  NO_MAP,
  gntdevFindMapIndex,
  gntdevGetMap,
  gntdevLock,
  gntdevUnlock,
} from '../grant-map.ts';
import { findGrantPtes, mapTaskOps, noteKernelHandle, noteUserHandle } from '../map-pages.ts';
import { putMapToday } from './put-map.ts';
import { unmapGrantPages } from './unmap.ts';

/** atomic_add_unless(&map->in_use, 1, 1). @returns the map, or NO_MAP. */
export function* takeMap(fd: number, vma: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const count = (yield* read(Vma.vmEnd.at(vma))) - start;
  const map = yield* gntdevFindMapIndex(fd, yield* read(Vma.pgoff.at(vma)), count);
  if (map === NO_MAP) return NO_MAP;
  return (yield* cmpxchg(GrantMap.inUse.at(map), 0, 1)) === 0 ? map : NO_MAP;
}

/** The VMA is gntdev's, and the map's range is watched. Under the lock. @returns 0 or an error. */
function* tieVma(v: number, map: number, vma: number): Op {
  const vmFlags = yield* read(Vma.flags.at(vma));
  yield* write(Vma.ops.at(vma), VM_OPS_GNTDEV);
  yield* write(Vma.flags.at(vma), vmFlags | GNTDEV_VM_FLAGS);
  yield* write(Vma.privateData.at(vma), map);
  const writable = (vmFlags & VM_WRITE) !== 0;
  const flags = yield* read(GrantMap.flags.at(map));
  if (flags !== 0) {
    if (writable && (flags & GNTMAP_readonly) !== 0) return -EINVAL;
  } else {
    yield* write(GrantMap.flags.at(map), GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly));
  }
  const start = yield* read(Vma.vmStart.at(vma));
  yield* write(GrantMap.pagesVmStart.at(map), start);
  const mm = yield* read(Vma.mm.at(vma));
  const count = (yield* read(Vma.vmEnd.at(vma))) - start;
  const notifier = yield* mmuIntervalNotifierInsert(v, mm, start, count, NOTIFIER_GNTDEV, map);
  if (notifier < 0) return notifier;
  yield* write(GrantMap.notifier.at(map), notifier);
  return 0;
}

/** drivers/xen/gntdev.c: gntdev_map_grant_pages(). @returns 0, or the first error. */
export function* mapGrantPages(v: number, map: number): Op {
  const count = yield* read(GrantMap.count.at(map));
  let error = yield* mapTaskOps(v, count);
  let alloced = 0;
  for (let i = 0; i < count; i++) {
    if ((yield* noteUserHandle(v, map, i)) === 1) alloced++;
    else if (error === 0) error = -EINVAL;
    if ((yield* noteKernelHandle(v, map, i)) === 1) alloced++;
    else if (error === 0) error = -EINVAL;
  }
  yield* fetchAdd(GrantMap.liveGrants.at(map), alloced);
  return error;
}

/** Steps 2 and 3. @returns 0, or an error. */
function* mapIntoVma(v: number, map: number, vma: number): Op {
  yield* mmuIntervalReadBegin(yield* read(GrantMap.notifier.at(map)));
  const error = yield* findGrantPtes(v, map, vma);
  return error !== 0 ? error : yield* mapGrantPages(v, map);
}

/**
 * drivers/xen/gntdev.c: gntdev_mmap()
 * @param v - vCPU of the task. @param fd - file. @param vma - new VMA.
 * @returns 0, or a negative error: then the VMA is nobody's (mm/internal.h: mmap_file()).
 */
export function* mmapToday(v: number, fd: number, vma: number): Op {
  yield* gntdevLock(fd);
  const map = yield* takeMap(fd, vma);
  if (map === NO_MAP) {
    yield* gntdevUnlock(fd);
    return -EINVAL;
  }
  yield* gntdevGetMap(map);
  yield* gntdevGetFile(fd);
  let error = yield* tieVma(v, map, vma);
  yield* gntdevUnlock(fd);
  if (error === 0) error = yield* mapIntoVma(v, map, vma);
  if (error === 0) return 0;
  yield* unmapGrantPages(v, map, 0, yield* read(GrantMap.count.at(map)));
  yield* putMapToday(v, map);
  yield* write(Vma.ops.at(vma), VM_OPS_ANONYMOUS);
  yield* gntdevPutFile(v, fd);
  return error;
}
