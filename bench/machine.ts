/**
 * The machine of a lookup: the tables of the simulated rooms, sized for `entries` entries.
 *
 * Domain 0 has one process; its vCPUs are the writer (0), the readers (1 …) and the domain's kernel
 * threads (the last). Domain 1 is who grants. Both are booted by the simulated code, small; the
 * entries that are looked up are added by populate.ts, beyond the pages of the boot.
 */
import { MFN_LIMIT } from '../src/hardware/paging.ts';
import { hardwareDefaults, hardwareTables } from '../src/hardware/tables.ts';
import { linuxDefaults, linuxTables } from '../src/linux/tables.ts';
import { oracleDefaults, oracleTables } from '../src/oracle/shadow.ts';
import { ConfigError } from '../src/shared/layout.ts';
import { SLEEPER_SLOTS } from '../src/shared/processor.ts';
import { slabWords } from '../src/shared/slab.ts';
import type { AnyTable, Config } from '../src/shared/table.ts';
import { sharedDefaults, sharedTables } from '../src/shared/tables.ts';
import { Control, Run, Sleepers } from '../src/threads/control.ts';
import { xenDefaults, xenTables } from '../src/xen/tables.ts';
import type { LookupName } from './lookup-names.ts';
import { Bench, BenchArgument, BenchExpected, BenchKey } from './tables.ts';

/** What a machine is made for. */
export interface Shape {
  readonly lookup: LookupName;
  /** Entries that are looked up: 2^10 … 2^22. */
  readonly entries: number;
  /** VMAs that the entries lie in, where they lie in any. */
  readonly vmas: number;
  /** Reader threads, each with keys of its own. */
  readonly readers: number;
  /** The design of grant mapping, where it is not the lookup's own (designs/design.ts). */
  readonly design?: number;
  /** Are keys looked up in batches, where a lookup can? By default where that is faster. */
  readonly batches?: boolean;
  /** Does the oracle watch? Then the machine has its tables too. */
  readonly oracle?: boolean;
  /** Keys of each reader, a multiple of CHUNK. */
  readonly keys: number;
}

/** Keys that are looked up between two looks at the clock; their sum is checked. */
export const CHUNK = 1024;
/** A vCPU mask is one word, and domain 1 has as many as domain 0. */
export const MOST_READERS = 14;
/** Entries at most. */
export const MOST_ENTRIES = 2 ** 22;

/** The writer's vCPU. */
export const WRITER = 0;
/** The vCPU of a reader. @param r - from 0. */
export function vcpuOfReader(r: number): number {
  return 1 + r;
}

/** Pages of a map of gntdev that stands for one VMA, and of one batch of grants, at most. */
const MOST_MAP_PAGES = 2 ** 14;
/** Grants of the largest batch of an operation. */
export const MOST_BATCH = 512;
/** Data pages of each domain that its boot leaves free: for the writers. */
const SPARE_PAGES = 1280;
/** Addresses beside those of the entries: the writers'. */
const SPARE_ADDRESSES = 2 ** 16;
/** VMAs and their like beside those of the entries. */
const SPARE_VMAS = 64;
/** Records of DMA handles beside those of the entries; the first ones. */
export const SPARE_RECORDS = 64;
/** Nodes of VMA trees that may wait for a grace period. */
const NODES = 256;

/** The first address of the entries. */
export const FIRST_VPN = 4096;

/** Tables of the machine. */
export const benchTables: readonly AnyTable[] = [
  ...sharedTables,
  ...hardwareTables,
  ...xenTables,
  ...linuxTables,
  Control,
  Run,
  Sleepers,
  Bench,
  BenchKey,
  BenchExpected,
  BenchArgument,
];

/** The tables of a machine. */
export function tablesOf({ oracle }: Shape): readonly AnyTable[] {
  return oracle === true ? [...benchTables, ...oracleTables] : benchTables;
}

const DESIGN_OF: Partial<Record<LookupName, number>> = {
  'm2p-override': 1,
  'm2p-override-bucket-locks': 1,
  'find-special-page': 4,
  'vm-foreign': 6,
};
const VMA_PAGES = 2;

/** Does the design keep one object of a driver for each VMA, of a size that is fixed? */
function hasMaps(lookup: LookupName): boolean {
  return lookup === 'vm-foreign' || lookup === 'find-special-page';
}

function isGup(lookup: LookupName): boolean {
  return lookup.startsWith('gup-fast');
}

/** Entries of each writer, where what it changes is entries. */
export const SPARE_ENTRIES = 64;
const changeEntries: readonly LookupName[] = [
  'm2p-override',
  'm2p-override-bucket-locks',
  'p2m',
  'm2p',
  'dma-handles',
];

/** Entries before those that are looked up: SPARE_ENTRIES of each vCPU that may change some. */
export function writersEntries({ lookup, readers }: Shape): number {
  return changeEntries.includes(lookup) ? SPARE_ENTRIES * (1 + readers) : 0;
}

/** All entries of the machine. */
export function allEntries(shape: Shape): number {
  return writersEntries(shape) + shape.entries;
}

/** Pages of each VMA. Those of a driver's maps are bounded, as its maps are. */
export function pagesPerVma(shape: Shape): number {
  const wanted = Math.ceil(allEntries(shape) / shape.vmas);
  return hasMaps(shape.lookup) ? Math.min(wanted, MOST_MAP_PAGES) : wanted;
}

