/**
 * The frame table: one struct page_info for each machine frame
 * (xen/arch/x86/include/asm/mm.h: struct page_info).
 *
 * countInfo  PGC_allocated | PGC_xen_heap | PGC_state | count. A page whose count is 0 is free.
 *   Publishing a page to its owner: 1. owner. 2. write barrier. 3. countInfo = allocated | 1.
 *   Whoever takes a reference first counts, then looks at the owner.
 * typeInfo   type | PGT_pinned | PGT_validated | PGT_locked | type count. The type can change only
 *   while its count is 0; a page is a page table or writable, never both.
 *
 * Xen's bits are those of a 64-bit word; here they are moved down into 31.
 */
import { defineTable } from '../shared/table.ts';

/** The page is given to its owner; cleared once, by the one who takes it back. */
export const PGC_allocated = 1 << 30;
/** The page is Xen's own, shared with its owner: the last put_page() does not free it. */
export const PGC_xen_heap = 1 << 29;
/** The page is on the free heap; its count is 0. */
export const PGC_state_free = 1 << 28;
export const PGC_count_mask = (1 << 26) - 1;

export const PGT_none = 0 << 28;
export const PGT_l1_page_table = 1 << 28;
export const PGT_l2_page_table = 2 << 28;
export const PGT_l3_page_table = 3 << 28;
export const PGT_l4_page_table = 4 << 28;
/** Has writable mappings. */
export const PGT_writable_page = 7 << 28;
export const PGT_type_mask = 7 << 28;
export const PGT_type_shift = 28;
/** The guest pinned the page to its type. */
export const PGT_pinned = 1 << 27;
/** The contents have been checked for the type. */
export const PGT_validated = 1 << 26;
/** page_lock() is held: serialises updates of a page table. */
export const PGT_locked = 1 << 25;
export const PGT_count_mask = (1 << 24) - 1;

/** No owner. */
export const NO_OWNER = -1;
/** End of a list of pages. */
export const NO_PAGE = -1;

export const PageInfo = defineTable('frame_table[%]', ['frames'], {
  countInfo: '[XEN] PGC_* flags and the reference count',
  typeInfo: '[XEN] PGT_* type, flags and the type count',
  owner: '[XEN] domid, -1 if none; written before the page is allocated and when it is free',
  needTlbflush: '[XEN] 1 if a TLB may hold translations from before the type count was last 0',
  next: '[XEN] next page of the free list, -1 at its end; heap_lock protects it',
});
