/**
 * Maptrack: what a domain has mapped of others, by handle (xen/common/grant_table.c: struct
 * grant_mapping, get_maptrack_handle(), put_maptrack_handle(), steal_maptrack_handle()).
 *
 * Free handles are on singly linked lists, one a vCPU, linked through `ref`, MAPTRACK_TAIL at the
 * end. One handle always stays on a list that has had any, so a put touches only the tail.
 *   get:  own list, from the head → a new page, under maptrackLock → steal from another vCPU.
 *   put:  1. the handle's ref = MAPTRACK_TAIL. 2. list of the vCPU it is at home with: tail =
 *         handle. 3. old tail's ref = handle. A stolen handle is at home with the thief.
 *
 * Publishing a page of handles: 1. fields. 2. page pointer. 3. write barrier. 4. limit. 5. the
 * handles at the head of the list. A reader: handle below limit, read barrier, page pointer.
 * Publishing a mapping: 1. domid, ref. 2. write barrier. 3. flags. A reader looks at flags first.
 *
 * Who may write: flags, ref, domid of a handle in transit (got, not yet published) the vCPU that
 * got it; of a live handle whoever holds the active entry's lock; ref of a free one its list's
 * lock; `vcpu` the thief.
 */
import { domainOf, firstVcpuOf, vcpusPerDomain } from '../../hardware/params.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import type { Op } from '../../shared/op.ts';
import { choose, read, readOnce, smpRmb, smpWmb, warnOn, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { BUG_MAPTRACK_PAGE } from '../bugs.ts';
import { maptrackPerFrame } from '../params.ts';
import { GrantTable } from './lock.ts';

/** Ends a free list; and head and tail of a list that never had a handle. */
export const MAPTRACK_TAIL = -1;
/** No handle. */
export const INVALID_MAPTRACK_HANDLE = -1;

export const Maptrack = defineTable('maptrack[d%].entry[%]', ['domains', 'maptrackEntries'], {
  ref: '[XEN] grant reference of the granting domain; of a free handle the next free one',
  flags: '[XEN] GNTMAP_* of a live mapping, 0 if the handle is not in use; stored last',
  domid: '[XEN] granting domain',
  vcpu: '[XEN] vCPU on whose list the handle goes when it is free',
});

export const MaptrackPage = defineTable('maptrack[d%].page[%]', ['domains', 'maptrackFrames'], {
  value: '[XEN] pointer to the page: 1 + its first handle, 0 while it is not allocated',
});

export const MaptrackFreelist = defineTable(
  '%v.maptrack_freelist',
  ['vcpus'],
  {
    head: '[XEN] first free handle; lock protects it',
    tail: '[XEN] last free handle; lock protects it, the vCPU itself reads it without',
    lock: '[XEN] spinlock, innermost',
  },
  { lineAligned: true },
);

/**
 * xen/common/grant_table.c: maptrack_entry(): follows the pointer to the handle's page.
 * @param d - mapping domain. @param handle - below the limit.
 * @returns the handle, good as an index of Maptrack.
 */
export function* maptrackEntry(d: number, handle: number): Op {
  const page = (handle / maptrackPerFrame()) | 0;
  const pointer = yield* read(MaptrackPage.value.at2(d, page));
  warnOn(pointer === 0, BUG_MAPTRACK_PAGE, d, handle);
  return handle;
}

/**
 * xen/common/grant_table.c: unmap_common(), its beginning: the mapping behind a guest's handle. No
 * lock is held, so it may be gone at once; who unmaps looks again under the active entry's lock.
 * @param d - mapping domain. @param handle - what the guest says.
 * @returns index of Maptrack, or INVALID_MAPTRACK_HANDLE if the handle is of no live mapping.
 */
export function* maptrackLookup(d: number, handle: number): Op {
  const limit = yield* read(GrantTable.maptrackLimit.at(d));
  if (handle < 0 || handle >= limit) return INVALID_MAPTRACK_HANDLE;
  yield* smpRmb();
  const map = yield* maptrackEntry(d, handle);
  const flags = yield* readOnce(Maptrack.flags.at2(d, map));
  return flags === 0 ? INVALID_MAPTRACK_HANDLE : map;
}

/** xen/common/grant_table.c: _get_maptrack_handle(). @param v - vCPU whose list is asked. */
export function* _getMaptrackHandle(d: number, v: number): Op {
  yield* spinLock(MaptrackFreelist.lock.at(v));
  const head = yield* read(MaptrackFreelist.head.at(v));
  if (head === MAPTRACK_TAIL) {
    yield* spinUnlock(MaptrackFreelist.lock.at(v));
    return INVALID_MAPTRACK_HANDLE;
  }
  const next = yield* read(Maptrack.ref.at2(d, yield* maptrackEntry(d, head)));
  if (next !== MAPTRACK_TAIL) yield* write(MaptrackFreelist.head.at(v), next);
  yield* spinUnlock(MaptrackFreelist.lock.at(v));
  return next === MAPTRACK_TAIL ? INVALID_MAPTRACK_HANDLE : head;
}

/** xen/common/grant_table.c: steal_maptrack_handle(). @param v - the thief. */
export function* stealMaptrackHandle(d: number, v: number): Op {
  const count = vcpusPerDomain();
  const first = yield* choose(count);
  for (let i = 0; i < count; i++) {
    const victim = firstVcpuOf(d) + ((first + i) % count);
    const handle = yield* _getMaptrackHandle(d, victim);
    if (handle !== INVALID_MAPTRACK_HANDLE) {
      yield* write(Maptrack.vcpu.at2(d, yield* maptrackEntry(d, handle)), v);
      return handle;
    }
  }
  return INVALID_MAPTRACK_HANDLE;
}

/** No room for a new page: steal, on the first time one more as the list's sentinel. */
function* stealForList(d: number, v: number): Op {
  if ((yield* read(MaptrackFreelist.tail.at(v))) === MAPTRACK_TAIL) {
    const sentinel = yield* stealMaptrackHandle(d, v);
    if (sentinel === INVALID_MAPTRACK_HANDLE) return sentinel;
    yield* spinLock(MaptrackFreelist.lock.at(v));
    yield* write(Maptrack.ref.at2(d, yield* maptrackEntry(d, sentinel)), MAPTRACK_TAIL);
    yield* write(MaptrackFreelist.tail.at(v), sentinel);
    if ((yield* read(MaptrackFreelist.head.at(v))) === MAPTRACK_TAIL) {
      yield* write(MaptrackFreelist.head.at(v), sentinel);
    }
    yield* spinUnlock(MaptrackFreelist.lock.at(v));
  }
  return yield* stealMaptrackHandle(d, v);
}

/**
 * xen/common/grant_table.c: get_maptrack_handle().
 * @param v - vCPU of the mapping domain.
 * @returns a handle in transit, or INVALID_MAPTRACK_HANDLE.
 */
export function* getMaptrackHandle(v: number): Op {
  const d = domainOf(v);
  const own = yield* _getMaptrackHandle(d, v);
  if (own !== INVALID_MAPTRACK_HANDLE) return own;

  yield* spinLock(GrantTable.maptrackLock.at(d));
  const handle = yield* read(GrantTable.maptrackLimit.at(d));
  const perPage = maptrackPerFrame();
  const page = (handle / perPage) | 0;
  if (page >= (yield* read(GrantTable.maxMaptrackFrames.at(d)))) {
    yield* spinUnlock(GrantTable.maptrackLock.at(d));
    return yield* stealForList(d, v);
  }

  // The new page is nobody else's yet. Its first handle is the caller's, the others go on the list.
  const last = handle + perPage - 1;
  for (let i = handle; i <= last; i++) {
    yield* write(Maptrack.ref.at2(d, i), i + 1);
    yield* write(Maptrack.vcpu.at2(d, i), v);
  }
  if ((yield* read(MaptrackFreelist.tail.at(v))) === MAPTRACK_TAIL) {
    yield* write(MaptrackFreelist.tail.at(v), last);
  }
  yield* write(MaptrackPage.value.at2(d, page), handle + 1);
  yield* smpWmb();
  yield* write(GrantTable.maptrackLimit.at(d), handle + perPage);
  yield* spinUnlock(GrantTable.maptrackLock.at(d));

  yield* spinLock(MaptrackFreelist.lock.at(v));
  yield* write(Maptrack.ref.at2(d, last), yield* read(MaptrackFreelist.head.at(v)));
  yield* write(MaptrackFreelist.head.at(v), handle + 1);
  yield* spinUnlock(MaptrackFreelist.lock.at(v));
  return handle;
}

/**
 * xen/common/grant_table.c: put_maptrack_handle().
 * @param v - vCPU of the mapping domain. @param handle - in transit or just unmapped.
 */
export function* putMaptrackHandle(v: number, handle: number): Op<void> {
  const d = domainOf(v);
  const mt = yield* maptrackEntry(d, handle);
  yield* write(Maptrack.ref.at2(d, mt), MAPTRACK_TAIL);
  const home = yield* read(Maptrack.vcpu.at2(d, mt));
  yield* spinLock(MaptrackFreelist.lock.at(home));
  const tail = yield* read(MaptrackFreelist.tail.at(home));
  yield* write(MaptrackFreelist.tail.at(home), handle);
  yield* write(Maptrack.ref.at2(d, yield* maptrackEntry(d, tail)), handle);
  yield* spinUnlock(MaptrackFreelist.lock.at(home));
}
