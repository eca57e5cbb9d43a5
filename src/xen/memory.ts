/**
 * Memory reservations (xen/common/memory.c: do_memory_op()): how a balloon gives frames back and
 * gets others. A PV guest names frames by machine frame number where Xen says gmfn.
 */
import { domainOf } from '../hardware/params.ts';
import type { Op } from '../shared/op.ts';
import { getPage, mfnValid, putPage, putPageAllocRef } from './frame-table.ts';
import { setGpfnFromMfn } from './m2p.ts';
import { ZONE_DATA, allocDomheapPageOfZone } from './page-alloc.ts';
import { NO_PAGE } from './page-info.ts';
import { isDomainDirectMapped } from './params.ts';
import { XEN_EINVAL, XEN_ENOMEM } from './public/xen.ts';

/**
 * xen/common/memory.c: guest_remove_page(). The frame is freed when the last reference is gone:
 * mappings and grants may hold it longer. That of a domain which is mapped 1:1 stays allocated:
 * nobody else may get it, for the domain will want the same frame back (ARM).
 * @param v - vCPU that calls. @param d - owner. @param gmfn - its machine frame.
 * @returns 0 or a negative errno.
 */
export function* guestRemovePage(v: number, d: number, gmfn: number): Op {
  if (!mfnValid(gmfn) || (yield* getPage(v, gmfn, d)) === 0) return -XEN_EINVAL;
  if (!isDomainDirectMapped(d)) yield* putPageAllocRef(v, gmfn);
  yield* putPage(v, gmfn);
  return 0;
}

/**
 * XENMEM_decrease_reservation of one frame.
 * @param v - vCPU that calls. @param gmfn - machine frame of the caller.
 * @returns 0 or a negative errno.
 */
export function* decreaseReservation(v: number, gmfn: number): Op {
  return yield* guestRemovePage(v, domainOf(v), gmfn);
}

/**
 * XENMEM_populate_physmap of one frame. xen/common/memory.c: populate_physmap()
 * @param v - vCPU that calls. @param d - domain that gets the frame.
 * @param pfn - the number that the M2P gives it. @param zone - ZONE_* of page-alloc.ts.
 * @returns mfn, or a negative errno.
 */
export function* populatePhysmap(v: number, d: number, pfn: number, zone: number): Op {
  const mfn = yield* allocDomheapPageOfZone(v, d, zone);
  if (mfn === NO_PAGE) return -XEN_ENOMEM;
  yield* setGpfnFromMfn(mfn, pfn);
  return mfn;
}

/**
 * A data frame for the caller, as a balloon asks for it.
 * @param v - vCPU that calls. @param pfn - the number that the M2P gives it.
 * @returns mfn, or a negative errno.
 */
export function* increaseReservation(v: number, pfn: number): Op {
  return yield* populatePhysmap(v, domainOf(v), pfn, ZONE_DATA);
}

/**
 * XENMEM_populate_physmap of a domain that is mapped 1:1: the frame that bears the number, which
 * the domain never lost. xen/common/memory.c: populate_physmap()
 * @param v - vCPU that calls. @param gmfn - frame. @returns it, or -EINVAL if it is not its own.
 */
export function* populateDirectMapped(v: number, gmfn: number): Op {
  if (!mfnValid(gmfn) || (yield* getPage(v, gmfn, domainOf(v))) === 0) return -XEN_EINVAL;
  yield* putPage(v, gmfn);
  return gmfn;
}
