/** The tables of the hypervisor room, their default sizes, and its boot. */
import { bootParams } from '../hardware/tables.ts';
import { firstVcpuOf, vcpusPerDomain } from '../hardware/params.ts';
import { ConfigError } from '../shared/layout.ts';
import { runAlone, writeLocal } from '../shared/operations.ts';
import type { AnyTable, Config } from '../shared/table.ts';
import { Domain } from './domain.ts';
import { ActiveEntry } from './grant-table/active.ts';
import { EventLock, Evtchn } from './event-channel.ts';
import { CopyBuf } from './grant-table/copy.ts';
import { GrantEntry, GrantStatus, GrantStatusFrame } from './grant-table/entry.ts';
import { MaptrackTree } from './grant-table/iommu-tree.ts';
import { GrantTable } from './grant-table/lock.ts';
import { MAPTRACK_TAIL, Maptrack, MaptrackFreelist, MaptrackPage } from './grant-table/maptrack.ts';
import { UnmapCommon } from './grant-table/unmap.ts';
import { ReservedEntry } from './grant-table/version.ts';
import { M2p } from './m2p.ts';
import { P2mPaging } from './mem-paging.ts';
import { Heap, initHeap } from './page-alloc.ts';
import { PageInfo } from './page-info.ts';
import { XenParams } from './params.ts';
import { P2mLock, Physmap } from './physmap.ts';
import { SharedInfo, VcpuInfo } from './shared-info.ts';

export const xenTables: readonly AnyTable[] = [
  XenParams,
  Domain,
  Heap,
  PageInfo,
  M2p,
  P2mPaging,
  Physmap,
  P2mLock,
  GrantTable,
  Maptrack,
  MaptrackPage,
  MaptrackFreelist,
  MaptrackTree,
  UnmapCommon,
  CopyBuf,
  ReservedEntry,
  EventLock,
  Evtchn,
  SharedInfo,
  VcpuInfo,
  GrantStatusFrame,
  GrantEntry,
  GrantStatus,
  ActiveEntry,
];

/**
 * A tiny machine: two frames of 16 grants (8 of version 2, with one status frame each), four of
 * four handles, for each domain.
 */
export const xenDefaults = {
  gnttabFrames: 2,
  gnttabPerFrame: 16,
  gnttabInitialFrames: 1,
  gnttabEntries: 32,
  gnttabV2Entries: 16,
  gnttabStatusPerFrame: 8,
  gnttabStatusFrames: 2,
  gnttabMaxVersion: 2,
  gnttabTransitive: 1,
  gnttabTransfer: 1,
  maptrackFrames: 4,
  maptrackPerFrame: 4,
  maptrackEntries: 16,
  unmapBatch: 32,
  copyBuffers: 2,
  ports: 32,
  evtchnWords: 1,
  cacheFlush: 0,
  directMapped: 0,
  debug: 1,
  maxPages: 0,
  reservedEntries: 8,
  physmapGfns: 4,
  translatedDomains: 0,
};

/** Refuses sizes that contradict each other. @throws ConfigError. */
function checkXenSizes(config: Config): void {
  const at = (key: string): number => config[key] ?? 0;
  if (at('gnttabEntries') !== at('gnttabFrames') * at('gnttabPerFrame')) {
    throw new ConfigError('gnttabEntries must be gnttabFrames * gnttabPerFrame');
  }
  if (2 * at('gnttabV2Entries') !== at('gnttabEntries')) {
    throw new ConfigError('gnttabV2Entries must be gnttabEntries / 2');
  }
  if (at('gnttabStatusFrames') * at('gnttabStatusPerFrame') < at('gnttabV2Entries')) {
    throw new ConfigError('gnttabStatusFrames * gnttabStatusPerFrame must hold gnttabV2Entries');
  }
  if (at('maptrackEntries') !== at('maptrackFrames') * at('maptrackPerFrame')) {
    throw new ConfigError('maptrackEntries must be maptrackFrames * maptrackPerFrame');
  }
  if (at('ports') > 32 * at('evtchnWords')) {
    throw new ConfigError('ports must not exceed 32 * evtchnWords');
  }
}

/**
 * Boots the hypervisor of the attached machine, after bootHardware: all frames free, every domain
 * exists with an empty grant table and no memory.
 */
export function bootXen(config: Config): void {
  checkXenSizes(config);
  bootParams(XenParams.shape, config);
  runAlone(initHeap());
  const maxPages = config['maxPages'] || (config['frames'] ?? 0);
  for (let d = 0; d < (config['domains'] ?? 0); d++) {
    writeLocal(Domain.inList.at(d), 1);
    writeLocal(Domain.needIommu.at(d), config['iommu'] ?? 0);
    writeLocal(Domain.maxPages.at(d), maxPages);
    writeLocal(Domain.translated.at(d), ((config['translatedDomains'] ?? 0) >> d) & 1);
    writeLocal(GrantTable.gtVersion.at(d), 1);
    writeLocal(GrantTable.maxVersion.at(d), config['gnttabMaxVersion'] ?? 2);
    writeLocal(GrantTable.nrGrantFrames.at(d), config['gnttabInitialFrames'] ?? 0);
    writeLocal(GrantTable.maxGrantFrames.at(d), config['gnttabFrames'] ?? 0);
    writeLocal(GrantTable.maxMaptrackFrames.at(d), config['maptrackFrames'] ?? 0);
    for (let v = firstVcpuOf(d); v < firstVcpuOf(d) + vcpusPerDomain(); v++) {
      writeLocal(MaptrackFreelist.head.at(v), MAPTRACK_TAIL);
      writeLocal(MaptrackFreelist.tail.at(v), MAPTRACK_TAIL);
    }
  }
}
