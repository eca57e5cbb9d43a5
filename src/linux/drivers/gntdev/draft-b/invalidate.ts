/**
 * gntdev of Draft B: one subscription for each map; its page array knows the addresses of its
 * slots, however the VMAs over it were split.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, warnOn } from '../../../../shared/operations.ts';
import { PageArray } from '../../../designs/vma-pages.ts';
import { BUG_UNMAP_FAILED } from '../../bugs.ts';
import { GrantMap, gntdevLock, gntdevUnlock } from '../grant-map.ts';
import { unmapSlots } from './unmap.ts';

/** The part of a map's page array that lies in the range. The caller holds the lock. */
function* unmapInRange(v: number, map: number, start: number, end: number): Op<void> {
  const array = yield* read(GrantMap.array.at(map));
  if (array < 0) return;
  const first = yield* read(PageArray.start.at(array));
  const last = first + (yield* read(PageArray.count.at(array)));
  const from = Math.max(start, first);
  const pages = Math.min(end, last) - from;
  if (pages <= 0) return;
  const error = yield* unmapSlots(v, map, array, from - first, pages);
  warnOn(error !== 0, BUG_UNMAP_FAILED, map, error);
}

/**
 * @param v - vCPU that changes the page tables. @param map - what was subscribed.
 * @param start - first vpn. @param end - vpn after the last. @param blockable - 1: may sleep.
 * @returns 1 if no grant of the range is mapped any more, 0 if it had to sleep and must not.
 */
export function* invalidateDraftB(
  v: number,
  map: number,
  start: number,
  end: number,
  blockable: number,
): Op {
  if (blockable === 0) return 0;
  const fd = yield* read(GrantMap.gntdev.at(map));
  yield* gntdevLock(fd);
  yield* unmapInRange(v, map, start, end);
  yield* gntdevUnlock(fd);
  return 1;
}
