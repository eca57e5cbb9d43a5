/**
 * The IOMMU: for each domain, which machine frames its devices may read and write
 * (xen/drivers/passthrough/iommu.c: iommu_map(), iommu_unmap(), iommu_iotlb_flush()).
 *
 * Bus addresses are machine frame numbers, as in a PV domain. Each device caches translations in an
 * IOTLB that only its own DMA fills and only iommuFlush empties. A flush is queued to the device
 * and waited for; the device answers between two accesses, so DMA that was translated before has
 * drained (VT-d's invalidation wait with drain). Requests that meet merge into one answer, which
 * comes after both. Freeing a frame between iommuUnmap and the end of
 * iommuFlush is XSA-346.
 *
 * Entry [XEN]: callers serialise changes of one entry (Xen: the grant table's lock).
 */
import type { Op } from '../shared/op.ts';
import {
  awaitEqual,
  awaitNotEqual,
  fetchAdd,
  readLocal,
  storeRelease,
  writeLocal,
  writeOnce,
} from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { Params } from './params.ts';

export const IOMMU_READ = 1;
export const IOMMU_WRITE = 2;

export const Iommu = defineTable('iommu[d%].entry[%]', ['domains', 'frames'], {
  rights: '[XEN] IOMMU_READ | IOMMU_WRITE, 0 where nothing is mapped',
});

export const Device = defineTable(
  'dev[%].state',
  ['devices'],
  {
    domid: '[BOOT] domain the device is assigned to',
    online: '[BOOT] 1 if the device takes part',
    invalidate: '[XEN,DEV] 1 from a request to drop the IOTLB until the device has done so',
    iotlbSequence: '[DEV] counts the invalidations: guard of every DMA access',
    inInvalidate: '[DEV] the invalidation has been entered',
    value: '[DEV] word that the last dmaRead fetched',
    refused: '[DEV] accesses that the IOMMU refused',
    dmaLimit: '[BOOT] first frame that the device cannot address (its DMA mask), 0 if none',
  },
  { lineAligned: true },
);

export const Iotlb = defineTable('dev[%].iotlb[%]', ['devices', 'iotlbEntries'], {
  tag: '[DEV] mfn + 1, or 0 if the slot is empty',
  rights: '[DEV] IOMMU_* as the entry said',
});

/** Is DMA translated at all? */
export function iommuEnabled(): boolean {
  return readLocal(Params.iommu.word) !== 0;
}

/** Lets the devices of a domain reach a frame. @param d - domain. @param rights - IOMMU_*. */
export function* iommuMap(d: number, mfn: number, rights: number): Op<void> {
  if (iommuEnabled()) yield* writeOnce(Iommu.rights.at2(d, mfn), rights);
}

/** Takes a frame from the devices of a domain; cached translations last until iommuFlush. */
export function* iommuUnmap(d: number, mfn: number): Op<void> {
  if (iommuEnabled()) yield* writeOnce(Iommu.rights.at2(d, mfn), 0);
}

/** Drops the cached translations of all devices of a domain and waits for their DMA to drain. */
export function* iommuFlush(d: number): Op<void> {
  if (!iommuEnabled()) return;
  const devices = readLocal(Params.devices.word);
  for (let dev = 0; dev < devices; dev++) {
    if (readLocal(Device.online.at(dev)) === 0 || readLocal(Device.domid.at(dev)) !== d) continue;
    yield* writeOnce(Device.invalidate.at(dev), 1);
    yield* awaitEqual(Device.invalidate.at(dev), -1, 0);
  }
}

/** The device's side of iommuFlush: between two of its accesses. */
export function* handleInvalidate(dev: number): Op<void> {
  if (readLocal(Device.inInvalidate.at(dev)) !== 0) return;
  writeLocal(Device.inInvalidate.at(dev), 1);
  yield* fetchAdd(Device.iotlbSequence.at(dev), 1);
  const entries = readLocal(Params.iotlbEntries.word);
  for (let slot = 0; slot < entries; slot++) writeLocal(Iotlb.tag.at2(dev, slot), 0);
  yield* storeRelease(Device.invalidate.at(dev), 0);
  writeLocal(Device.inInvalidate.at(dev), 0);
}

/** Fibers: the actor that answers a device's invalidations, at the word Device.invalidate. */
export function* invalidateActor(dev: number): Op<void> {
  for (;;) {
    yield* awaitNotEqual(Device.invalidate.at(dev), -1, 0);
    yield* handleInvalidate(dev);
  }
}

/**
 * Looks a frame up. Only in the step of an operation on Device.iotlbSequence.
 * @returns IOMMU_*, 0 if the IOTLB has no translation; all rights if DMA is not translated.
 */
export function iotlbLookup(dev: number, mfn: number): number {
  if (!iommuEnabled()) return IOMMU_READ | IOMMU_WRITE;
  const slot = mfn % readLocal(Params.iotlbEntries.word);
  if (readLocal(Iotlb.tag.at2(dev, slot)) !== mfn + 1) return 0;
  return readLocal(Iotlb.rights.at2(dev, slot));
}

/** Keeps a translation. Only in the step of an access that Device.iotlbSequence guarded. */
export function iotlbFill(dev: number, mfn: number, rights: number): void {
  const slot = mfn % readLocal(Params.iotlbEntries.word);
  writeLocal(Iotlb.tag.at2(dev, slot), mfn + 1);
  writeLocal(Iotlb.rights.at2(dev, slot), rights);
}
