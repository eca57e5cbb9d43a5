/**
 * Mapping the grants of a map: drivers/xen/gntdev.c, find_grant_ptes() and map_grant_pages(), on a
 * PV guest. The same in every generation with maps: 1. the place of every PTE, and how it will be
 * unmapped. 2. one batch: user PTEs, then kernel addresses. 3. the handles. What is done about
 * errors is the caller's.
 */
import { kernelBase } from '../../../hardware/params.ts';
import type { Op } from '../../../shared/op.ts';
import { read, trace, write, writeLocal } from '../../../shared/operations.ts';
import { defineTable } from '../../../shared/table.ts';
import {
  GNTMAP_application_map,
  GNTMAP_contains_pte,
  GNTMAP_guest_avail0,
  UNMAP_DEV_BUS_ADDR,
  UNMAP_HANDLE,
  UNMAP_HOST_ADDR,
} from '../../../xen/public/grant-table.ts';
import { designHasSpecialPtes } from '../../designs/design.ts';
import { ENOMEM } from '../../errno.ts';
import { pfnOf } from '../../mm/page.ts';
import { pteAlloc } from '../../mm/pgtable.ts';
import { Vma } from '../../mm/vma.ts';
import { TRACE_GRANT_MAP } from '../../tracepoints.ts';
import { INVALID_GRANT_HANDLE, gnttabMapRefs, gnttabSetMapOp } from '../map-refs.ts';
import { GrantMap, GrantSlot, MapKunmapOp, MapPage, MapUnmapOp } from './grant-map.ts';

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

/** gnttab_set_unmap_op(), for operations that other vCPUs use later. */
function* setUnmapOp(op: number, hostAddr: number): Op<void> {
  yield* write(op + UNMAP_HOST_ADDR, hostAddr);
  yield* write(op + UNMAP_DEV_BUS_ADDR, 0);
  yield* write(op + UNMAP_HANDLE, INVALID_GRANT_HANDLE);
}

/**
 * drivers/xen/gntdev.c: find_grant_ptes(), and the kernel half of map_grant_pages(): fills the
 * operations of task and map.
 * @param v - vCPU of the task. @param vma - the map's VMA. @returns 0 or -ENOMEM.
 */
export function* findGrantPtes(v: number, map: number, vma: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const mm = yield* read(Vma.mm.at(vma));
  const count = yield* read(GrantMap.count.at(map));
  const flags = yield* read(GrantMap.flags.at(map));
  const special = designHasSpecialPtes() === 0 ? 0 : GNTMAP_guest_avail0;
  const userFlags = flags | GNTMAP_application_map | GNTMAP_contains_pte | special;
  for (let i = 0; i < count; i++) {
    const pte = yield* pteAlloc(v, mm, start + i);
    if (pte < 0) return -ENOMEM;
    const ref = yield* read(GrantSlot.ref.at2(map, i));
    const domid = yield* read(GrantSlot.domid.at2(map, i));
    const pg = yield* read(MapPage.value.at2(map, i));
    const vpn = kernelBase() + pfnOf(pg);
    gnttabSetMapOp(TaskMapOp.hostAddr.at2(v, i), pte, userFlags, ref, domid);
    yield* setUnmapOp(MapUnmapOp.hostAddr.at2(map, i), pte);
    gnttabSetMapOp(TaskKmapOp.hostAddr.at2(v, i), vpn, flags, ref, domid);
    yield* setUnmapOp(MapKunmapOp.hostAddr.at2(map, i), vpn);
    writeLocal(TaskPage.value.at2(v, i), pg);
    trace(TRACE_GRANT_MAP, start + i, pg, mm);
  }
  return 0;
}

/**
 * gnttab_map_refs() of the task's operations.
 * @returns 0, or a negative error; each record has its own status besides.
 */
export function* mapTaskOps(v: number, count: number): Op {
  return yield* gnttabMapRefs(
    v,
    TaskMapOp.hostAddr.at2(v, 0),
    TaskKmapOp.hostAddr.at2(v, 0),
    TaskPage.value.at2(v, 0),
    count,
  );
}

/** Notes the user handle of a grant. @returns 1 if it was mapped. */
export function* noteUserHandle(v: number, map: number, i: number): Op {
  if ((yield* read(TaskMapOp.status.at2(v, i))) !== 0) return 0;
  yield* write(MapUnmapOp.handle.at2(map, i), yield* read(TaskMapOp.handle.at2(v, i)));
  return 1;
}

/** Notes the kernel handle of a grant. @returns 1 if it was mapped. */
export function* noteKernelHandle(v: number, map: number, i: number): Op {
  if ((yield* read(TaskKmapOp.status.at2(v, i))) !== 0) return 0;
  yield* write(MapKunmapOp.handle.at2(map, i), yield* read(TaskKmapOp.handle.at2(v, i)));
  return 1;
}
