/**
 * gntdev of 3.12 and 4.0 (drivers/xen/gntdev.c): gntdev_mmap(). The caller (mm/mmap.c) holds
 * mmap_lock for writing and has not yet put the VMA where others find it.
 *
 *   1. under the file's lock: the map of this offset and length, unless it is mapped in a VMA or
 *   belongs to another address space; a reference; `map->vma`. 2. PTEs, map.
 *   3. 4.0: `pages_vm_start`, last.
 * An error in any grant fails the call; what was mapped stays so (XSA-361), and the caller zaps it
 * with a VMA that is still gntdev's. Errors of the kernel mappings are not looked at.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, write } from '../../../../shared/operations.ts';
import { GNTMAP_host_map, GNTMAP_readonly } from '../../../../xen/public/grant-table.ts';
import { EINVAL } from '../../../errno.ts';
import { VM_OPS_GNTDEV } from '../../../mm/vm-ops.ts';
import { VM_WRITE, Vma } from '../../../mm/vma.ts';
import { gntdevGetFile, gntdevPutFile } from '../file.ts';
import {
  Gntdev,
  GNTDEV_VM_FLAGS,
  GrantMap,
  NO_MAP,
  gntdevFindMapIndex,
  gntdevGetMap,
  gntdevLock,
  gntdevUnlock,
} from '../grant-map.ts';
import { findGrantPtes, mapTaskOps, noteKernelHandle, noteUserHandle } from '../map-pages.ts';
import { putListedMap } from './put-map.ts';

/**
 * The checks of gntdev_mmap() that Draft B has too: the map fits the VMA, its address space and its
 * rights. The caller holds the file's lock. @returns map, or NO_MAP.
 */
export function* claimMap(fd: number, vma: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const count = (yield* read(Vma.vmEnd.at(vma))) - start;
  const map = yield* gntdevFindMapIndex(fd, yield* read(Vma.pgoff.at(vma)), count);
  if (map === NO_MAP) return NO_MAP;
  if ((yield* read(GrantMap.vma.at(map))) >= 0) return NO_MAP;
  if ((yield* read(GrantMap.array.at(map))) >= 0) return NO_MAP;
  if ((yield* read(Gntdev.mm.at(fd))) !== (yield* read(Vma.mm.at(vma)))) return NO_MAP;
  const writable = ((yield* read(Vma.flags.at(vma))) & VM_WRITE) !== 0;
  const flags = yield* read(GrantMap.flags.at(map));
  if (flags === 0) {
    yield* write(GrantMap.flags.at(map), GNTMAP_host_map | (writable ? 0 : GNTMAP_readonly));
  } else if (writable && (flags & GNTMAP_readonly) !== 0) {
    return NO_MAP;
  }
  return map;
}

/** Makes the VMA one of gntdev's. @param map - its map. */
export function* makeGntdevVma(map: number, vma: number): Op<void> {
  const flags = yield* read(Vma.flags.at(vma));
  yield* write(Vma.flags.at(vma), flags | GNTDEV_VM_FLAGS);
  yield* write(Vma.ops.at(vma), VM_OPS_GNTDEV);
  yield* write(Vma.privateData.at(vma), map);
}

/** drivers/xen/gntdev.c: map_grant_pages(). @returns 0, or an error of a user mapping. */
function* mapGrantPages(v: number, map: number): Op {
  const count = yield* read(GrantMap.count.at(map));
  let error = yield* mapTaskOps(v, count);
  let live = 0;
  for (let i = 0; i < count; i++) {
    if ((yield* noteUserHandle(v, map, i)) === 1) live++;
    else error = -EINVAL;
    live += yield* noteKernelHandle(v, map, i);
  }
  yield* write(GrantMap.liveGrants.at(map), live);
  return error;
}

/**
 * drivers/xen/gntdev.c: gntdev_mmap()
 * @param v - vCPU of the task. @param fd - file. @param vma - new VMA.
 * @returns 0, or a negative error.
 */
export function* mmapByVma(v: number, fd: number, vma: number): Op {
  yield* gntdevLock(fd);
  const map = yield* claimMap(fd, vma);
  if (map === NO_MAP) {
    yield* gntdevUnlock(fd);
    return -EINVAL;
  }
  yield* gntdevGetMap(map);
  yield* gntdevGetFile(fd);
  yield* makeGntdevVma(map, vma);
  yield* write(GrantMap.vma.at(map), vma);
  yield* gntdevUnlock(fd);
  let error = yield* findGrantPtes(v, map, vma);
  if (error === 0) error = yield* mapGrantPages(v, map);
  if (error === 0) {
    yield* write(GrantMap.pagesVmStart.at(map), yield* read(Vma.vmStart.at(vma)));
    return 0;
  }
  yield* write(GrantMap.vma.at(map), -1);
  yield* putListedMap(v, map, 1);
  yield* gntdevPutFile(v, fd);
  return error;
}
