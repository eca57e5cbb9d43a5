/** The tables of the guest kernel and their default sizes. */
import type { AnyTable } from '../shared/table.ts';
import { Mm } from './mm/mm.ts';
import { FreePage, Zone } from './mm/page-alloc.ts';
import { Page } from './mm/page.ts';
import { Vma, VmaPool } from './mm/vma.ts';
import { VmaNode, VmaNodePool, VmaSlot } from './mm/vma-tree.ts';

export const linuxTables: readonly AnyTable[] = [
  Page,
  Zone,
  FreePage,
  Mm,
  Vma,
  VmaPool,
  VmaNode,
  VmaNodePool,
  VmaSlot,
];

/** Sizes that this room adds to a configuration: enough for a tiny machine. */
export const linuxDefaults = {
  /** Address spaces of the machine, the kernel's own ones included. */
  mms: 4,
  /** VMAs of the machine. */
  vmas: 16,
  /** VMAs of one address space, and one spare for a split. */
  vmaSlots: 8,
  /** Nodes of VMA trees: one for each address space, and those that wait for a grace period. */
  vmaNodes: 16,
} as const;
