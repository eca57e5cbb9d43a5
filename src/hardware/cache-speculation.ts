/**
 * What a cache does of its own accord: it prefetches any line that is mapped cacheable, and makes
 * room by evicting any line, which writes a dirty one back (ARM Architecture Reference Manual
 * ARMv7-A, A3.2.1 and B2.2.2). No program can forbid either; the scheduler decides when it happens.
 */
import type { Op } from '../shared/op.ts';
import { choose } from '../shared/operations.ts';
import { CACHE_CLEAN, CACHE_INVALIDATE, cacheFill, cacheMaintain } from './cache.ts';

/**
 * A line comes or goes, `events` times. The frame must be mapped cacheable somewhere.
 * @param mfn - frame. @param offset - word in it.
 */
export function* cacheSpeculation(mfn: number, offset: number, events: number): Op<void> {
  for (let i = 0; i < events; i++) {
    if ((yield* choose(2)) === 0) yield* cacheFill(mfn, offset);
    else yield* cacheMaintain(mfn, offset, CACHE_CLEAN | CACHE_INVALIDATE);
  }
}
