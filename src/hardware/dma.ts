/**
 * The DMA engine of a device: reads and writes words of machine frames by bus address, past all
 * page tables, page counts and TLBs. With Params.iommu each access is translated and one that is
 * not mapped, or not for writing, is refused and moves nothing; without, every access to a frame
 * that exists succeeds.
 *
 * A translation and its access are one with respect to the device's own invalidation, as an
 * instruction is to its vCPU's flush handler (access.ts).
 *
 * Not modelled: bursts (each word is an access of its own), peer-to-peer DMA, ATS.
 */
import type { Op } from '../shared/op.ts';
import { LOST } from '../shared/kinds.ts';
import {
  loadThrough,
  readLocal,
  readOnce,
  storeThrough,
  writeLocal,
} from '../shared/operations.ts';
import { Device, IOMMU_READ, IOMMU_WRITE, Iommu, iotlbFill, iotlbLookup } from './iommu.ts';
import { frameWord } from './paging.ts';
import { frameCount } from './params.ts';

/** The IOMMU refused the access: nothing was moved. */
export const DMA_REFUSED = 1;
/** There is no such frame. */
export const DMA_NO_MEMORY = 2;

function refuse(dev: number): number {
  writeLocal(Device.refused.at(dev), (readLocal(Device.refused.at(dev)) + 1) | 0);
  return DMA_REFUSED;
}

/** @returns the rights of the device on a frame, from the IOTLB if they suffice. */
function* rightsOf(dev: number, mfn: number, cached: number, need: number): Op {
  if ((cached & need) !== 0) return cached;
  return yield* readOnce(Iommu.rights.at2(readLocal(Device.domid.at(dev)), mfn));
}

/**
 * Fetches a word by DMA; the value comes in Device.value.
 * @param dev - device. @param busMfn - bus address (frame). @param offset - word in the frame.
 * @returns 0 or DMA_*.
 */
export function* dmaRead(dev: number, busMfn: number, offset: number): Op {
  if (busMfn < 0 || busMfn >= frameCount()) return DMA_NO_MEMORY;
  const guard = Device.iotlbSequence.at(dev);
  for (;;) {
    const sequence = yield* readOnce(guard);
    const cached = iotlbLookup(dev, busMfn);
    const rights = yield* rightsOf(dev, busMfn, cached, IOMMU_READ);
    if ((rights & IOMMU_READ) === 0) return refuse(dev);
    const value = yield* loadThrough(guard, sequence, frameWord(busMfn, offset));
    if (value === LOST) continue;
    if (rights !== cached) iotlbFill(dev, busMfn, rights);
    writeLocal(Device.value.at(dev), value);
    return 0;
  }
}

/**
 * Stores a word by DMA.
 * @param dev - device. @param busMfn - bus address (frame). @param offset - word in the frame.
 * @param value - what to store. @returns 0 or DMA_*.
 */
export function* dmaWrite(dev: number, busMfn: number, offset: number, value: number): Op {
  if (busMfn < 0 || busMfn >= frameCount()) return DMA_NO_MEMORY;
  const guard = Device.iotlbSequence.at(dev);
  for (;;) {
    const sequence = yield* readOnce(guard);
    const cached = iotlbLookup(dev, busMfn);
    const rights = yield* rightsOf(dev, busMfn, cached, IOMMU_WRITE);
    if ((rights & IOMMU_WRITE) === 0) return refuse(dev);
    const done = yield* storeThrough(guard, sequence, frameWord(busMfn, offset), value);
    if (done === LOST) continue;
    if (rights !== cached) iotlbFill(dev, busMfn, rights);
    return 0;
  }
}
