/**
 * The tables of the hardware room, their default sizes, and the boot of the machine's constants.
 */
import type { Config, TableShape } from '../shared/table.ts';
import { ConfigError } from '../shared/layout.ts';
import { writeLocal } from '../shared/operations.ts';
import { CacheLine } from './cache.ts';
import { Device, Iommu, Iotlb } from './iommu.ts';
import { FrameWord, MFN_LIMIT, PtWord } from './paging.ts';
import { Params } from './params.ts';
import { Call, CallQueue, Shootdown } from './shootdown.ts';
import { Tlb } from './tlb.ts';
import { Vcpu, VcpuReg } from './vcpu.ts';

export const hardwareTables = [
  Params,
  Vcpu,
  VcpuReg,
  Tlb,
  Shootdown,
  CallQueue,
  Call,
  Iommu,
  Device,
  Iotlb,
  PtWord,
  FrameWord,
  CacheLine,
];

/**
 * A tiny machine: two domains of two vCPUs, two-level page tables of 8 entries (vpns 0–63, the
 * upper half kernel), 64 frames of 2 words.
 */
export const hardwareDefaults = {
  domains: 2,
  vcpusPerDomain: 2,
  vcpus: 4,
  devices: 1,
  frames: 64,
  ptFrames: 32,
  ptShift: 3,
  ptLevels: 2,
  ptEntries: 8,
  frameWords: 2,
  tlbEntries: 8,
  iotlbEntries: 4,
  regs: 32,
  pagesPerDomain: 16,
  kernelBase: 32,
  iommu: 0,
  flushHypercall: 1,
  nonCoherent: 0,
  /** Frames that the CPUs' cache can hold: `frames` where DMA does not see the cache. */
  cacheFrames: 1,
} as const;

/**
 * Copies configuration keys into the table fields of the same name; missing keys are 0.
 * @param shape - shape of a table without dimensions, such as Params.
 */
export function bootParams(shape: TableShape, config: Config): void {
  for (const field of shape.fields) writeLocal(field.word, config[field.name] ?? 0);
}

/** Writes the constants of the attached machine and puts its vCPUs online. */
export function bootHardware(config: Config): void {
  checkSizes(config);
  bootParams(Params.shape, config);
  for (let v = 0; v < (config['vcpus'] ?? 0); v++) writeLocal(Vcpu.online.at(v), 1);
}

/** Refuses sizes that contradict each other. @throws ConfigError. */
export function checkSizes(config: Config): void {
  const at = (key: string): number => config[key] ?? 0;
  if (at('vcpus') !== at('domains') * at('vcpusPerDomain')) {
    throw new ConfigError('vcpus must be domains * vcpusPerDomain');
  }
  if (at('vcpus') > 32) throw new ConfigError(`at most 32 vCPUs, not ${at('vcpus')}`);
  if (at('ptEntries') !== 1 << at('ptShift')) {
    throw new ConfigError('ptEntries must be 1 << ptShift');
  }
  if (at('ptFrames') > at('frames')) throw new ConfigError('ptFrames must not exceed frames');
  if (at('nonCoherent') !== 0 && at('cacheFrames') !== at('frames')) {
    throw new ConfigError('with nonCoherent, cacheFrames must be frames');
  }
  if (at('frames') > MFN_LIMIT) throw new ConfigError(`at most ${MFN_LIMIT} frames`);
}
