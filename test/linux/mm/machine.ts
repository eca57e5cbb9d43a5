/** A small machine with booted guests, for the tests of the memory manager. */
import { hardwareDefaults, hardwareTables, bootHardware } from '../../../src/hardware/tables.ts';
import { Vcpu } from '../../../src/hardware/vcpu.ts';
import { firstVcpuOf, vcpuCount } from '../../../src/hardware/params.ts';
import { bootDrivers } from '../../../src/linux/drivers/tables.ts';
import { VMA_PAGES } from '../../../src/linux/designs/design.ts';
import { PTE_PRESENT, PTE_PROTNONE, pteMfn, walkToPte } from '../../../src/hardware/paging.ts';
import { runDeferred } from '../../../src/linux/drivers/workqueue.ts';
import { Mm, NO_MM } from '../../../src/linux/mm/mm.ts';
import { mmCreate, switchMm } from '../../../src/linux/mm/mm-life.ts';
import { mmapRegion } from '../../../src/linux/mm/mmap.ts';
import { mfnToLocalPfn } from '../../../src/linux/mm/p2m.ts';
import { Zone } from '../../../src/linux/mm/page-alloc.ts';
import { pageOf } from '../../../src/linux/mm/page.ts';
import { VM_OPS_ANONYMOUS } from '../../../src/linux/mm/vm-ops.ts';
import { VM_ACCESS_FLAGS, VM_READ, VM_SHARED, VM_WRITE, Vma } from '../../../src/linux/mm/vma.ts';
import { VmaNode, VmaSlot } from '../../../src/linux/mm/vma-tree.ts';
import { bootLinux } from '../../../src/linux/mm/boot.ts';
import { bootLinuxParams, linuxDefaults, linuxTables } from '../../../src/linux/tables.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import { createMachine } from '../../../src/shared/layout.ts';
import { readLocal, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import type { AnyTable, Config } from '../../../src/shared/table.ts';
import { sharedDefaults, sharedTables } from '../../../src/shared/tables.ts';
import { bootXen, xenDefaults, xenTables } from '../../../src/xen/tables.ts';

const tiny = { domains: 1, vcpusPerDomain: 4, vcpus: 4, overrideBuckets: 8 };

/**
 * Boots every domain of a machine with the given sizes in place of the defaults. The vCPUs are
 * offline afterwards, so that what runs alone waits for no answer of theirs.
 */
export function bootedMachine(sizes: Config = {}, more: readonly AnyTable[] = []): Machine {
  const config = {
    ...sharedDefaults,
    ...hardwareDefaults,
    ...xenDefaults,
    ...linuxDefaults,
    ...tiny,
    design: VMA_PAGES,
    ...sizes,
  };
  const tables = [...sharedTables, ...hardwareTables, ...xenTables, ...linuxTables, ...more];
  const machine = createMachine(tables, config);
  bootHardware(config);
  bootXen(config);
  bootLinuxParams(config);
  for (let d = 0; d < config.domains; d++) {
    const v = firstVcpuOf(d);
    if (runAlone(bootLinux(v, d)) !== 0) throw new Error(`domain ${d} does not boot`);
    bootDrivers(v, d);
  }
  setOnline(0);
  return machine;
}

/** Which vCPUs answer TLB shootdowns. @param vcpuMask - bit v: vCPU v. */
export function setOnline(vcpuMask: number): void {
  for (let v = 0; v < vcpuCount(); v++) writeLocal(Vcpu.online.at(v), (vcpuMask >> v) & 1);
}

/** Creates an address space and makes a vCPU run in it. @returns the mm. */
export function newTask(v: number): number {
  const mm = runAlone(mmCreate(v));
  if (mm === NO_MM) throw new Error('no memory for an address space');
  runAlone(switchMm(v, mm));
  return mm;
}

/** Another thread of a task: a vCPU that runs in an address space that exists. */
export function joinTask(v: number, mm: number): void {
  runAlone(switchMm(v, mm));
}

/** mmap of anonymous memory; fails the test if there is none. */
export function mapAnonymous(v: number, mm: number, vpn: number, count: number): void {
  const flags = VM_READ | VM_WRITE;
  const at = runAlone(mmapRegion(v, mm, vpn, count, flags, VM_OPS_ANONYMOUS, -1, 0));
  if (at !== vpn) throw new Error(`mmap: ${at}`);
}

/** Runs the domain's kernel thread until nothing is deferred. @param v - its vCPU. */
export function settle(v: number): void {
  while (runAlone(runDeferred(v)) > 0);
}

/** VMAs of an address space, as bounds and what a program may do, from the tree. */
export function vmasOf(mm: number): { start: number; end: number; flags: number }[] {
  const node = readLocal(Mm.vmaNode.at(mm));
  const count = readLocal(VmaNode.count.at(node));
  return Array.from({ length: count }, (_, i) => {
    const vma = readLocal(VmaSlot.vma.at2(node, i));
    const [start, end] = [readLocal(Vma.vmStart.at(vma)), readLocal(Vma.vmEnd.at(vma))];
    const same =
      start === readLocal(VmaSlot.start.at2(node, i)) &&
      end === readLocal(VmaSlot.end.at2(node, i)) &&
      readLocal(Vma.vmRefcnt.at(vma)) === 1;
    if (!same) throw new Error(`the tree's slot ${i} does not fit VMA ${vma}`);
    const flags = readLocal(Vma.flags.at(vma)) & (VM_ACCESS_FLAGS | VM_SHARED);
    return { start, end, flags };
  });
}

/** Free pages of a domain. */
export function freePages(d: number): number {
  return readLocal(Zone.free.at(d)) + readLocal(Zone.tableFree.at(d));
}

/** The page behind a user address, from the page tables alone; -1 if none. */
export function pageAt(mm: number, vpn: number): number {
  const ptep = runAlone(walkToPte(0, readLocal(Mm.root.at(mm)), vpn));
  const pte = ptep < 0 ? 0 : readLocal(ptep);
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) return -1;
  const d = readLocal(Mm.owner.at(mm));
  return pageOf(d, runAlone(mfnToLocalPfn(d, pteMfn(pte))));
}
