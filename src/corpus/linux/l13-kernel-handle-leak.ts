/**
 * gntdev counted a grant as live only if user and kernel mapping had both worked. A batch whose
 * user mappings failed had nothing to unmap, and its kernel mappings stayed for ever.
 *
 * The functions are those of Linux 6.0 (drivers/xen/gntdev.c: gntdev_map_grant_pages(),
 * __unmap_grant_pages_done()).
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { BUG_LIVE_GRANTS, BUG_UNMAP_FAILED } from '../../linux/drivers/bugs.ts';
import { gnttabGrantForeignAccessRef } from '../../linux/drivers/grant-table.ts';
import { getFreeEntry } from '../../linux/drivers/free-refs.ts';
import { GrantMap, MapKunmapOp, MapUnmapOp } from '../../linux/drivers/gntdev/grant-map.ts';
import {
  mapTaskOps,
  noteKernelHandle,
  noteUserHandle,
} from '../../linux/drivers/gntdev/map-pages.ts';
import { mapGrantPages } from '../../linux/drivers/gntdev/today/mmap.ts';
import { putMapToday } from '../../linux/drivers/gntdev/today/put-map.ts';
import { UnmapData } from '../../linux/drivers/gntdev/today/unmap-data.ts';
import { unmapGrantPagesDone } from '../../linux/drivers/gntdev/today/unmap.ts';
import { INVALID_GRANT_HANDLE } from '../../linux/drivers/map-refs.ts';
import { EINVAL } from '../../linux/errno.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { UNMAP_HANDLE, UNMAP_STATUS } from '../../xen/public/grant-table.ts';
import { BACKEND, FRONTEND, RaceGrant, RacePage, mapGrants, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

const VPN = 2;

/** Linux 6.0: one live grant for both mappings. */
export function* mapAndCountPairs(v: number, map: number): Op {
  const count = yield* read(GrantMap.count.at(map));
  let error = yield* mapTaskOps(v, count);
  let alloced = 0;
  for (let i = 0; i < count; i++) {
    const user = yield* noteUserHandle(v, map, i);
    if (user === 0 && error === 0) error = -EINVAL;
    if ((yield* noteKernelHandle(v, map, i)) === 1) alloced += user;
    else if (error === 0) error = -EINVAL;
  }
  yield* fetchAdd(GrantMap.liveGrants.at(map), alloced);
  return error;
}

/** Forgets a handle. @param op - its record. @returns 1 if it was unmapped. */
function* forgetHandle(map: number, op: number): Op {
  const status = yield* read(op + UNMAP_STATUS);
  const mapped = (yield* read(op + UNMAP_HANDLE)) !== INVALID_GRANT_HANDLE;
  warnOn(status !== 0 && mapped, BUG_UNMAP_FAILED, map, status);
  yield* write(op + UNMAP_HANDLE, INVALID_GRANT_HANDLE);
  return status === 0 && mapped ? 1 : 0;
}

/** Linux 6.0: the user mappings are counted. */
export function* doneAndCountUsers(v: number, map: number): Op<void> {
  const first = MapUnmapOp.hostAddr.at2(map, 0);
  const unmapOps = yield* read(UnmapData.unmapOps.at(map));
  const offset = ((unmapOps - first) / MapUnmapOp.hostAddr.stride) | 0;
  const count = yield* read(UnmapData.count.at(map));
  let unmapped = 0;
  for (let slot = offset; slot < offset + count; slot++) {
    unmapped += yield* forgetHandle(map, MapUnmapOp.hostAddr.at2(map, slot));
    yield* forgetHandle(map, MapKunmapOp.hostAddr.at2(map, slot));
  }
  const live = (yield* fetchAdd(GrantMap.liveGrants.at(map), -unmapped)) - unmapped;
  warnOn(live < 0, BUG_LIVE_GRANTS, map, live);
  yield* putMapToday(v, map);
}

/** The frontend has told its reference before it granted anything by it. */
function* arrange(): Op<void> {
  const v = firstVcpuOf(FRONTEND);
  yield* startProcess(1);
  writeLocal(RacePage.value.at2(v, 0), yield* allocPage(v));
  writeLocal(RaceGrant.domid.at(0), FRONTEND);
  writeLocal(RaceGrant.ref.at(0), yield* getFreeEntry(v));
}

function* grant(): Op<void> {
  const v = firstVcpuOf(FRONTEND);
  const pfn = pfnOf(readLocal(RacePage.value.at2(v, 0)));
  yield* gnttabGrantForeignAccessRef(v, readLocal(RaceGrant.ref.at(0)), BACKEND, pfn, 0);
}

function* mapGrant(): Op<void> {
  yield* mapGrants(firstVcpuOf(BACKEND), 0, 1, VPN);
}

export const kernelHandleLeak: Race = {
  name: 'l13-kernel-handle-leak',
  about: 'A process maps a grant at the moment when the frontend makes it.',
  sources: [
    'Linux 6.0, drivers/xen/gntdev.c: gntdev_map_grant_pages()',
    'Linux 6.1, commit 0991028cd495',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'map', vcpu: 0, body: mapGrant },
    { role: 'grant', vcpu: 3, body: grant },
  ],
  kernelThreads: [],
  bug: {
    id: 'L13',
    title: 'A kernel mapping without its user mapping is not counted, and never unmapped',
    story: [
      'A process maps a reference that the frontend has not filled in yet: the user mapping fails.',
      'The frontend grants the page.',
      'The second hypercall of the same batch makes the kernel mapping: that works.',
      'Not both worked, so no live grant is counted; the error path finds nothing to unmap.',
      'The kernel mapping stays: the frontend never gets its page back.',
    ],
    breaks: ['I12', 'I1', 'I11'],
    fix: 'Count every handle, of user and kernel mappings alike.',
    fixedIn: 'Linux 6.1, commit 0991028cd495',
    before: {
      design: 'find-normal-page',
      overrides: [
        replaces(mapGrantPages, mapAndCountPairs),
        replaces(unmapGrantPagesDone, doneAndCountUsers),
      ],
    },
    after: { design: 'find-normal-page', overrides: [] },
  },
};