/** VMAs of the entries. */
export function vmaCount(shape: Shape): number {
  return Math.ceil(allEntries(shape) / pagesPerVma(shape));
}

/** The shape of the page tables: 4 levels of 512 entries as on x86-64, or 2 that are large. */
function paging(shape: Shape): Config {
  if (shape.lookup !== 'gup-fast-2') {
    return { ptLevels: 4, ptShift: 9, ptEntries: 512, kernelBase: 2 ** 30 };
  }
  const half = allEntries(shape) + SPARE_ADDRESSES;
  const ptShift = Math.max(9, Math.ceil(Math.log2(2 * half) / 2));
  return { ptLevels: 2, ptShift, ptEntries: 2 ** ptShift, kernelBase: 2 ** (2 * ptShift - 1) };
}

/** Sizes that the lookup decides. */
function sizesOf(shape: Shape): Config {
  const { lookup } = shape;
  const entries = allEntries(shape);
  const vmas = vmaCount(shape) + SPARE_VMAS;
  const mapPages = hasMaps(lookup) ? Math.max(MOST_BATCH, pagesPerVma(shape)) : MOST_BATCH;
  const maps = (hasMaps(lookup) ? vmaCount(shape) : 0) + SPARE_VMAS;
  const arrays = vmaCount(shape) * Math.ceil(pagesPerVma(shape) / mapPages) + SPARE_VMAS;
  const records = SPARE_RECORDS + (lookup === 'dma-handles' ? entries : 0);
  const handles = lookup === 'maptrack' ? entries : 0;
  const maptrackFrames = Math.ceil(handles / 256) + 32;
  return {
    vmas,
    vmaSlots: vmas,
    vmaNodes: NODES,
    mapPages,
    maps,
    mapWords: slabWords(maps),
    pageArrays: arrays,
    pageArrayWords: slabWords(arrays),
    maptrackPerFrame: 256,
    maptrackFrames,
    maptrackEntries: maptrackFrames * 256,
    dmaHandleRecords: records,
    dmaHandleWords: slabWords(records),
    dmaHandleBits: Math.max(12, Math.ceil(Math.log2(records))),
    overrideBucketLocks: lookup === 'm2p-override-bucket-locks' ? 1 : 0,
    design: shape.design ?? DESIGN_OF[lookup] ?? VMA_PAGES,
  };
}

/**
 * Entries that have a frame of their own. Page-table entries hold 22 bits of a frame's number, and
 * the guests need some themselves: of 2^22 entries the last 1 % are the first ones again.
 */
export function distinctEntries(config: Config): number {
  const at = (key: string): number => config[key] as number;
  return at('frames') - at('ptFrames') - 2 * at('bootPages');
}

/** All sizes of the machine for a shape. @throws ConfigError for a shape that is none. */
export function benchConfig(shape: Shape): Config {
  const { entries, readers, keys } = shape;
  if (entries < 1 || entries > MOST_ENTRIES) {
    throw new ConfigError(`entries must be 1 … ${MOST_ENTRIES}, not ${entries}`);
  }
  if (readers < 1 || readers > MOST_READERS) {
    throw new ConfigError(`readers must be 1 … ${MOST_READERS}, not ${readers}`);
  }
  if (keys % CHUNK !== 0) throw new ConfigError(`keys must be a multiple of ${CHUNK}, not ${keys}`);
  const tables = paging(shape);
  const all = allEntries(shape);
  const leaves = isGup(shape.lookup) ? Math.ceil(all / (tables['ptEntries'] as number)) : 0;
  const tablePages = leaves + Math.ceil(leaves / 512) + 96;
  const bootPages = tablePages + SPARE_PAGES;
  const ptFrames = 8 + 2 * tablePages;
  const vcpusPerDomain = readers + 2;
  return {
    ...sharedDefaults,
    ...hardwareDefaults,
    ...xenDefaults,
    ...linuxDefaults,
    ...(shape.oracle === true ? oracleDefaults : {}),
    ...tables,
    domains: 2,
    vcpusPerDomain,
    vcpus: 2 * vcpusPerDomain,
    tlbEntries: 64,
    frameWords: 4,
    tablePages,
    bootPages,
    pagesPerDomain: bootPages + all,
    ptFrames,
    frames: Math.min(MFN_LIMIT, ptFrames + 2 * bootPages + all),
    gnttabFrames: 8,
    gnttabPerFrame: 512,
    gnttabInitialFrames: 8,
    gnttabEntries: 8 * 512,
    gnttabV2Entries: 8 * 256,
    gnttabStatusPerFrame: 2048,
    gnttabStatusFrames: 1,
    gntdevs: 1 + readers,
    gntdevWords: 1,
    gntdevSlots: MOST_BATCH,
    notifiers: SPARE_VMAS,
    gatherPages: 64,
    gatherTables: 16,
    rcuCallbacks: 4096,
    delayedWorks: 1024,
    overrideBuckets: 1024,
    overrideLocks: 1024,
    ...sizesOf(shape),
    actors: 1 + readers,
    sleeperSlots: SLEEPER_SLOTS,
    readers,
    keys,
    chunks: keys / CHUNK,
    benchArguments: 32 * MOST_BATCH,
  };
}
