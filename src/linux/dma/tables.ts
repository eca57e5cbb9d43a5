/** The tables of the DMA API, their default sizes, and its boot in a domain. */
import { NO_PAGE, pfnOf } from '../mm/page.ts';
import { allocPage } from '../mm/page-alloc.ts';
import { P2m } from '../mm/p2m.ts';
import { ConfigError } from '../../shared/layout.ts';
import { readLocal, runAlone } from '../../shared/operations.ts';
import type { AnyTable } from '../../shared/table.ts';
import { DmaHandle, DmaHandleBitmap } from '../designs/dma-handles.ts';
import { LinuxParams } from '../params.ts';
import { ScratchPage } from './arm.ts';
import { ArmP2m, ArmP2mBitmap, ArmP2mEntry } from './arm-p2m.ts';
import { SgEntry } from './mapping.ts';
import { MemblockFrame, MemblockPage, initMemblock } from './memblock.ts';
import { onArm } from './platform.ts';
import { IoTlb, IoTlbSlot, initSwiotlb } from './swiotlb.ts';

export const dmaTables: readonly AnyTable[] = [
  MemblockPage,
  MemblockFrame,
  ArmP2m,
  ArmP2mEntry,
  ArmP2mBitmap,
  ScratchPage,
  IoTlb,
  IoTlbSlot,
  SgEntry,
  DmaHandle,
  DmaHandleBitmap,
];

/** Sizes that the DMA API adds to a configuration. */
export const dmaDefaults = {
  dmaApi: 0,
  dmaHandles: 0,
  ioTlbPages: 0,
  swiotlbForce: 0,
  /** Slots of the bounce pool of a domain, at most. */
  ioTlbSlots: 8,
  /** Foreign pages that the trees of ARM can record. */
  armP2mEntries: 8,
  armP2mWords: 1,
  /** Entries of a scatter list. */
  sgEntries: 4,
  /** Mappings for DMA with handles. */
  dmaHandleRecords: 8,
  /** Bits of a handle that name its record; the rest of 30 are its generation. */
  dmaHandleBits: 12,
  dmaHandleWords: 1,
} as const;

/** Pages for the bounce pool, with frames that follow each other. @returns the first pfn. */
function allocPool(v: number, d: number, pages: number): number {
  let first = -1;
  for (let i = 0; i < pages; i++) {
    const pg = runAlone(allocPage(v));
    const pfn = pfnOf(pg);
    if (i === 0) first = pfn;
    const follows =
      pfn === first + i &&
      readLocal(P2m.value.at2(d, pfn)) === readLocal(P2m.value.at2(d, first)) + i;
    if (pg === NO_PAGE || !follows) throw new ConfigError('no contiguous memory for ioTlbPages');
  }
  return first;
}

/**
 * Initialises the DMA API of a domain (xen_swiotlb_init()); only domain 0 has
 * devices. @param v - a vCPU of the domain, whose memory is as it was at boot. @param d - domain.
 */
export function initDma(v: number, d: number): void {
  if (d !== 0) return;
  if (onArm()) initMemblock(d);
  const pages = readLocal(LinuxParams.ioTlbPages.word);
  if (pages > 0) initSwiotlb(d, allocPool(v, d, pages), pages);
}
