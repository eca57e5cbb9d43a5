/** The tables of the guest's drivers and designs, their default sizes, and their boot. */
import { runAlone } from '../../shared/operations.ts';
import type { AnyTable } from '../../shared/table.ts';
import {
  LazyBatch,
  LazyOp,
  M2pOverride,
  OverrideBucket,
  OverrideLock,
  ReplaceOp,
  initM2pOverride,
} from '../designs/m2p-override.ts';
import { bootFs } from '../fs/tables.ts';
import { initDma } from '../dma/tables.ts';
import { PageArray, PageArrayBitmap, PageSlot } from '../designs/vma-pages.ts';
import { Balloon, BalloonFrame, BalloonScratch, balloonInit } from './balloon.ts';
import { BlkfrontGrant } from './blkfront.ts';
import { DeferredBitmap, DeferredEntry, initDeferredGrants } from './deferred-grants.ts';
import { Gnttab, GnttabFrame, GnttabList, GnttabSetup, initFreeRefs } from './free-refs.ts';
import {
  Gntdev,
  GntdevBitmap,
  GrantMap,
  GrantMapBitmap,
  GrantSlot,
  MapKunmapOp,
  MapPage,
  MapUnmapOp,
} from './gntdev/grant-map.ts';
import { ClassicFile, ClassicSlot } from './gntdev/classic/slots.ts';
import { UnmapData } from './gntdev/today/unmap-data.ts';
import { TaskKmapOp, TaskMapOp, TaskPage } from './gntdev/map-pages.ts';
import {
  Gntalloc,
  GntallocFile,
  GntallocFileBitmap,
  GntallocGref,
  GntallocGrefBitmap,
  GntallocVma,
  GntallocVmaBitmap,
  initGntalloc,
} from './gntalloc/gref.ts';
import { EvtchnPort, EvtchnRing, EvtchnUser, EvtchnUserBitmap, UserEvtchn } from './evtchn/user.ts';
import { EventPort } from './events.ts';
import { CopyBatch, CopyBatchOp, CopyBatchPage } from './gntdev/grant-copy.ts';
import { NetbackCopyOp } from './netback-copy.ts';
import { NetbackPending, PendingTx, initPending } from './netback-pending.ts';
import { NetbackQueue, NetbackSlot, initNetback } from './netback.ts';
import { PfnObject } from './pfnmap.ts';
import { PageLru } from './page-lru.ts';
import { UnmapItem, UnmapOp, UnmapPage } from './unmap-async.ts';

export const driversTables: readonly AnyTable[] = [
  Gnttab,
  GnttabList,
  GnttabSetup,
  GnttabFrame,
  DeferredEntry,
  DeferredBitmap,
  Balloon,
  BalloonFrame,
  BalloonScratch,
  PageLru,
  UnmapItem,
  UnmapOp,
  UnmapPage,
  M2pOverride,
  OverrideBucket,
  OverrideLock,
  LazyBatch,
  LazyOp,
  ReplaceOp,
  PageArray,
  PageSlot,
  PageArrayBitmap,
  Gntdev,
  GntdevBitmap,
  GrantMap,
  GrantMapBitmap,
  GrantSlot,
  MapUnmapOp,
  MapKunmapOp,
  MapPage,
  UnmapData,
  ClassicFile,
  ClassicSlot,
  TaskMapOp,
  TaskKmapOp,
  TaskPage,
  Gntalloc,
  GntallocFile,
  GntallocFileBitmap,
  GntallocGref,
  GntallocGrefBitmap,
  GntallocVma,
  GntallocVmaBitmap,
  EventPort,
  EvtchnUser,
  EvtchnUserBitmap,
  EvtchnRing,
  EvtchnPort,
  UserEvtchn,
  CopyBatch,
  CopyBatchOp,
  CopyBatchPage,
  BlkfrontGrant,
  NetbackQueue,
  NetbackSlot,
  NetbackCopyOp,
  NetbackPending,
  PendingTx,
  PfnObject,
];

/** Sizes that this room adds to a configuration: enough for a tiny machine. */
export const driversDefaults = {
  /** Open files of gntdev. */
  gntdevs: 4,
  gntdevWords: 1,
  /** Grants of a file of the classic gntdev: DEFAULT_MAX_GRANTS is 128. */
  gntdevSlots: 12,
  /** Grant maps of the machine. */
  maps: 8,
  mapWords: 1,
  /** Grants of one map or one batch. */
  mapPages: 4,
  /** Page arrays of VMAs. */
  pageArrays: 8,
  pageArrayWords: 1,
  /** Grants of a domain that wait for the grantee. */
  deferredEntries: 16,
  deferredBitmapWords: 1,
  /** Open files of gntalloc. */
  gntallocs: 4,
  gntallocWords: 1,
  /** Pages that gntalloc grants. */
  grefs: 16,
  grefWords: 1,
  /** Mappings of such pages. */
  gntallocVmas: 8,
  gntallocVmaWords: 1,
  /** Operations of one grant copy of gntdev: GNTDEV_COPY_BATCH. */
  gntdevCopies: 16,
  /** Open files of /dev/xen/evtchn. */
  evtchnUsers: 2,
  evtchnUserWords: 1,
  /** Ports in the ring of one: 1024 in life. */
  evtchnRing: 8,
  /** Grants of the requests that a block frontend has in flight. */
  blkfrontGrants: 2,
  /** Packets that a network backend has in flight: MAX_PENDING_REQS, 256 in life. */
  netbackSlots: 2,
  /** Buckets of m2p_override: 1 << M2P_OVERRIDE_HASH_SHIFT in life. */
  overrideBuckets: 1024,
  /** Locks of m2p_override, if each bucket has its own: as many as buckets. */
  overrideLocks: 1,
  overrideBucketLocks: 0,
  /** Multicalls that a vCPU queues in a lazy section: MC_BATCH in life. */
  lazyOps: 32,
} as const;

/**
 * Initialises the drivers of one domain: gnttab_init(), balloon_init(), m2p_override_init(),
 * xen_swiotlb_init().
 * @param v - a vCPU of the domain, whose page allocator and kernel page tables are up.
 * @param d - its domain.
 */
export function bootDrivers(v: number, d: number): void {
  initDma(v, d);
  initFreeRefs(d);
  initDeferredGrants(d);
  initM2pOverride(d);
  initGntalloc(d);
  initNetback(d);
  initPending(d);
  bootFs(d);
  runAlone(balloonInit(v));
}
