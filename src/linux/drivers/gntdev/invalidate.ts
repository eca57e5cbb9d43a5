/**
 * gntdev's MMU notifier: the page tables of a range are about to change, so its grants are unmapped
 * first (drivers/xen/gntdev.c: mn_invl_range_start(), gntdev_invalidate()). The kind of change does
 * not matter: mprotect and MADV_DONTNEED tear down grants as munmap does.
 *
 * 3.12: one subscription for the address space; every map of both lists is compared with the VMA
 * that it was mapped in. A split leaves that VMA with one part; the other parts' grants are found
 * never (too few pages) or under the wrong offset (the VMA that stays begins elsewhere).
 * Draft B: one subscription for each map; its page array knows the addresses of its slots, however
 * the VMAs over it were split.
 */
import type { Op } from '../../../shared/op.ts';
import { read, warnOn } from '../../../shared/operations.ts';
import { designUnmapsWhenIdle } from '../../designs/design.ts';
import { PageArray } from '../../designs/vma-pages.ts';
import { Vma } from '../../mm/vma.ts';
import { BUG_UNMAP_FAILED } from '../bugs.ts';
import { Gntdev, GrantMap, gntdevLock, gntdevUnlock, mapOfNode } from './grant-map.ts';
import { unmapGrantPagesNow, unmapGrantPagesWhenIdle } from './unmap.ts';

/** 3.12: unmap_if_in_range(). The caller holds the lock. */
function* unmapIfInRange(v: number, map: number, start: number, end: number): Op<void> {
  const vma = yield* read(GrantMap.vma.at(map));
  if (vma < 0) return;
  const vmStart = yield* read(Vma.vmStart.at(vma));
  const vmEnd = yield* read(Vma.vmEnd.at(vma));
  if (vmStart >= end || vmEnd <= start) return;
  const from = Math.max(start, vmStart);
  const pages = Math.min(end, vmEnd) - from;
  const error = yield* unmapGrantPagesNow(v, map, from - vmStart, pages);
  warnOn(error !== 0, BUG_UNMAP_FAILED, map, error);
}

/** 3.12: all maps of a list. The caller holds the lock. */
function* unmapList(v: number, head: number, start: number, end: number): Op<void> {
  let node = yield* read(head);
  while (node !== head) {
    yield* unmapIfInRange(v, mapOfNode(node), start, end);
    node = yield* read(node);
  }
}

/** Draft B: the part of a map's page array that lies in the range. The caller holds the lock. */
function* unmapSlots(v: number, map: number, start: number, end: number): Op<void> {
  const array = yield* read(GrantMap.array.at(map));
  if (array < 0) return;
  const first = yield* read(PageArray.start.at(array));
  const last = first + (yield* read(PageArray.count.at(array)));
  const from = Math.max(start, first);
  const pages = Math.min(end, last) - from;
  if (pages <= 0) return;
  const error = yield* unmapGrantPagesWhenIdle(v, map, array, from - first, pages);
  warnOn(error !== 0, BUG_UNMAP_FAILED, map, error);
}

/** 3.12: mn_invl_range_start(), for the subscription to the whole address space. */
function* invalidateMm(v: number, fd: number, start: number, end: number): Op<void> {
  yield* gntdevLock(fd);
  yield* unmapList(v, Gntdev.mapsNext.at(fd), start, end);
  yield* unmapList(v, Gntdev.freeableNext.at(fd), start, end);
  yield* gntdevUnlock(fd);
}

/**
 * drivers/xen/gntdev.c: mn_invl_range_start() of 3.12, gntdev_invalidate() since 5.5
 * @param v - vCPU that changes the page tables. @param object - what was subscribed with
 *   NOTIFIER_GNTDEV: the file (3.12) or the map (Draft B).
 * @param start - first vpn. @param end - vpn after the last. @param blockable - 1: may sleep.
 * @returns 1 if no grant of the range is mapped any more, 0 if it had to sleep and must not.
 */
export function* gntdevInvalidate(
  v: number,
  object: number,
  start: number,
  end: number,
  blockable: number,
): Op {
  if (designUnmapsWhenIdle() === 0) {
    yield* invalidateMm(v, object, start, end);
    return 1;
  }
  if (blockable === 0) return 0;
  const fd = yield* read(GrantMap.gntdev.at(object));
  yield* gntdevLock(fd);
  yield* unmapSlots(v, object, start, end);
  yield* gntdevUnlock(fd);
  return 1;
}
