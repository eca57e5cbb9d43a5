/**
 * How the user-space programs map the grants of a request and let go of them: the system calls of
 * gntdev and of memory management, in the order that libxengnttab uses (tools/libs/gnttab).
 */
import { kernelBase } from '../../hardware/params.ts';
import { gntdevMapGrantRef, gntdevUnmapGrantRef } from '../../linux/drivers/gntdev/ioctl.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { VM_READ, VM_SHARED, VM_WRITE } from '../../linux/mm/vma.ts';
import { VM_OPS_GNTDEV } from '../../linux/mm/vm-ops.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, writeLocal } from '../../shared/operations.ts';
import { Segment, frontDomain } from '../channel.ts';
import { Task, TaskGrant, pick } from '../task.ts';

/** Places at which a mapping may begin: few, so that addresses are used again. */
const PLACES = 4;

/** IOCTL_GNTDEV_MAP_GRANT_REF for all pages of a request. @returns page offset, or errno. */
export function* mapGrants(v: number, r: number, count: number): Op {
  for (let i = 0; i < count; i++) {
    writeLocal(TaskGrant.domid.at2(v, i), frontDomain(r));
    writeLocal(TaskGrant.ref.at2(v, i), yield* read(Segment.ref.at2(r, i)));
  }
  const fd = readLocal(Task.fd.at(v));
  return yield* gntdevMapGrantRef(v, fd, TaskGrant.domid.at2(v, 0), count);
}

/**
 * mmap() of a map at a fixed address; if it fails the map goes.
 * @param start - first vpn. @param writable - 1 to map it for writing. @param index - of the map.
 * @returns first vpn, or a negative errno.
 */
export function* mmapGrants(
  v: number,
  start: number,
  count: number,
  writable: number,
  index: number,
): Op {
  const fd = readLocal(Task.fd.at(v));
  const mm = readLocal(Task.mm.at(v));
  const flags = VM_READ | VM_SHARED | (writable === 0 ? 0 : VM_WRITE);
  const vpn = yield* mmapRegion(v, mm, start, count, flags, VM_OPS_GNTDEV, fd, index);
  if (vpn < 0) yield* gntdevUnmapGrantRef(v, fd, index, count);
  return vpn;
}

/**
 * xengnttab_map_grant_refs(): maps all pages of a request into the task's address space.
 * @param writable - 1 to map them for writing. @returns first vpn, or a negative errno.
 */
export function* mapRequest(v: number, r: number, count: number, writable: number): Op {
  const index = yield* mapGrants(v, r, count);
  if (index < 0) return index;
  writeLocal(Task.index.at(v), index);
  const span = Math.min(PLACES, kernelBase() - count);
  const start = 1 + (yield* pick(span - 1));
  return yield* mmapGrants(v, start, count, writable, index);
}

/** xengnttab_unmap(): munmap, then the ioctl. @param vpn - what mapRequest gave. */
export function* unmapRequest(v: number, vpn: number, count: number): Op<void> {
  yield* doMunmap(v, readLocal(Task.mm.at(v)), vpn, count);
  yield* gntdevUnmapGrantRef(v, readLocal(Task.fd.at(v)), readLocal(Task.index.at(v)), count);
}
