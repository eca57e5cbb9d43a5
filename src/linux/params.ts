/**
 * Boot constants of the guest kernel as words; written once (tables.ts: bootLinuxParams), read
 * without a preemption point. A key of the configuration and the field of the same name are the
 * same number.
 */
import { pagesPerDomain } from '../hardware/params.ts';
import { readLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

export const LinuxParams = defineTable('linux', [], {
  tablePages: '[BOOT] the first pages of each domain, whose frames can hold page tables',
  bootPages: '[BOOT] pages of each domain that have a frame after its boot; 0: all',
  splitNewAbove: '[BOOT] switch: munmap cuts its start with the new VMA above, as before 6.0',
  dmaApi: '[BOOT] DMA_* kernel of the DMA API: see dma/platform.ts',
  dmaHandles: '[BOOT] switch: DMA unmap takes handles, whatever the design (dma-handles.ts)',
  ioTlbPages: '[BOOT] pages of the bounce pool of domain 0',
  overrideBucketLocks: '[BOOT] switch: m2p_override has a lock a bucket (m2p-override.ts)',
  dmaHandleBits: '[BOOT] bits of a DMA handle that name its record',
  swiotlbForce: '[BOOT] switch: every DMA buffer is bounced (swiotlb=force)',
});

/** Pages of a domain that can hold page tables: pfns [0, tablePages). */
export function tablePageCount(): number {
  return readLocal(LinuxParams.tablePages.word);
}

/** Pages of a domain that have a frame after its boot: pfns [0, bootPages). */
export function bootPageCount(): number {
  return readLocal(LinuxParams.bootPages.word) || pagesPerDomain();
}

/** 1 if munmap splits as 4.11 did (domain before 6.0), 0 if as 7.0 does (munmap.ts). */
export function splitNewAbove(): number {
  return readLocal(LinuxParams.splitNewAbove.word);
}
