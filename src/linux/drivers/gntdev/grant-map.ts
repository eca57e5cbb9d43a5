/**
 * The objects of gntdev: open files and grant maps (drivers/xen/gntdev.c: struct gntdev_priv,
 * struct gntdev_grant_map), as the generations with maps have them; the one before is classic/.
 *
 * Gntdev.lock      protects the lists of maps. A spinlock up to 3.19; a mutex where unmapping can
 *                  sleep (1401c00e59ea). Both kinds lie in a word of their own.
 * GrantMap.users   the list's reference, one for each VMA, and today one for each unmap that is
 *                  under way; with the last one the map is freed
 * MapUnmapOp, MapKunmapOp   how each grant is unmapped, from the user and the kernel address. Its
 *                  handle says whether it is mapped. Written by mmap before anybody sees the VMA,
 *                  afterwards by who unmaps: under Gntdev.lock, or today, without a lock, by who
 * set
 *                  GrantSlot.beingRemoved.
 *
 * Generations      by-vma/ Linux 3.12 and 4.0: the VMA that a map is mapped in, one notifier a file
 *                  draft-b/ the proposal: the page array of the VMA, one notifier a map
 *                  today/ 7.0: the address range of the map, one notifier a map, asynchronous unmap
 *
 * Not modelled: up to 5.4 the limit of mapped pages of all files, HVM guests, dma-buf.
 */
import { mutexLock, mutexUnlock } from '../../../shared/mutex.ts';
import type { Op } from '../../../shared/op.ts';
import { fetchAdd, read, write } from '../../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../../shared/spinlock.ts';
import { defineTable } from '../../../shared/table.ts';
import { evtchnSend } from '../../../xen/event-channel.ts';
import { M2P_OVERRIDE, design } from '../../designs/design.ts';
import { NO_PAGE } from '../../mm/page.ts';
import { VM_DONTCOPY, VM_DONTDUMP, VM_DONTEXPAND, VM_MIXEDMAP } from '../../mm/vma.ts';
import { allocBalloonedPages, freeBalloonedPages } from '../balloon.ts';
import { evtchnPut } from '../events.ts';
import { listAddTail } from '../list.ts';
import { INVALID_GRANT_HANDLE } from '../map-refs.ts';
import { UNMAP_NOTIFY_SEND_EVENT } from '../../uapi/gntdev.ts';

/**
 * What gntdev_mmap() makes of a VMA on a PV guest: it is not copied by fork, since its entries are
 * grants of this process, does not grow, and is in no core dump.
 */
export const GNTDEV_VM_FLAGS = VM_DONTEXPAND | VM_DONTDUMP | VM_MIXEDMAP | VM_DONTCOPY;

/** No map: the null pointer. */
export const NO_MAP = -1;

export const Gntdev = defineTable(
  'gntdev[%]',
  ['gntdevs'],
  {
    spin: '[GST] spinlock of the lists, 3.12',
    mutex: '[GST] mutex of the lists, where unmapping sleeps',
    users: '[GST] references of the open file: the descriptor and one for each VMA',
    mm: '[GST] address space that opened it; constant',
    notifier: '[GST] 3.12: MMU notifier of the whole address space; constant',
    mapsNext: '[GST] head of the maps with visible offsets: first',
    mapsPrev: '[GST] head of the maps with visible offsets: last',
    freeableNext: '[GST] head of the maps that go with their VMAs: first',
    freeablePrev: '[GST] head of the maps that go with their VMAs: last',
  },
  { lineAligned: true, watched: true },
);

export const GntdevBitmap = defineTable('gntdev_bitmap[%]', ['gntdevWords'], {
  value: '[GST] open files in use (kmalloc)',
});

export const GrantMap = defineTable(
  'grant_map[%]',
  ['maps'],
  {
    next: '[GST] list of its file: next node',
    prev: '[GST] list of its file: previous node',
    users: '[GST] references',
    gntdev: '[GST] file that it belongs to; constant',
    index: '[GST] first page offset in the file; constant once it is on the list',
    count: '[GST] grants; constant',
    flags: '[GST] GNTMAP_* of its mappings, 0 until it was mapped once',
    vma: '[GST] 3.12, 4.0: VMA that it is mapped in, -1 if none',
    array: '[GST] Draft B: page array of its VMAs, -1 while it is not mapped',
    inUse: '[GST] today: 1 once it was mapped; for good',
    pagesVmStart: '[GST] 4.0, today: vpn of its first page when it was mapped',
    notifier: '[GST] Draft B, today: interval notifier of its range, -1 if none',
    liveGrants: '[GST] user and kernel handles that are mapped',
    notifyFlags: '[GST] UNMAP_NOTIFY_*',
    notifyPage: '[GST] page of the map whose word is cleared',
    notifyOffset: '[GST] word of that page',
    notifyPort: '[GST] event channel to send to',
  },
  { lineAligned: true, watched: true },
);

export const GrantMapBitmap = defineTable('grant_map_bitmap[%]', ['mapWords'], {
  value: '[GST] maps in use (kmalloc)',
});

export const GrantSlot = defineTable('grant_map[%].grant[%]', ['maps', 'mapPages'], {
  domid: '[GST] who grants it',
  ref: '[GST] grant reference',
  beingRemoved: '[GST] today: 1 once somebody unmaps it; for good',
});

export const MapUnmapOp = defineTable('grant_map[%].unmap_ops[%]', ['maps', 'mapPages'], {
  hostAddr: '[GST] word of the user PTE',
  devBusAddr: '[GST] 0',
  handle: '[GST] of the user mapping, -1 if not mapped',
  status: '[XEN] GNTST_*',
});

