/**
 * Boot constants of a machine as words, so that simulated code on any thread reads them: sizes,
 * the shape of the page tables, and the switches of the kernel under study. Written once at boot
 * (tables.ts: bootParams), never afterwards; reading one is no preemption point.
 *
 * A key of the configuration and the field of the same name are the same number. Switches are 0
 * (off) or 1 (on).
 */
import { readLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';

export const Params = defineTable('params', [], {
  domains: '[BOOT] number of domains',
  vcpusPerDomain: '[BOOT] vCPUs of each domain; the last is for its kernel threads',
  vcpus: '[BOOT] vCPUs of the machine: domains * vcpusPerDomain, at most 32',
  devices: '[BOOT] number of devices that do DMA',
  frames: '[BOOT] machine frames: mfns are [0, frames)',
  ptFrames: '[BOOT] mfns below it can hold page tables',
  ptShift: '[BOOT] log2 of the entries of a page table: 9 as on x86, less in tiny machines',
  ptLevels: '[BOOT] levels of a page-table tree: 4 as on x86-64, less in tiny machines',
  ptEntries: '[BOOT] entries of a page table: 1 << ptShift',
  frameWords: '[BOOT] words of a frame that are kept: what a page has bytes, 4096 in life',
  tlbEntries: '[BOOT] translations a TLB holds',
  iotlbEntries: '[BOOT] translations the IOTLB of a device holds',
  pagesPerDomain: '[BOOT] pseudo-physical pages (pfns) of a domain',
  kernelBase: '[BOOT] first vpn of the kernel half: kernelBase + pfn is the direct map',
  iommu: '[BOOT] switch: DMA is translated and refused where nothing is mapped',
  flushHypercall: '[BOOT] switch: guests flush TLBs by hypercall (Xen PV) and not by IPI',
  design: '[BOOT] design of grant mapping: see src/linux/designs/design.ts',
  secondMapping: '[BOOT] switch: workloads map some frames twice into one domain',
  lateDma: '[BOOT] switch: the network stack reads pages after the completion was reported',
  split: '[BOOT] switch: workloads split mappings by partial munmap and mprotect',
  nonCoherent: '[BOOT] switch: CPUs keep frames in a cache that DMA does not see (cache.ts)',
});

export function domainCount(): number {
  return readLocal(Params.domains.word);
}

export function vcpusPerDomain(): number {
  return readLocal(Params.vcpusPerDomain.word);
}

export function vcpuCount(): number {
  return readLocal(Params.vcpus.word);
}

export function frameCount(): number {
  return readLocal(Params.frames.word);
}

export function ptFrameCount(): number {
  return readLocal(Params.ptFrames.word);
}

export function ptShift(): number {
  return readLocal(Params.ptShift.word);
}

export function ptLevels(): number {
  return readLocal(Params.ptLevels.word);
}

export function ptEntryCount(): number {
  return readLocal(Params.ptEntries.word);
}

export function frameWordCount(): number {
  return readLocal(Params.frameWords.word);
}

export function pagesPerDomain(): number {
  return readLocal(Params.pagesPerDomain.word);
}

export function kernelBase(): number {
  return readLocal(Params.kernelBase.word);
}

export function flushHypercall(): number {
  return readLocal(Params.flushHypercall.word);
}

/** The domain that a vCPU belongs to. @param v - machine-wide vCPU number. */
export function domainOf(v: number): number {
  return (v / vcpusPerDomain()) | 0;
}

/** A domain's first vCPU. @param d - domain number. */
export function firstVcpuOf(d: number): number {
  return d * vcpusPerDomain();
}

/** The vCPU that runs a domain's kernel threads. @param d - domain number. */
export function kernelVcpuOf(d: number): number {
  return (d + 1) * vcpusPerDomain() - 1;
}
