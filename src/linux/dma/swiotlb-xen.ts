/**
 * DMA of a Xen domain (drivers/xen/swiotlb-xen.c): which bus address a page has, whether the device
 * can use it, and what is behind a bus address at unmap.
 *
 * Mapping: 1. bus address of the page. 2. it serves as it is if the device reaches it, the range is
 * contiguous in the machine, and the platform can maintain its cache lines later; else the data is
 * bounced through swiotlb. 3. cache maintenance of what the device will use.
 * Unmapping by bus address: 1. the page behind it. 2. its cache maintenance. 3. if the frame is the
 * domain's own (the local test) and lies in the bounce pool: copy back, and free the slots.
 *
 * The local test of x86 is P2M[M2P[mfn]] == mfn; on ARM, where the domain is mapped 1:1, the frame
 * is in the domain's memory map or it is not. A bus address of a foreign frame that bears the
 * number of one in the pool must not be taken for one of the pool's.
 */
import { Device } from '../../hardware/iommu.ts';
import { domainOf, frameCount, frameWordCount } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, trace } from '../../shared/operations.ts';
import { designPageBehindDma } from '../designs/design.ts';
import { FOREIGN_FRAME_BIT, getPhysToMachine, mfnToLocalPfn, pfnToMfn } from '../mm/p2m.ts';
import { NO_PAGE, pageOf, pfnOf } from '../mm/page.ts';
import { LinuxParams } from '../params.ts';
import {
  TRACE_DMA_MAP,
  TRACE_DMA_SYNC_CPU,
  TRACE_DMA_SYNC_DEVICE,
  TRACE_DMA_UNMAP,
  TRACE_DMA_UNMAP_END,
} from '../tracepoints.ts';
import {
  DMA_MAPPING_ERROR,
  DMA_TO_DEVICE,
  busAddress,
  busFrame,
  busOffset,
  framesOf,
} from './address.ts';
import {
  armMaintainPage,
  operationAtMap,
  operationAtUnmap,
  xenDmaMapPage,
  xenMaintainForeign,
} from './arm.ts';
import { machToPhys } from './arm-p2m.ts';
import { frameAtPfn, pfnAtFrame, pfnValid } from './memblock.ts';
import { DMA_ARM_BOUNCE, DMA_ARM_MACH_TO_PHYS, dmaApi, onArm } from './platform.ts';
import {
  NO_PHYS,
  isSwiotlbPage,
  swiotlbTblMapSingle,
  swiotlbTblSyncSingle,
  swiotlbTblUnmapSingle,
} from './swiotlb.ts';

/** pfn_to_mfn(), on ARM with the page's own frame where no foreign one is recorded. */
function* frameOfPage(v: number, pfn: number): Op {
  const d = domainOf(v);
  if (!onArm()) return yield* pfnToMfn(d, pfn);
  const entry = yield* getPhysToMachine(d, pfn);
  return entry >= 0 && (entry & FOREIGN_FRAME_BIT) !== 0
    ? entry & ~FOREIGN_FRAME_BIT
    : frameAtPfn(pfn);
}

/** xen_phys_to_bus(). @returns bus address, or DMA_MAPPING_ERROR if no frame is behind the page. */
export function* xenPhysToBus(v: number, pfn: number, offset: number): Op {
  const mfn = yield* frameOfPage(v, pfn);
  return mfn < 0 ? DMA_MAPPING_ERROR : busAddress(mfn, offset);
}

/** xen_bus_to_phys(): what the kernel takes a bus address for. @returns page, or NO_PAGE. */
export function* xenBusToPage(v: number, bus: number): Op {
  const d = domainOf(v);
  const mfn = busFrame(bus);
  if (!onArm()) return yield* designPageBehindDma(v, mfn);
  if (dmaApi() === DMA_ARM_MACH_TO_PHYS) {
    const pfn = yield* machToPhys(v, mfn);
    if (pfn >= 0) return pageOf(d, pfn);
  }
  return pfnValid(mfn) ? pageOf(d, pfnAtFrame(mfn)) : NO_PAGE;
}

/** bfn_to_local_pfn(): the local test. @returns pfn of a frame of the domain's own, or -1. */
function* localPfnOf(v: number, mfn: number): Op {
  if (!onArm()) return yield* mfnToLocalPfn(domainOf(v), mfn);
  if (dmaApi() === DMA_ARM_MACH_TO_PHYS && (yield* machToPhys(v, mfn)) >= 0) return -1;
  return pfnValid(mfn) ? pfnAtFrame(mfn) : -1;
}

