/** From the frame in a shared entry to a referenced machine frame. */
import type { Op } from '../../shared/op.ts';
import { getPage, mfnValid } from '../frame-table.ts';
import { memPagingPopulate } from '../mem-paging.ts';
import { GNTST_bad_page, GNTST_eagain } from '../public/grant-table.ts';

/**
 * xen/common/grant_table.c: get_paged_frame(). A PV domain names frames by machine frame number.
 * @param gfn - as the shared entry has it. @param rd - granting domain, which must own it.
 * @returns mfn with a reference taken, or a negative GNTST_*.
 */
export function* getPagedFrame(v: number, gfn: number, rd: number): Op {
  if (!mfnValid(gfn)) return GNTST_bad_page;
  if ((yield* memPagingPopulate(gfn)) === 0) return GNTST_eagain;
  if ((yield* getPage(v, gfn, rd)) === 0) return GNTST_bad_page;
  return gfn;
}
