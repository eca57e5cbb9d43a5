/**
 * Clearing a range of one VMA that stays (mm/memory.c: zap_page_range_single()): notifiers around
 * the zap, the flush after both.
 */
import type { Op } from '../../shared/op.ts';
import { mmuNotifierInvalidateEnd, mmuNotifierInvalidateStart } from './mmu-notifier.ts';
import { tlbFinish, tlbGather } from './mmu-gather.ts';
import { unmapSingleVma } from './zap.ts';

/**
 * mm/memory.c: zap_page_range_single(). The caller keeps the VMA stable.
 * @param v - vCPU that runs this. @param start - first vpn. @param end - vpn after the last.
 */
export function* zapRange(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
): Op<void> {
  yield* tlbGather(v, mm);
  yield* mmuNotifierInvalidateStart(v, mm, start, end, 1);
  yield* unmapSingleVma(v, mm, vma, start, end);
  yield* mmuNotifierInvalidateEnd(v, mm, start, end);
  yield* tlbFinish(v);
}