/** is_xen_swiotlb_buffer(). @returns physical address in the pool, or NO_PHYS. */
export function* xenSwiotlbBuffer(v: number, bus: number): Op {
  const pfn = yield* localPfnOf(v, busFrame(bus));
  if (!isSwiotlbPage(domainOf(v), pfn)) return NO_PHYS;
  return pfn * frameWordCount() + busOffset(bus);
}

/** dma_capable(): does the range lie in what the device can address? */
function dmaCapable(dev: number, bus: number, size: number): boolean {
  if (bus < 0) return false;
  const limit = readLocal(Device.dmaLimit.at(dev));
  const frames = limit === 0 ? frameCount() : limit;
  return bus + size <= frames * frameWordCount();
}

/** range_straddles_page_boundary(): 1 if the frames of a range do not follow each other. */
function* rangeStraddles(v: number, pfn: number, offset: number, size: number): Op {
  const frames = framesOf(offset, size);
  if (frames <= 1) return 0;
  const first = yield* frameOfPage(v, pfn);
  for (let i = 1; i < frames; i++) {
    if ((yield* frameOfPage(v, pfn + i)) !== first + i) return 1;
  }
  return 0;
}

/**
 * arch/arm/xen/mm.c: xen_arch_need_swiotlb(): a foreign page that cannot be maintained at unmap.
 * @param byPage - 1 if the unmap will know the page.
 */
function archNeedSwiotlb(pfn: number, bus: number, byPage: number): boolean {
  return dmaApi() === DMA_ARM_BOUNCE && byPage === 0 && busFrame(bus) !== frameAtPfn(pfn);
}

/**
 * Cache maintenance of a range of which the pages are known, page by page.
 * @param bus - its bus address, contiguous. @param op - CACHE_* bits, 0 for nothing.
 * @param foreignByXen - 1 if foreign pages may be the hypervisor's task (xen_dma_map_page()).
 */
function* maintainPages(
  v: number,
  pfn: number,
  bus: number,
  size: number,
  op: number,
  foreignByXen: number,
): Op<void> {
  if (op === 0) return;
  const d = domainOf(v);
  for (let done = 0, i = 0; done < size; i++) {
    const at = bus + done;
    const length = Math.min(frameWordCount() - busOffset(at), size - done);
    if (foreignByXen !== 0) yield* xenDmaMapPage(v, pageOf(d, pfn + i), at, length, op);
    else yield* armMaintainPage(v, pageOf(d, pfn + i), busOffset(at), length, op);
    done += length;
  }
}

/** Tells of every frame of a range. */
function traceFrames(point: number, bus: number, size: number, pg: number, dir: number): void {
  const frames = framesOf(busOffset(bus), size);
  for (let i = 0; i < frames; i++) {
    trace(point, busFrame(bus) + i, pg === NO_PAGE ? pg : pg + i, dir);
  }
}

/** The page that the device uses: the mapped one, or the one of the pool. @param slot - or none. */
export function pageUsed(v: number, pg: number, slot: number): number {
  return slot === NO_PHYS ? pg : pageOf(domainOf(v), (slot / frameWordCount()) | 0);
}

/** Bounces a range. @returns bus address of the slots, or DMA_MAPPING_ERROR. */
function* mapBounced(v: number, dev: number, orig: number, size: number, dir: number): Op {
  const slot = yield* swiotlbTblMapSingle(v, orig, size, dir);
  if (slot === NO_PHYS) return DMA_MAPPING_ERROR;
  const pfn = (slot / frameWordCount()) | 0;
  const bus = yield* xenPhysToBus(v, pfn, slot % frameWordCount());
  if (!dmaCapable(dev, bus, size)) {
    // DMA_TO_DEVICE: nothing is copied back.
    yield* swiotlbTblUnmapSingle(v, slot, size, DMA_TO_DEVICE);
    return DMA_MAPPING_ERROR;
  }
  if (onArm()) yield* maintainPages(v, pfn, bus, size, operationAtMap(dir), 1);
  traceFrames(TRACE_DMA_MAP, bus, size, pageOf(domainOf(v), pfn), dir);
  return bus;
}

/**
 * xen_swiotlb_map_page(). The range may go on into the pages that follow.
 * @param v - vCPU of the domain that has the device. @param dev - device.
 * @param pg - first page. @param offset - first word. @param size - words. @param dir - DMA_*.
 * @param byPage - 1 if the unmap will know the page (dma-handles).
 * @returns bus address, or DMA_MAPPING_ERROR.
 */
