/**
 * Boot constants of the guest kernel as words; written once (tables.ts: bootLinuxParams), read
 * without a preemption point. A key of the configuration and the field of the same name are the
 * same number.
 */
import { readLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

export const LinuxParams = defineTable('linux', [], {
  tablePages: '[BOOT] the first pages of each domain, whose frames can hold page tables',
  splitNewAbove: '[BOOT] switch: munmap cuts its start with the new VMA above, as before 6.0',
  dmaApi: '[BOOT] DMA_* kernel of the DMA API: see dma/platform.ts',
  dmaHandles: '[BOOT] switch: DMA unmap takes handles, whatever the design (dma-handles.ts)',
  ioTlbPages: '[BOOT] pages of the bounce pool of domain 0',
  swiotlbForce: '[BOOT] switch: every DMA buffer is bounced (swiotlb=force)',
});

/** Pages of a domain that can hold page tables: pfns [0, tablePages). */
export function tablePageCount(): number {
  return readLocal(LinuxParams.tablePages.word);
}

/** 1 if munmap splits as 4.11 did (domain before 6.0), 0 if as 7.0 does (munmap.ts). */
export function splitNewAbove(): number {
  return readLocal(LinuxParams.splitNewAbove.word);
}
