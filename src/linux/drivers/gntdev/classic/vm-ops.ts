/**
 * The VMAs of gntdev in the classic kernel (linux-2.6.18-xen, drivers/xen/gntdev/gntdev.c):
 * gntdev_clear_pte(), which is vm_ops->zap_pte, and gntdev_vma_close().
 *
 * zap_pte is called under the page-table lock in place of clearing the entry, so unmapping is exact
 * by entry and address, and needs no notifier: the slot is vm_pgoff + (addr - vm_start), which
 * splits keep right. Whether the page is in use it does not ask, and the array still names it.
 * The array is another matter: a split leaves two VMAs with the same pointer, indexed from two
 * different starts, and each close frees it.
 */
import { domainOf, kernelBase } from '../../../../hardware/params.ts';
import type { Op } from '../../../../shared/op.ts';
import { read, trace, warnOn, write } from '../../../../shared/operations.ts';
import { slabFree } from '../../../../shared/slab.ts';
import { gnttabUnmapGrantRef } from '../../../../xen/grant-table/unmap.ts';
import { PageArrayBitmap, PageSlot } from '../../../designs/vma-pages.ts';
import { INVALID_P2M_ENTRY, setPhysToMachine } from '../../../mm/p2m.ts';
import { NO_PAGE, pfnOf } from '../../../mm/page.ts';
import { setPte } from '../../../mm/pgtable.ts';
import { Vma } from '../../../mm/vma.ts';
import { TRACE_GRANT_UNMAP } from '../../../tracepoints.ts';
import { BUG_MAP_PAGES_BOUNDS } from '../../bugs.ts';
import { INVALID_GRANT_HANDLE, gnttabSetUnmapOp } from '../../map-refs.ts';
import { UnmapOp } from '../../unmap-async.ts';
import { gntdevPutFile } from '../file.ts';
import { arrayOfVma } from './mmap.ts';
import { ClassicSlot, SLOT_MAPPED, SLOT_NOT_YET_MAPPED } from './slots.ts';

/** One unmap hypercall; a failure is only printed. */
function* unmapOne(v: number, hostAddr: number, handle: number): Op<void> {
  const op = UnmapOp.hostAddr.at2(v, 0);
  gnttabSetUnmapOp(op, hostAddr, handle);
  yield* gnttabUnmapGrantRef(v, op, 1);
}

/**
 * drivers/xen/gntdev/gntdev.c: gntdev_clear_pte(). The caller holds the page-table lock.
 * @param v - vCPU. @param vma - VMA of gntdev. @param vpn - address. @param ptep - its entry,
 * present.
 */
export function* zapPteClassic(v: number, vma: number, vpn: number, ptep: number): Op<void> {
  let fd = yield* read(Vma.file.at(vma));
  if (fd < 0) fd = yield* read(Vma.privateData.at(vma));
  const slot = (yield* read(Vma.pgoff.at(vma))) + vpn - (yield* read(Vma.vmStart.at(vma)));
  if ((yield* read(ClassicSlot.state.at2(fd, slot))) !== SLOT_MAPPED) {
    yield* setPte(v, ptep, 0);
    return;
  }
  const pg = yield* read(ClassicSlot.page.at2(fd, slot));
  trace(TRACE_GRANT_UNMAP, pg, domainOf(v), 0);
  const userHandle = yield* read(ClassicSlot.userHandle.at2(fd, slot));
  if (userHandle !== INVALID_GRANT_HANDLE) yield* unmapOne(v, ptep, userHandle);
  else yield* setPte(v, ptep, 0);
  const kernelHandle = yield* read(ClassicSlot.kernelHandle.at2(fd, slot));
  yield* unmapOne(v, kernelBase() + pfnOf(pg), kernelHandle);
  yield* write(ClassicSlot.state.at2(fd, slot), SLOT_NOT_YET_MAPPED);
  yield* setPhysToMachine(v, pfnOf(pg), INVALID_P2M_ENTRY);
}

/** drivers/xen/gntdev/gntdev.c: gntdev_vma_close(): kfree() of the array. */
export function* vmaCloseClassic(v: number, vma: number): Op<void> {
  yield* slabFree(PageArrayBitmap.value.word, yield* arrayOfVma(vma));
  yield* gntdevPutFile(v, yield* read(Vma.file.at(vma)));
}

/**
 * mm/memory.c: get_user_pages() of a VM_FOREIGN VMA: the array, by a pointer that no split adjusts.
 * Beyond its end there is other memory, which here is an assertion and no page.
 * @param vma - VMA that is stable. @param vpn - address. @returns page, or NO_PAGE: look normally.
 */
export function* foreignPageOfVma(vma: number, vpn: number): Op {
  const array = yield* read(Vma.privateData.at(vma));
  const index = vpn - (yield* read(Vma.vmStart.at(vma)));
  const outside = index >= PageSlot.value.count;
  warnOn(outside, BUG_MAP_PAGES_BOUNDS, vma, index);
  return outside ? NO_PAGE : yield* read(array + index * PageSlot.value.stride);
}
