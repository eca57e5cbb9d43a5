/**
 * Mapping the grants of a map into an address space: drivers/xen/gntdev.c, gntdev_mmap() and
 * map_grant_pages(), on a PV guest. The caller (mm/mmap.c) holds mmap_lock for writing and has not
 * yet put the VMA where others find it.
 *
 *   1. under the file's lock: find the map of this offset and length; refuse if it is mapped
 *      already or belongs to another address space; users + 1.
 *   2. the place of every PTE. 3. one batch: user PTEs, then kernel addresses.
 *   4. Draft B: fill the slots of the VMA's page array with what was mapped.
 * An error in any grant fails the whole call; what was mapped is unmapped again where the
 * generation does so (3.12 leaks it: XSA-361).
 */
import { kernelBase } from '../../../hardware/params.ts';
import type { Op } from '../../../shared/op.ts';
import { read, readLocal, trace, write, writeLocal } from '../../../shared/operations.ts';
import { defineTable } from '../../../shared/table.ts';
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_guest_avail0,
  GNTMAP_host_map,
  GNTMAP_readonly,
} from '../../../xen/public/grant-table.ts';
import {
  designHasSpecialPtes,
  designUnmapsWhenIdle,
  designVmaClose,
} from '../../designs/design.ts';
import { NO_ARRAY, PageSlot, vmaPagesAttach } from '../../designs/vma-pages.ts';
import { EINVAL, ENOMEM } from '../../errno.ts';
import {
  NOTIFIER_GNTDEV,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
} from '../../mm/mmu-notifier.ts';
import { pfnOf } from '../../mm/page.ts';
import { pteAlloc } from '../../mm/pgtable.ts';
import { VM_DONTCOPY, VM_DONTEXPAND, VM_MIXEDMAP, VM_SHARED, VM_WRITE, Vma } from '../../mm/vma.ts';
import { VM_OPS_GNTDEV } from '../../mm/vm-ops.ts';
import { TRACE_GRANT_MAP } from '../../tracepoints.ts';
import { gnttabMapRefs, gnttabSetMapOp } from '../map-refs.ts';
import { gntdevGetFile, gntdevPutFile } from './file.ts';
import {
  Gntdev,
  GrantMap,
  GrantSlot,
  MapPage,
  NO_MAP,
  gntdevFindMapIndex,
  gntdevGetMap,
  gntdevLock,
  gntdevPutMap,
  gntdevUnlock,
} from './grant-map.ts';
import { unmapGrantPagesWhenIdle } from './unmap.ts';

/** Map operations of a task: what the kernel keeps in grant_map lives on while the call runs. */
export const TaskMapOp = defineTable('%v.map_ops[%]', ['vcpus', 'mapPages'], {
  hostAddr: '[GST] word of the user PTE',
  flags: '[GST] GNTMAP_*',
  ref: '[GST] grant',
  dom: '[GST] who grants it',
  status: '[XEN] GNTST_*',
  handle: '[XEN] of the mapping',
  devBusAddr: '[XEN] machine frame',
  pad: '[BOOT] 0',
});

export const TaskKmapOp = defineTable('%v.kmap_ops[%]', ['vcpus', 'mapPages'], {
  hostAddr: '[GST] vpn in the direct map',
  flags: '[GST] GNTMAP_*',
  ref: '[GST] grant',
  dom: '[GST] who grants it',
  status: '[XEN] GNTST_*',
  handle: '[XEN] of the mapping',
  devBusAddr: '[XEN] machine frame',
  pad: '[BOOT] 0',
});

export const TaskPage = defineTable('%v.map_pages[%]', ['vcpus', 'mapPages'], {
  value: '[GST] page over which the grant is mapped',
});

/** find_grant_ptes() and the kernel half of map_grant_pages(): fills the task's operations. */
function* buildOps(v: number, map: number, vma: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const mm = yield* read(Vma.mm.at(vma));
  const count = yield* read(GrantMap.count.at(map));
  const flags = yield* read(GrantMap.flags.at(map));
  const special = designHasSpecialPtes() === 0 ? 0 : GNTMAP_guest_avail0;
  const userFlags = flags | GNTMAP_application_map | GNTMAP_contains_pte | special;
  for (let i = 0; i < count; i++) {
    const pte = yield* pteAlloc(v, mm, start + i);
    if (pte < 0) return -ENOMEM;
    yield* write(GrantSlot.pte.at2(map, i), pte);
    const ref = yield* read(GrantSlot.ref.at2(map, i));
    const domid = yield* read(GrantSlot.domid.at2(map, i));
    const pg = yield* read(MapPage.value.at2(map, i));
    gnttabSetMapOp(TaskMapOp.hostAddr.at2(v, i), pte, userFlags, ref, domid);
    const vpn = kernelBase() + pfnOf(pg);
    gnttabSetMapOp(TaskKmapOp.hostAddr.at2(v, i), vpn, flags, ref, domid);
    writeLocal(TaskPage.value.at2(v, i), pg);
    trace(TRACE_GRANT_MAP, start + i, pg, mm);
  }
  return 0;
}

