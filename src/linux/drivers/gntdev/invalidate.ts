/**
 * gntdev's MMU notifier, by generation: the page tables of a range are about to change, so its
 * grants are unmapped first. The kind of change does not matter to any of them.
 */
import type { Op } from '../../../shared/op.ts';
import { FIND_NORMAL_PAGE, VMA_PAGES, design } from '../../designs/design.ts';
import { invalidateByVma } from './by-vma/invalidate.ts';
import { invalidateDraftB } from './draft-b/invalidate.ts';
import { invalidateToday } from './today/invalidate.ts';

/**
 * drivers/xen/gntdev.c: mn_invl_range_start() of 3.12 and 4.0, gntdev_invalidate() since 5.5
 * @param v - vCPU that changes the page tables. @param object - what was subscribed with
 *   NOTIFIER_GNTDEV: the file (3.12, 4.0) or the map.
 * @param start - first vpn. @param end - vpn after the last. @param blockable - 1: may sleep.
 * @returns 1, or 0 if it had to sleep and must not.
 */
export function* gntdevInvalidate(
  v: number,
  object: number,
  start: number,
  end: number,
  blockable: number,
): Op {
  switch (design()) {
    case VMA_PAGES:
      return yield* invalidateDraftB(v, object, start, end, blockable);
    case FIND_NORMAL_PAGE:
      return yield* invalidateToday(v, object, start, end, blockable);
    default:
      return yield* invalidateByVma(v, object, start, end);
  }
}
