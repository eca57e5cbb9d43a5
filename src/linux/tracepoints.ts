/**
 * Numbers of the kernel's tracepoints (operations.ts: trace), for the oracle and for tests. A
 * tracepoint has no effect on the machine and is no preemption point: it belongs to the operation
 * before it.
 */

/** get_user_pages took a reference: (vpn, page, mm). */
export const TRACE_GUP = 0x400;
/** A user of get_user_pages gives its reference back: (page, 0, 0), before the put. */
export const TRACE_GUP_PUT = 0x401;
/** gntdev asks for a grant at a user address: (vpn, page it is mapped onto, mm). */
export const TRACE_GRANT_MAP = 0x402;
/** A driver asks Xen to unmap the grant behind a page: (page, domain, 0), before the hypercall. */
export const TRACE_GRANT_UNMAP = 0x403;
/** A grant reference was revoked for good: (domain, ref, 0). */
export const TRACE_GRANT_END = 0x404;
/** A grant reference is still mapped and was put on the deferred list: (domain, ref, 0). */
export const TRACE_GRANT_DEFERRED = 0x405;
/** The async unmap found a page in use and sleeps: (vCPU, delay in jiffies, age). */
export const TRACE_UNMAP_BUSY = 0x406;
/** A deferred grant has been pending for 60 tries: (domain, ref, 0). */
export const TRACE_GRANT_STILL_PENDING = 0x407;
/** A page is mapped for DMA, after its cache was maintained: (frame, page, DMA_* direction). */
export const TRACE_DMA_MAP = 0x410;
/** A DMA unmap begins: (frame, page that the kernel found behind it or -1, direction). */
export const TRACE_DMA_UNMAP = 0x411;
/** A DMA unmap has maintained the cache; the frame is the CPU's again: (frame, page, direction). */
export const TRACE_DMA_UNMAP_END = 0x412;
/** dma_sync_single_for_cpu(): the frame is the CPU's for a while: (frame, page, direction). */
export const TRACE_DMA_SYNC_CPU = 0x413;
/** dma_sync_single_for_device(): the device goes on: (frame, page, direction). */
export const TRACE_DMA_SYNC_DEVICE = 0x414;
