/**
 * Active grant entries: Xen's own side of a grant (xen/common/grant_table.c: struct
 * active_grant_entry).
 *
 * pin   four counters of 8 bits: hstw 0–7, hstr 8–15, devw 16–23, devr 24–31: writable and
 *       read-only mappings for CPUs and for devices. A counter that has reached 128 is not
 *       incremented any more: its top bit is the overflow test.
 * domid, mfn   valid while pin is not 0: who was let in, and the frame that the entry named then;
 *       the guest may have rewritten the shared entry since.
 * srcDomid, transGref   where the grant comes from: this very entry, or for a transitive grant the
 *       entry that it leads to. range: what of the frame may be copied, start:15 | is_sub_page:1 |
 *       length:16, in words; a mapping is possible only if is_sub_page is clear.
 * lock  protects all fields, and GTF_reading and GTF_writing of the shared entry.
 */
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import type { Op } from '../../shared/op.ts';
import { defineTable } from '../../shared/table.ts';
import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from '../public/grant-table.ts';

export const ActiveEntry = defineTable(
  'active[d%].entry[%]',
  ['domains', 'gnttabEntries'],
  {
    pin: '[XEN] four 8-bit counters of mappings; lock protects it',
    domid: '[XEN] domain that was let in; lock protects it',
    mfn: '[XEN] frame that was granted; lock protects it',
    srcDomid: '[XEN] domain whose frame it is; lock protects it',
    transGref: '[XEN] grant of that domain; lock protects it',
    range: '[XEN] start:15 | is_sub_page:1 | length:16; lock protects it',
    lock: '[XEN] spinlock',
  },
  { watched: true },
);

export const GNTPIN_cntr_width = 8;
export const GNTPIN_cntr_mask = 0xff;
export const GNTPIN_hstw_shift = 0;
export const GNTPIN_hstr_shift = 8;
export const GNTPIN_devw_shift = 16;
export const GNTPIN_devr_shift = 24;
export const GNTPIN_hstw_inc = 1 << GNTPIN_hstw_shift;
export const GNTPIN_hstr_inc = 1 << GNTPIN_hstr_shift;
export const GNTPIN_devw_inc = 1 << GNTPIN_devw_shift;
export const GNTPIN_devr_inc = 1 << GNTPIN_devr_shift;
export const GNTPIN_hstw_mask = GNTPIN_cntr_mask << GNTPIN_hstw_shift;
export const GNTPIN_hstr_mask = GNTPIN_cntr_mask << GNTPIN_hstr_shift;
export const GNTPIN_devw_mask = GNTPIN_cntr_mask << GNTPIN_devw_shift;
export const GNTPIN_devr_mask = GNTPIN_cntr_mask << GNTPIN_devr_shift;
/** Both kinds of writable mapping. */
export const GNTPIN_writers_mask = GNTPIN_hstw_mask | GNTPIN_devw_mask;

/** GNTPIN_incr2oflow_mask(): the bits that must be clear. @param incr - sum of GNTPIN_*_inc. */
export function pinOverflowMask(incr: number): number {
  return incr << (GNTPIN_cntr_width - 1);
}

/** What a mapping adds to the pin. @param flags - GNTMAP_*. @returns sum of GNTPIN_*_inc. */
export function pinIncrement(flags: number): number {
  const readonly = (flags & GNTMAP_readonly) !== 0;
  let incr = 0;
  if ((flags & GNTMAP_device_map) !== 0) incr += readonly ? GNTPIN_devr_inc : GNTPIN_devw_inc;
  if ((flags & GNTMAP_host_map) !== 0) incr += readonly ? GNTPIN_hstr_inc : GNTPIN_hstw_inc;
  return incr;
}

const SUB_PAGE_SHIFT = 15;
const LENGTH_SHIFT = 16;
const START_MASK = 0x7fff;

/** The word `range`. @param start - first word. @param subPage - 0 or 1. @param length - words. */
export function makeRange(start: number, subPage: number, length: number): number {
  return (start & START_MASK) | (subPage << SUB_PAGE_SHIFT) | (length << LENGTH_SHIFT);
}

/** act->start. @returns a word of the frame. */
export function rangeStart(range: number): number {
  return range & START_MASK;
}

/** act->is_sub_page. */
export function rangeIsSubPage(range: number): boolean {
  return ((range >>> SUB_PAGE_SHIFT) & 1) !== 0;
}

/** act->length. @returns words of the frame. */
export function rangeLength(range: number): number {
  return range >>> LENGTH_SHIFT;
}

/** xen/common/grant_table.c: active_entry_acquire(). The caller holds the table's lock. */
export function* activeEntryAcquire(d: number, ref: number): Op<void> {
  yield* spinLock(ActiveEntry.lock.at2(d, ref));
}

/** xen/common/grant_table.c: active_entry_release(). */
export function* activeEntryRelease(d: number, ref: number): Op<void> {
  yield* spinUnlock(ActiveEntry.lock.at2(d, ref));
}
