/** The tables of the guest kernel, their default sizes, and the boot of its constants. */
import { bootParams } from '../hardware/tables.ts';
import type { AnyTable, Config } from '../shared/table.ts';
import { Mm } from './mm/mm.ts';
import { dmaDefaults, dmaTables } from './dma/tables.ts';
import { fsDefaults, fsTables } from './fs/tables.ts';
import { driversDefaults, driversTables } from './drivers/tables.ts';
import { CurrentMm, MmPool } from './mm/mm-life.ts';
import { Kernel } from './mm/pgd.ts';
import { Gather, GatherPage, GatherTable } from './mm/mmu-gather.ts';
import { MmuInterval, MmuIntervalPool } from './mm/mmu-notifier.ts';
import { P2m } from './mm/p2m.ts';
import { FreePage, Zone } from './mm/page-alloc.ts';
import { Page } from './mm/page.ts';
import { PtLock } from './mm/pgtable.ts';
import { Mapping } from './mm/mapping.ts';
import { Vma, VmaPool } from './mm/vma.ts';
import { VmaNode, VmaNodePool, VmaSlot } from './mm/vma-tree.ts';
import { LinuxParams } from './params.ts';
import { processDefaults, processTables } from './process/tables.ts';

export const linuxTables: readonly AnyTable[] = [
  LinuxParams,
  Page,
  Zone,
  FreePage,
  P2m,
  PtLock,
  Mm,
  MmPool,
  Kernel,
  CurrentMm,
  MmuInterval,
  MmuIntervalPool,
  Gather,
  GatherPage,
  GatherTable,
  Vma,
  VmaPool,
  Mapping,
  VmaNode,
  VmaNodePool,
  VmaSlot,
  ...driversTables,
  ...fsTables,
  ...dmaTables,
  ...processTables,
];

/** Sizes that this room adds to a configuration: enough for a tiny machine. */
export const linuxDefaults = {
  /** Address spaces of the machine. */
  mms: 4,
  /** VMAs of the machine. */
  vmas: 16,
  /** Objects of drivers that VMAs map without references. */
  mappings: 2,
  /** VMAs of one address space, and one spare for a split. */
  vmaSlots: 8,
  /** Nodes of VMA trees: one for each address space, and those that wait for a grace period. */
  vmaNodes: 32,
  /** Subscriptions of MMU notifiers. */
  notifiers: 8,
  /** Pages that an unmap collects before it flushes. */
  gatherPages: 8,
  /** Page tables that an unmap collects before it flushes. */
  gatherTables: 4,
  /** Pages of each domain, from pfn 0 on, whose frames can hold page tables. */
  tablePages: 8,
  /** Pages of each domain that have a frame after its boot; 0: all. */
  bootPages: 0,
  /** Switch: munmap cuts its start with the new VMA above, as up to 4.11. */
  splitNewAbove: 0,
  ...driversDefaults,
  ...fsDefaults,
  ...dmaDefaults,
  ...processDefaults,
} as const;

/** Writes the guest kernel's constants of the attached machine. */
export function bootLinuxParams(config: Config): void {
  bootParams(LinuxParams.shape, config);
}