export const MapKunmapOp = defineTable('grant_map[%].kunmap_ops[%]', ['maps', 'mapPages'], {
  hostAddr: '[GST] vpn in the direct map',
  devBusAddr: '[GST] 0',
  handle: '[GST] of the kernel mapping, -1 if not mapped',
  status: '[XEN] GNTST_*',
});

export const MapPage = defineTable('grant_map[%].pages[%]', ['maps', 'mapPages'], {
  value: '[GST] ballooned page over which the grant is mapped; constant while the map lives',
});

/** Locks the lists of a file. @param fd - file. */
export function* gntdevLock(fd: number): Op<void> {
  if (design() === M2P_OVERRIDE) yield* spinLock(Gntdev.spin.at(fd));
  else yield* mutexLock(Gntdev.mutex.at(fd));
}

/** Unlocks the lists of a file. @param fd - file. */
export function* gntdevUnlock(fd: number): Op<void> {
  if (design() === M2P_OVERRIDE) yield* spinUnlock(Gntdev.spin.at(fd));
  else yield* mutexUnlock(Gntdev.mutex.at(fd));
}

/** container_of(): the map of a list node. */
export function mapOfNode(node: number): number {
  return ((node - GrantMap.next.word) / GrantMap.next.stride) | 0;
}

/**
 * drivers/xen/gntdev.c: gntdev_alloc_map()
 * @param v - vCPU. @param fd - file. @param count - grants.
 * @returns a map with one reference and pages, on no list; NO_MAP if there is no memory.
 */
export function* gntdevAllocMap(v: number, fd: number, count: number): Op {
  if (count > MapPage.value.count) return NO_MAP;
  const map = yield* slabAlloc(GrantMapBitmap.value.word, GrantMap.users.count);
  if (map < 0) return NO_MAP;
  for (let i = 0; i < count; i++) yield* write(MapPage.value.at2(map, i), NO_PAGE);
  if ((yield* allocBalloonedPages(v, count, MapPage.value.at2(map, 0))) !== 0) {
    yield* slabFree(GrantMapBitmap.value.word, map);
    return NO_MAP;
  }
  for (let i = 0; i < count; i++) {
    yield* write(GrantSlot.beingRemoved.at2(map, i), 0);
    yield* write(MapUnmapOp.handle.at2(map, i), INVALID_GRANT_HANDLE);
    yield* write(MapKunmapOp.handle.at2(map, i), INVALID_GRANT_HANDLE);
  }
  yield* write(GrantMap.gntdev.at(map), fd);
  yield* write(GrantMap.index.at(map), 0);
  yield* write(GrantMap.count.at(map), count);
  yield* write(GrantMap.flags.at(map), 0);
  yield* write(GrantMap.vma.at(map), -1);
  yield* write(GrantMap.array.at(map), -1);
  yield* write(GrantMap.inUse.at(map), 0);
  yield* write(GrantMap.pagesVmStart.at(map), 0);
  yield* write(GrantMap.notifier.at(map), -1);
  yield* write(GrantMap.liveGrants.at(map), 0);
  yield* write(GrantMap.notifyFlags.at(map), 0);
  yield* write(GrantMap.users.at(map), 1);
  return map;
}

/**
 * drivers/xen/gntdev.c: gntdev_add_map(): at the first offset where it fits. Caller holds the lock.
 * @param fd - file. @param map - new map.
 */
export function* gntdevAddMap(fd: number, map: number): Op<void> {
  const head = Gntdev.mapsNext.at(fd);
  const count = yield* read(GrantMap.count.at(map));
  let index = 0;
  let node = yield* read(head);
  while (node !== head) {
    const other = mapOfNode(node);
    const start = yield* read(GrantMap.index.at(other));
    if (index + count < start) break;
    index = start + (yield* read(GrantMap.count.at(other)));
    node = yield* read(node);
  }
  yield* write(GrantMap.index.at(map), index);
  yield* listAddTail(GrantMap.next.at(map), node);
}

/**
 * drivers/xen/gntdev.c: gntdev_find_map_index(). The caller holds the lock.
 * @param index - page offset in the file. @param count - pages that must match, 0 for any.
 * @returns map, or NO_MAP.
 */
export function* gntdevFindMapIndex(fd: number, index: number, count: number): Op {
  const head = Gntdev.mapsNext.at(fd);
  let node = yield* read(head);
  while (node !== head) {
    const map = mapOfNode(node);
    if (
      (yield* read(GrantMap.index.at(map))) === index &&
      (count === 0 || (yield* read(GrantMap.count.at(map))) === count)
    ) {
      return map;
    }
    node = yield* read(node);
  }
  return NO_MAP;
}

/** atomic_inc(&map->users). @param map - map that the caller has a reference of, or its lock. */
export function* gntdevGetMap(map: number): Op<void> {
  yield* fetchAdd(GrantMap.users.at(map), 1);
}

/** UNMAP_NOTIFY_SEND_EVENT, when the last reference of a map is gone. */
export function* gntdevSendNotifyEvent(v: number, map: number): Op<void> {
  if (((yield* read(GrantMap.notifyFlags.at(map))) & UNMAP_NOTIFY_SEND_EVENT) === 0) return;
  const port = yield* read(GrantMap.notifyPort.at(map));
  yield* evtchnSend(v, port);
  yield* evtchnPut(v, port);
}

/** drivers/xen/gntdev.c: gntdev_free_map(). @param map - map without references, on no list. */
export function* gntdevFreeMap(v: number, map: number): Op<void> {
  const count = yield* read(GrantMap.count.at(map));
  yield* freeBalloonedPages(v, count, MapPage.value.at2(map, 0));
  yield* slabFree(GrantMapBitmap.value.word, map);
}
