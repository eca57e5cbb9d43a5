/**
 * Tracepoints of the memory manager for whoever watches a run; TRACE_GUP is in ../tracepoints.ts.
 * Emitting one has no effect on the machine. 0x300–0x30f.
 */

/** include/trace/events/kmem.h: mm_page_alloc: (page, 0, 0). */
export const TRACE_PAGE_ALLOC = 0x300;
/** include/trace/events/kmem.h: mm_page_free: (page, 0, 0), before it is on the free list. */
export const TRACE_PAGE_FREE = 0x301;
/** The page tables of a range are about to change: (mm, first vpn, end vpn). */
export const TRACE_INVALIDATE_START = 0x302;
/** The change of a range is over: (mm, first vpn, end vpn). */
export const TRACE_INVALIDATE_END = 0x303;
/** A VMA was split: (old VMA, new VMA, vpn of the cut), after the bounds changed. */
export const TRACE_VMA_SPLIT = 0x304;
/** A lookup without mmap_lock found a VMA and read-locked it: (vma, vpn, mm). */
export const TRACE_VMA_LOCKED = 0x305;
/** A lookup without mmap_lock has to look again, or to take it: (vpn, mm, 0). */
export const TRACE_LOOKUP_RETRY = 0x307;
/** A zap cleared a PTE: (mm, vpn, pte), before the flush. */
export const TRACE_ZAP = 0x306;
