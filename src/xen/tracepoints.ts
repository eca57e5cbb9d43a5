/**
 * Xen's tracepoints (xen/include/public/trace.h: TRC_MEM) for whoever watches a run. Emitting
 * one has no effect on the machine.
 */

/** A page left the free heap: a = mfn, b = new owner. */
export const TRC_PAGE_ALLOC = 0x200;
/** A page is about to go back to the free heap: a = mfn, b = owner until now. */
export const TRC_PAGE_FREE = 0x201;
/** TRC_MEM_PAGE_GRANT_MAP, the mapping is published: a = mapping domain, b = handle, c = mfn. */
export const TRC_GRANT_MAP = 0x202;
/** TRC_MEM_PAGE_GRANT_UNMAP, pass 1 took parts of it: a = mapping domain, b = handle, c = mfn. */
export const TRC_GRANT_UNMAP = 0x203;
/** Pass 2 dropped a mapping's pins: a = granting domain, b = ref, c = mfn. */
export const TRC_GRANT_UNMAP_COMPLETE = 0x204;
/** A grant copy writes: a = source mfn, b = destination mfn. */
export const TRC_GRANT_COPY = 0x205;
/** A page took another type: a = mfn, b = old PGT_ type, c = new PGT_ type. */
export const TRC_PAGE_TYPE = 0x206;
/** A page may be used as what it has become: a = mfn, b = its PGT_ type. */
export const TRC_PAGE_VALIDATED = 0x207;
