/**
 * The whole machine: the tables of all rooms, its sizes, and how it is built. Two sets of sizes are
 * kept: a tiny one, which exploration can exhaust, and one with the limits of life.
 */
import { bootHardware, hardwareDefaults, hardwareTables } from '../hardware/tables.ts';
import { bootLinuxParams, linuxDefaults, linuxTables } from '../linux/tables.ts';
import type { Machine } from '../shared/layout.ts';
import { createMachine } from '../shared/layout.ts';
import type { AnyTable, Config } from '../shared/table.ts';
import { sharedDefaults, sharedTables } from '../shared/tables.ts';
import { bootXen, xenDefaults, xenTables } from '../xen/tables.ts';
import { bootDomains, bootWorkload, takeAllOffline } from './boot.ts';
import { actorsDefaults, actorsTables, withDerivedSizes } from './tables.ts';

/** The tables of all that is simulated. */
export const machineTables: readonly AnyTable[] = [
  ...sharedTables,
  ...hardwareTables,
  ...xenTables,
  ...linuxTables,
  ...actorsTables,
];

const defaults: Config = {
  ...sharedDefaults,
  ...hardwareDefaults,
  ...xenDefaults,
  ...linuxDefaults,
  ...actorsDefaults,
};

/** Two domains of one worker each, two-level page tables of 8 entries, frames of 2 words. */
export const tinySizes: Config = {
  ...defaults,
  domains: 2,
  vcpusPerDomain: 3,
  frames: 80,
  ptFrames: 32,
  pagesPerDomain: 24,
  tablePages: 12,
  gnttabInitialFrames: 2,
  overrideBuckets: 8,
  secondMapping: 1,
  lateDma: 1,
  split: 1,
};

/**
 * Four-level page tables of 512 entries; 64 frames of 512 grants and 1024 of 256 handles for each
 * domain; rings of 32 requests.
 */
export const realSizes: Config = {
  ...defaults,
  domains: 2,
  vcpusPerDomain: 4,
  ptShift: 9,
  ptEntries: 512,
  ptLevels: 4,
  kernelBase: 2 ** 30,
  pagesPerDomain: 2048,
  tablePages: 64,
  ptFrames: 256,
  frames: 8192,
  frameWords: 8,
  tlbEntries: 64,
  iotlbEntries: 64,
  gnttabFrames: 64,
  gnttabPerFrame: 512,
  gnttabInitialFrames: 64,
  gnttabEntries: 64 * 512,
  gnttabV2Entries: 64 * 256,
  gnttabStatusPerFrame: 2048,
  gnttabStatusFrames: 8,
  maptrackFrames: 1024,
  maptrackPerFrame: 256,
  maptrackEntries: 1024 * 256,
  ringSlots: 32,
  segments: 8,
  aioRequests: 4,
  netSlots: 16,
  netbackSlots: 16,
  mapPages: 16,
  mms: 16,
  vmas: 64,
  vmaSlots: 16,
  vmaNodes: 256,
  gatherPages: 64,
  gatherTables: 16,
  maps: 64,
  mapWords: 2,
  pageArrays: 64,
  pageArrayWords: 2,
  gntdevs: 16,
  gntdevSlots: 128,
  deferredEntries: 512,
  deferredBitmapWords: 16,
  overrideBuckets: 1024,
  secondMapping: 1,
  lateDma: 1,
  split: 1,
};

/** All sizes of a machine, from the ones that were chosen. */
export function machineConfig(sizes: Config): Config {
  return withDerivedSizes(sizes);
}

/** Boots hypervisor, guests and a workload on the attached machine. @param config - its sizes. */
export function bootMachine(workload: string, config: Config): void {
  bootHardware(config);
  takeAllOffline(config);
  bootXen(config);
  bootLinuxParams(config);
  bootDomains(config);
  bootWorkload(workload, config);
}

/**
 * Makes a machine that runs a workload, booted and attached.
 * @param workload - name of a workload. @param sizes - see machineConfig.
 * @param tables - tables besides those of the simulated rooms.
 */
export function buildMachine(
  workload: string,
  sizes: Config,
  tables: readonly AnyTable[] = [],
): Machine {
  const config = machineConfig(sizes);
  const machine = createMachine([...machineTables, ...tables], config);
  bootMachine(workload, config);
  return machine;
}
