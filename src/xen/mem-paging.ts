/**
 * Memory paging (xen/arch/x86/mm/mem_paging.c, p2m_mem_paging_populate()): a pager takes the
 * contents of a guest's frame away and brings them back on demand. Only what grant operations see
 * of it: a frame that is out makes them fail with GNTST_eagain and asks the pager.
 * In Xen only translated domains are paged, by gfn; here a frame keeps its number.
 *
 * state  RAM_RW → RAM_PAGED (evicted) → RAM_PAGING_IN (asked for) → RAM_RW   [XEN]
 */
import type { Op } from '../shared/op.ts';
import { cmpxchg, readOnce, writeOnce } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

/** p2m_ram_rw: in memory. */
export const RAM_RW = 0;
/** p2m_ram_paged: out, and nobody asked. */
export const RAM_PAGED = 1;
/** p2m_ram_paging_in: out, and the pager knows. */
export const RAM_PAGING_IN = 2;

export const P2mPaging = defineTable('p2m_paging[%]', ['frames'], {
  state: '[XEN] RAM_*',
});

/** The pager takes a frame out. xen/arch/x86/mm/mem_paging.c: evict() @param mfn - frame. */
export function* memPagingEvict(mfn: number): Op<void> {
  yield* writeOnce(P2mPaging.state.at(mfn), RAM_PAGED);
}

/** The pager has brought a frame back. p2m_mem_paging_resume() @param mfn - frame. */
export function* memPagingResume(mfn: number): Op<void> {
  yield* writeOnce(P2mPaging.state.at(mfn), RAM_RW);
}

/**
 * Is the frame in memory? If not, the pager is asked for it. p2m_mem_paging_populate()
 * @param mfn - valid frame. @returns 1 if it is in memory, 0 if it is on its way.
 */
export function* memPagingPopulate(mfn: number): Op {
  const state = yield* readOnce(P2mPaging.state.at(mfn));
  if (state === RAM_RW) return 1;
  if (state === RAM_PAGED) yield* cmpxchg(P2mPaging.state.at(mfn), RAM_PAGED, RAM_PAGING_IN);
  return 0;
}
