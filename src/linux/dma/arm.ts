/**
 * Cache maintenance of DMA buffers on ARM (arch/arm/mm/dma-mapping.c and cache-v7.S;
 * arch/arm/include/asm/xen/page-coherent.h; arch/arm/xen/mm32.c of 3.18, arch/arm/xen/mm.c later).
 *
 * At map   FROM_DEVICE: invalidate, so that no dirty line is evicted over what the device stores;
 *          else clean, so that the device sees what the CPU wrote.
 * At unmap not TO_DEVICE: invalidate again, for a line may have been prefetched meanwhile.
 *
 * A page of the domain's own, and at map every page, is maintained through its address in the
 * direct map. At unmap a foreign page has no address but the bus address, and the kernels differ:
 *   mach_to_phys   a tree from frame to page (arm-p2m.ts); the page is then as good as a local one
 *   identity   the hypervisor maps every grant at the frame's own number too; the kernel maps that
 *              at a scratch address of this vCPU for the time of the operation
 *   mm32.c without that feature   nothing is done
 *   cache flush   the hypervisor maintains by machine address
 *
 * ScratchPage belongs to its vCPU; a preempted user keeps the vCPU (get_cpu_var()). Its entry lies
 * in the kernel's own tables, which Xen does not look at on ARM. Not modelled: that the frame can
 * be reached there only while the grant is mapped; the outer cache (mm32.c invalidates it at unmap
 * for TO_DEVICE instead of the other directions, which does not show with one level of cache).
 */
import { cpuMaintain } from '../../hardware/access.ts';
import { CACHE_CLEAN, CACHE_INVALIDATE, cacheMaintain } from '../../hardware/cache.ts';
import { kernelBase } from '../../hardware/params.ts';
import { tlbFlushPageLocal } from '../../hardware/tlb.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, warnOn, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import {
  GNTTAB_CACHE_CLEAN,
  GNTTAB_CACHE_INVAL,
  gnttabCacheFlush,
} from '../../xen/grant-table/cache-flush.ts';
import { BUG_DMA_MAINTENANCE } from '../drivers/bugs.ts';
import { pfnOf } from '../mm/page.ts';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE, busFrame, busOffset } from './address.ts';
import { pfnAtFrame, pfnValid } from './memblock.ts';
import { DMA_ARM_CACHE_FLUSH, DMA_ARM_IDENTITY, dmaApi } from './platform.ts';

export const ScratchPage = defineTable('%v.xen_mm32_scratch', ['vcpus'], {
  pte: '[GST] xen_mm32_scratch_ptep: frame that the scratch address of this vCPU maps',
});

/** What must happen to the cache before a device begins. @returns CACHE_* bits. */
export function operationAtMap(dir: number): number {
  return dir === DMA_FROM_DEVICE ? CACHE_INVALIDATE : CACHE_CLEAN;
}

/** What must happen to the cache when the device is through. @returns CACHE_* bits, or 0. */
export function operationAtUnmap(dir: number): number {
  return dir === DMA_TO_DEVICE ? 0 : CACHE_INVALIDATE;
}

/** Maintains a range of a page through a kernel address of it. */
function* maintain(v: number, vpn: number, offset: number, size: number, op: number): Op<void> {
  for (let i = 0; i < size; i++) {
    const fault = yield* cpuMaintain(v, vpn, offset + i, op);
    warnOn(fault !== 0, BUG_DMA_MAINTENANCE, vpn, fault);
  }
}

/**
 * dmac_map_area(), dmac_unmap_area() of a page of which the address is known.
 * @param pg - mapped page. @param offset - first word. @param size - words of this page.
 */
export function* armMaintainPage(
  v: number,
  pg: number,
  offset: number,
  size: number,
  op: number,
): Op<void> {
  yield* maintain(v, kernelBase() + pfnOf(pg), offset, size, op);
}

/** Maintains by machine address through the hypervisor. */
function* maintainByHypercall(v: number, bus: number, size: number, op: number): Op<void> {
  const flags = op === CACHE_CLEAN ? GNTTAB_CACHE_CLEAN : GNTTAB_CACHE_INVAL;
  const status = yield* gnttabCacheFlush(v, busFrame(bus), busOffset(bus), size, flags);
  warnOn(status < 0, BUG_DMA_MAINTENANCE, bus, status);
}

/**
 * arch/arm/include/asm/xen/page-coherent.h: xen_dma_map_page(), of one page.
 * @param pg - page that is mapped. @param bus - its bus address. @param op - CACHE_* bits.
 */
export function* xenDmaMapPage(
  v: number,
  pg: number,
  bus: number,
  size: number,
  op: number,
): Op<void> {
  const local = pfnValid(busFrame(bus)) && pfnAtFrame(busFrame(bus)) === pfnOf(pg);
  if (local || dmaApi() !== DMA_ARM_CACHE_FLUSH) {
    yield* armMaintainPage(v, pg, busOffset(bus), size, op);
  } else {
    yield* maintainByHypercall(v, bus, size, op);
  }
}

/**
 * arch/arm/xen/mm32.c: xen_mm32_remap_page(), the operation, xen_mm32_unmap(). The entry stays as
 * it is until the next use.
 */
function* maintainByIdentity(v: number, bus: number, size: number, op: number): Op<void> {
  yield* writeOnce(ScratchPage.pte.at(v), busFrame(bus));
  yield* tlbFlushPageLocal(v, ScratchPage.pte.at(v));
  const mfn = readLocal(ScratchPage.pte.at(v));
  for (let i = 0; i < size; i++) yield* cacheMaintain(mfn, busOffset(bus) + i, op);
}

/**
 * Maintenance of one foreign page of which only the bus address is known
 * (arch/arm/xen/mm32.c: dma_cache_maint(); arch/arm/xen/mm.c: dma_cache_maint()).
 * @param op - CACHE_* bits, 0 for nothing.
 */
export function* xenMaintainForeign(v: number, bus: number, size: number, op: number): Op<void> {
  if (op === 0) return;
  if (dmaApi() === DMA_ARM_IDENTITY) yield* maintainByIdentity(v, bus, size, op);
  else if (dmaApi() === DMA_ARM_CACHE_FLUSH) yield* maintainByHypercall(v, bus, size, op);
  // Others do not know an address of the page. "Return and hope for the best", says mm32.c.
}