export function* xenSwiotlbMapPage(
  v: number,
  dev: number,
  pg: number,
  offset: number,
  size: number,
  dir: number,
  byPage: number,
): Op {
  const pfn = pfnOf(pg);
  const bus = yield* xenPhysToBus(v, pfn, offset);
  if (
    dmaCapable(dev, bus, size) &&
    (yield* rangeStraddles(v, pfn, offset, size)) === 0 &&
    !archNeedSwiotlb(pfn, bus, byPage) &&
    readLocal(LinuxParams.swiotlbForce.word) === 0
  ) {
    if (onArm()) yield* maintainPages(v, pfn, bus, size, operationAtMap(dir), 1 - byPage);
    traceFrames(TRACE_DMA_MAP, bus, size, pg, dir);
    return bus;
  }
  return yield* mapBounced(v, dev, pfn * frameWordCount() + offset, size, dir);
}

/** Maintains what the kernel found behind a bus address. @param pg - page, or NO_PAGE. */
function* maintainFound(v: number, pg: number, bus: number, size: number, op: number): Op<void> {
  if (!onArm()) return;
  if (pg !== NO_PAGE) {
    yield* maintainPages(v, pfnOf(pg), bus, size, op, 0);
    return;
  }
  for (let done = 0; done < size;) {
    const length = Math.min(frameWordCount() - busOffset(bus + done), size - done);
    yield* xenMaintainForeign(v, bus + done, length, op);
    done += length;
  }
}

/**
 * xen_unmap_single(): all that is known is the bus address.
 * @param bus - what xenSwiotlbMapPage gave.
 */
export function* xenUnmapSingle(v: number, bus: number, size: number, dir: number): Op<void> {
  const pg = yield* xenBusToPage(v, bus);
  traceFrames(TRACE_DMA_UNMAP, bus, size, pg, dir);
  yield* maintainFound(v, pg, bus, size, operationAtUnmap(dir));
  traceFrames(TRACE_DMA_UNMAP_END, bus, size, pg, dir);
  const slot = yield* xenSwiotlbBuffer(v, bus);
  if (slot !== NO_PHYS) yield* swiotlbTblUnmapSingle(v, slot, size, dir);
}

/**
 * The same with the page known: nothing is looked up by frame.
 * @param pg - page that the device used: the mapped one, or one of the pool.
 * @param slot - physical address in the pool, NO_PHYS if the range was not bounced.
 */
export function* xenUnmapKnown(
  v: number,
  pg: number,
  slot: number,
  bus: number,
  size: number,
  dir: number,
): Op<void> {
  traceFrames(TRACE_DMA_UNMAP, bus, size, pg, dir);
  if (onArm()) yield* maintainPages(v, pfnOf(pg), bus, size, operationAtUnmap(dir), 0);
  traceFrames(TRACE_DMA_UNMAP_END, bus, size, pg, dir);
  if (slot !== NO_PHYS) yield* swiotlbTblUnmapSingle(v, slot, size, dir);
}

/**
 * xen_swiotlb_sync_single_for_cpu(): the CPU may look until xenSyncSingleForDevice.
 * @param pg - page that the device uses, where the caller knows it; NO_PAGE: look it up.
 */
export function* xenSyncSingleForCpu(
  v: number,
  pg: number,
  bus: number,
  size: number,
  dir: number,
): Op<void> {
  const found = pg !== NO_PAGE ? pg : yield* xenBusToPage(v, bus);
  yield* maintainFound(v, found, bus, size, operationAtUnmap(dir));
  traceFrames(TRACE_DMA_SYNC_CPU, bus, size, found, dir);
  const slot = yield* xenSwiotlbBuffer(v, bus);
  if (slot !== NO_PHYS) yield* swiotlbTblSyncSingle(v, slot, size, dir, 0);
}

/** xen_swiotlb_sync_single_for_device(). Arguments as xenSyncSingleForCpu. */
export function* xenSyncSingleForDevice(
  v: number,
  pg: number,
  bus: number,
  size: number,
  dir: number,
): Op<void> {
  const slot = yield* xenSwiotlbBuffer(v, bus);
  if (slot !== NO_PHYS) yield* swiotlbTblSyncSingle(v, slot, size, dir, 1);
  const found = pg !== NO_PAGE ? pg : yield* xenBusToPage(v, bus);
  yield* maintainFound(v, found, bus, size, operationAtMap(dir));
  traceFrames(TRACE_DMA_SYNC_DEVICE, bus, size, found, dir);
}
