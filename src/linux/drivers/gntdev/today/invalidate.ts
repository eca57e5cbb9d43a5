/**
 * gntdev of today (Linux 7.0, drivers/xen/gntdev.c): gntdev_invalidate(), one subscription for each
 * map, with the addresses that it was mapped at. Why the range changes is not looked at: mprotect,
 * mremap and MADV_DONTNEED tear grants down as munmap does.
 */
import type { Op } from '../../../../shared/op.ts';
import { read } from '../../../../shared/operations.ts';
import { GrantMap } from '../grant-map.ts';
import { unmapGrantPages } from './unmap.ts';

/**
 * @param v - vCPU that changes the page tables. @param map - what was subscribed.
 * @param start - first vpn. @param end - vpn after the last. @param blockable - 1: may sleep.
 * @returns 1, or 0 if it must not sleep.
 */
export function* invalidateToday(
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
  const from = Math.max(start, mapStart);
  const to = Math.min(end, mapEnd);
  yield* unmapGrantPages(v, map, from - mapStart, to - from);
  return 1;
}
