/**
 * The DMA API as drivers call it (include/linux/dma-mapping.h: dma_map_page(), dma_unmap_page(),
 * dma_sync_single_for_cpu(), dma_sync_single_for_device(), dma_map_sg(), dma_unmap_sg()).
 *
 * What map returns is a token for unmap. Today's kernels have nothing but the bus address for it;
 * with dma-handles it is a handle (designs/dma-handles.ts). dmaAddress() tells the bus address of
 * either, which goes to the device.
 *
 * From map to unmap the buffer is the device's: the CPU must not touch it, but between a sync for
 * the CPU and the next sync for the device.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { designHasDmaHandles } from '../designs/design.ts';
import {
  DmaHandle,
  dmaHandleCreate,
  dmaHandleRecord,
  dmaHandleRelease,
  dmaHandleTake,
} from '../designs/dma-handles.ts';
import { EINVAL } from '../errno.ts';
import { NO_PAGE } from '../mm/page.ts';
import { DMA_MAPPING_ERROR } from './address.ts';
import {
  pageUsed,
  xenSwiotlbBuffer,
  xenSwiotlbMapPage,
  xenSyncSingleForCpu,
  xenSyncSingleForDevice,
  xenUnmapKnown,
  xenUnmapSingle,
} from './swiotlb-xen.ts';

/** struct scatterlist. Callers lay it out in tables of their own; offsets of its fields. */
export const SG_PAGE = 0;
export const SG_OFFSET = 1;
export const SG_LENGTH = 2;
/** sg_dma_address(): here the token. */
export const SG_DMA = 3;
export const SG_WORDS = 4;

/** The list of a vCPU's request in hand, for drivers without one of their own. */
export const SgEntry = defineTable('%v.sg[%]', ['vcpus', 'sgEntries'], {
  page: '[GST] page',
  offset: '[GST] first word',
  length: '[GST] words',
  dma: '[GST] token that dmaMapSg gave',
});

/**
 * dma_map_page()
 * @param v - vCPU of the domain that has the device. @param dev - device. @param pg - page that
 *   the caller holds until unmap. @param offset - first word; a range may go on in the next pages.
 * @param size - words. @param dir - DMA_*. @returns token, or DMA_MAPPING_ERROR.
 */
export function* dmaMapPage(
  v: number,
  dev: number,
  pg: number,
  offset: number,
  size: number,
  dir: number,
): Op {
  const handles = designHasDmaHandles();
  const bus = yield* xenSwiotlbMapPage(v, dev, pg, offset, size, dir, handles);
  if (handles === 0 || bus === DMA_MAPPING_ERROR) return bus;
  const slot = yield* xenSwiotlbBuffer(v, bus);
  const handle = yield* dmaHandleCreate(pg, bus, slot, size, dir);
  if (handle >= 0) return handle;
  yield* xenUnmapKnown(v, pageUsed(v, pg, slot), slot, bus, size, dir);
  return DMA_MAPPING_ERROR;
}

/** The bus address behind a token. @returns it, or DMA_MAPPING_ERROR if the token is not good. */
export function* dmaAddress(token: number): Op {
  if (designHasDmaHandles() === 0) return token;
  const index = yield* dmaHandleRecord(token);
  return index < 0 ? DMA_MAPPING_ERROR : yield* read(DmaHandle.bus.at(index));
}

/** Unmaps by handle. @returns 0, or -EINVAL for a handle that is not good. */
function* unmapHandle(v: number, handle: number): Op {
  const index = yield* dmaHandleTake(handle);
  if (index < 0) return index;
  const slot = yield* read(DmaHandle.slot.at(index));
  const pg = pageUsed(v, yield* read(DmaHandle.page.at(index)), slot);
  const bus = yield* read(DmaHandle.bus.at(index));
  const size = yield* read(DmaHandle.size.at(index));
  yield* xenUnmapKnown(v, pg, slot, bus, size, yield* read(DmaHandle.dir.at(index)));
  yield* dmaHandleRelease(index);
  return 0;
}

/**
 * dma_unmap_page(). From now on the CPU sees what the device stored.
 * @param token - what dmaMapPage gave. @param size - as then. @param dir - as then.
 * @returns 0; with handles -EINVAL for one that is not good. A bus address cannot be checked.
 */
export function* dmaUnmapPage(v: number, token: number, size: number, dir: number): Op {
  if (designHasDmaHandles() !== 0) return yield* unmapHandle(v, token);
  yield* xenUnmapSingle(v, token, size, dir);
  return 0;
}

/** The page of a live mapping with handles. @returns page that the device uses, or NO_PAGE. */
function* pageOfToken(v: number, token: number): Op {
  if (designHasDmaHandles() === 0) return NO_PAGE;
  const index = yield* dmaHandleRecord(token);
  if (index < 0) return NO_PAGE;
  const slot = yield* read(DmaHandle.slot.at(index));
  return pageUsed(v, yield* read(DmaHandle.page.at(index)), slot);
}

/** dma_sync_single_for_cpu(). @param token - of a live mapping. @returns 0 or -EINVAL. */
export function* dmaSyncForCpu(v: number, token: number, size: number, dir: number): Op {
  const bus = yield* dmaAddress(token);
  if (bus === DMA_MAPPING_ERROR) return -EINVAL;
  yield* xenSyncSingleForCpu(v, yield* pageOfToken(v, token), bus, size, dir);
  return 0;
}

/** dma_sync_single_for_device(). @param token - of a live mapping. @returns 0 or -EINVAL. */
export function* dmaSyncForDevice(v: number, token: number, size: number, dir: number): Op {
  const bus = yield* dmaAddress(token);
  if (bus === DMA_MAPPING_ERROR) return -EINVAL;
  yield* xenSyncSingleForDevice(v, yield* pageOfToken(v, token), bus, size, dir);
  return 0;
}

/**
 * dma_unmap_sg()
 * @param sg - first word of the list. @param count - entries. @param dir - DMA_*.
 */
export function* dmaUnmapSg(v: number, sg: number, count: number, dir: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const entry = sg + i * SG_WORDS;
    yield* dmaUnmapPage(v, yield* read(entry + SG_DMA), readLocal(entry + SG_LENGTH), dir);
  }
}

/**
 * dma_map_sg(): each entry by itself; all or none.
 * @param sg - first word of the list; the caller filled page, offset and length.
 * @returns entries mapped: count, or 0.
 */
export function* dmaMapSg(v: number, dev: number, sg: number, count: number, dir: number): Op {
  for (let i = 0; i < count; i++) {
    const entry = sg + i * SG_WORDS;
    const pg = readLocal(entry + SG_PAGE);
    const offset = readLocal(entry + SG_OFFSET);
    const size = readLocal(entry + SG_LENGTH);
    const token = yield* dmaMapPage(v, dev, pg, offset, size, dir);
    if (token === DMA_MAPPING_ERROR) {
      yield* dmaUnmapSg(v, sg, i, dir);
      return 0;
    }
    yield* write(entry + SG_DMA, token);
  }
  return count;
}

/** sg_set_page(). @param entry - word of an entry. */
export function sgSetPage(entry: number, pg: number, length: number, offset: number): void {
  writeLocal(entry + SG_PAGE, pg);
  writeLocal(entry + SG_OFFSET, offset);
  writeLocal(entry + SG_LENGTH, length);
}
