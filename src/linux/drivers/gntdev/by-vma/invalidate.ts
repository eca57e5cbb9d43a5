/**
 * gntdev of 3.12 and 4.0 (drivers/xen/gntdev.c): mn_invl_range_start(), one subscription for the
 * whole address space; every map of both lists is compared with the VMA that it was mapped in. A
 * split leaves that VMA with one part; the other parts' grants are found never (too few pages) or
 * under the wrong offset (the VMA that stays begins elsewhere).
 */
import type { Op } from '../../../../shared/op.ts';
import { read, warnOn } from '../../../../shared/operations.ts';
import { Vma } from '../../../mm/vma.ts';
import { BUG_UNMAP_FAILED } from '../../bugs.ts';
import { Gntdev, GrantMap, gntdevLock, gntdevUnlock, mapOfNode } from '../grant-map.ts';
import { unmapGrantPages } from './unmap.ts';

/** unmap_if_in_range(). The caller holds the lock. */
function* unmapIfInRange(v: number, map: number, start: number, end: number): Op<void> {
  const vma = yield* read(GrantMap.vma.at(map));
  if (vma < 0) return;
  const vmStart = yield* read(Vma.vmStart.at(vma));
  const vmEnd = yield* read(Vma.vmEnd.at(vma));
  if (vmStart >= end || vmEnd <= start) return;
  const from = Math.max(start, vmStart);
  const pages = Math.min(end, vmEnd) - from;
  const error = yield* unmapGrantPages(v, map, from - vmStart, pages);
  warnOn(error !== 0, BUG_UNMAP_FAILED, map, error);
}

/** All maps of a list. The caller holds the lock. */
function* unmapList(v: number, head: number, start: number, end: number): Op<void> {
  let node = yield* read(head);
  while (node !== head) {
    yield* unmapIfInRange(v, mapOfNode(node), start, end);
    node = yield* read(node);
  }
}

/**
 * @param v - vCPU that changes the page tables. @param fd - file that subscribed.
 * @param start - first vpn. @param end - vpn after the last. @returns 1.
 */
export function* invalidateByVma(v: number, fd: number, start: number, end: number): Op {
  yield* gntdevLock(fd);
  yield* unmapList(v, Gntdev.mapsNext.at(fd), start, end);
  yield* unmapList(v, Gntdev.freeableNext.at(fd), start, end);
  yield* gntdevUnlock(fd);
  return 1;
}