/** map_grant_pages(). @returns 0, or an error if any grant could not be mapped. */
function* mapGrantPages(v: number, map: number, array: number): Op {
  const count = yield* read(GrantMap.count.at(map));
  let error = yield* gnttabMapRefs(
    v,
    TaskMapOp.hostAddr.at2(v, 0),
    TaskKmapOp.hostAddr.at2(v, 0),
    TaskPage.value.at2(v, 0),
    count,
  );
  let live = 0;
  for (let i = 0; i < count; i++) {
    if ((yield* read(TaskMapOp.status.at2(v, i))) === 0) {
      yield* write(GrantSlot.handle.at2(map, i), yield* read(TaskMapOp.handle.at2(v, i)));
      live++;
    } else {
      error = -EINVAL;
    }
    if ((yield* read(TaskKmapOp.status.at2(v, i))) === 0) {
      yield* write(GrantSlot.kernelHandle.at2(map, i), yield* read(TaskKmapOp.handle.at2(v, i)));
      live++;
    } else if (designUnmapsWhenIdle() !== 0) {
      error = -EINVAL;
    }
    if (array >= 0) yield* write(PageSlot.value.at2(array, i), readLocal(TaskPage.value.at2(v, i)));
  }
  yield* write(GrantMap.liveGrants.at(map), live);
  return error;
}

/** The checks of gntdev_mmap(). The caller holds the file's lock. @returns map, or NO_MAP. */
function* claimMap(fd: number, vma: number): Op {
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

/** Makes the VMA one of gntdev's and ties it to its map. @returns 0, or -ENOMEM. */
function* tieVma(map: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  yield* write(Vma.flags.at(vma), flags | VM_DONTEXPAND | VM_DONTCOPY | VM_MIXEDMAP);
  yield* write(Vma.ops.at(vma), VM_OPS_GNTDEV);
  yield* write(Vma.privateData.at(vma), map);
  if (designUnmapsWhenIdle() === 0) {
    yield* write(GrantMap.vma.at(map), vma);
    return 0;
  }
  const array = yield* vmaPagesAttach(vma);
  if (array === NO_ARRAY) return -ENOMEM;
  yield* write(GrantMap.array.at(map), array);
  return 0;
}

/**
 * Draft B: the interval notifier of the map's range. If an invalidation of another range is under
 * way, the insert is deferred, and until it ends nobody would be told of changes of this one:
 * mmu_interval_read_begin() waits for that.
 */
function* watchRange(v: number, map: number, vma: number): Op {
  const mm = yield* read(Vma.mm.at(vma));
  const start = yield* read(Vma.vmStart.at(vma));
  const count = yield* read(GrantMap.count.at(map));
  const notifier = yield* mmuIntervalNotifierInsert(v, mm, start, count, NOTIFIER_GNTDEV, map);
  if (notifier < 0) return notifier;
  yield* write(GrantMap.notifier.at(map), notifier);
  yield* mmuIntervalReadBegin(notifier);
  return 0;
}

/** Draft B: unmaps what a failed mmap mapped, and gives the array back. */
function* undoMap(v: number, fd: number, map: number, vma: number): Op<void> {
  const array = yield* read(GrantMap.array.at(map));
  if (array < 0) return;
  const notifier = yield* read(GrantMap.notifier.at(map));
  if (notifier >= 0) {
    yield* gntdevLock(fd);
    const count = yield* read(GrantMap.count.at(map));
    yield* unmapGrantPagesWhenIdle(v, map, array, 0, count);
    yield* gntdevUnlock(fd);
    yield* write(GrantMap.notifier.at(map), -1);
    yield* mmuIntervalNotifierRemove(v, notifier);
  }
  yield* designVmaClose(v, vma);
  yield* write(GrantMap.array.at(map), -1);
}

/** Undoes what a failed mmap did. 3.12 forgets the VMA and nothing else. */
function* untieVma(v: number, fd: number, map: number, vma: number): Op<void> {
  if (designUnmapsWhenIdle() !== 0) yield* undoMap(v, fd, map, vma);
  else yield* write(GrantMap.vma.at(map), -1);
  yield* write(Vma.ops.at(vma), 0);
  yield* write(Vma.privateData.at(vma), -1);
  yield* gntdevPutMap(v, map, 1);
  yield* gntdevPutFile(v, fd);
}

/** Steps 2 to 4. @returns 0, or an error. */
function* mapIntoVma(v: number, map: number, vma: number): Op {
  if (designUnmapsWhenIdle() !== 0) {
    const error = yield* watchRange(v, map, vma);
    if (error !== 0) return error;
  }
  const error = yield* buildOps(v, map, vma);
  if (error !== 0) return error;
  return yield* mapGrantPages(v, map, yield* read(GrantMap.array.at(map)));
}

/**
 * drivers/xen/gntdev.c: gntdev_mmap()
 * @param v - vCPU of the task. @param fd - file. @param vma - new VMA with its address, flags and
 *   offset in the file. @returns 0, or a negative error: then the VMA is gntdev's no more.
 */
export function* gntdevMmap(v: number, fd: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & VM_WRITE) !== 0 && (flags & VM_SHARED) === 0) return -EINVAL;
  yield* gntdevLock(fd);
  const map = yield* claimMap(fd, vma);
  if (map === NO_MAP) {
    yield* gntdevUnlock(fd);
    return -EINVAL;
  }
  yield* gntdevGetMap(map);
  yield* gntdevGetFile(fd);
  const tied = yield* tieVma(map, vma);
  yield* gntdevUnlock(fd);
  const error = tied !== 0 ? tied : yield* mapIntoVma(v, map, vma);
  if (error === 0) return 0;
  yield* untieVma(v, fd, map, vma);
  return error;
}
