/**
 * XSA-228: the free lists of maptrack handles were changed by compare-and-swap without a lock. A
 * thief reads another vCPU's head and the handle after it; meanwhile both are taken and the first
 * comes back with another successor. The thief's swap succeeds and puts a live handle on the list.
 *
 * The functions are those of Xen 4.9 (xen/common/grant_table.c: __get_maptrack_handle(),
 * put_maptrack_handle(), get_maptrack_handle()).
 */
import { domainOf, firstVcpuOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { cmpxchg, read, readOnce, smpWmb, write, writeOnce } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { GrantTable } from '../../xen/grant-table/lock.ts';
import {
  INVALID_MAPTRACK_HANDLE,
  MAPTRACK_TAIL,
  Maptrack,
  MaptrackFreelist,
  MaptrackPage,
  _getMaptrackHandle,
  getMaptrackHandle,
  maptrackEntry,
  putMaptrackHandle,
  stealMaptrackHandle,
} from '../../xen/grant-table/maptrack.ts';
import { maptrackPerFrame } from '../../xen/params.ts';
import { GNTMAP_device_map } from '../../xen/public/grant-table.ts';
import { BACKEND, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { mapGrant, nameMissingGrant } from './hypercalls.ts';

/** Xen 4.9's __get_maptrack_handle(). @param v - vCPU whose list is asked. */
export function* popWithoutLock(d: number, v: number): Op {
  let head = yield* readOnce(MaptrackFreelist.head.at(v));
  for (;;) {
    if (head === MAPTRACK_TAIL) return INVALID_MAPTRACK_HANDLE;
    const next = yield* readOnce(Maptrack.ref.at2(d, yield* maptrackEntry(d, head)));
    if (next === MAPTRACK_TAIL) return INVALID_MAPTRACK_HANDLE;
    const seen = yield* cmpxchg(MaptrackFreelist.head.at(v), head, next);
    if (seen === head) return head;
    head = yield* readOnce(MaptrackFreelist.head.at(v));
  }
}

/** Xen 4.9's put_maptrack_handle(). @param handle - in transit or just unmapped. */
export function* putWithoutLock(v: number, handle: number): Op<void> {
  const d = domainOf(v);
  const mt = yield* maptrackEntry(d, handle);
  yield* writeOnce(Maptrack.ref.at2(d, mt), MAPTRACK_TAIL);
  const home = yield* read(Maptrack.vcpu.at2(d, mt));
  let tail = yield* readOnce(MaptrackFreelist.tail.at(home));
  for (;;) {
    const seen = yield* cmpxchg(MaptrackFreelist.tail.at(home), tail, handle);
    if (seen === tail) break;
    tail = seen;
  }
  yield* writeOnce(Maptrack.ref.at2(d, yield* maptrackEntry(d, tail)), handle);
}

/** The end of Xen 4.9's get_maptrack_handle(): steals, on the first time one more as sentinel. */
function* stealWithoutLock(d: number, v: number): Op {
  if ((yield* read(MaptrackFreelist.tail.at(v))) === MAPTRACK_TAIL) {
    const sentinel = yield* stealMaptrackHandle(d, v);
    if (sentinel === INVALID_MAPTRACK_HANDLE) return sentinel;
    yield* write(MaptrackFreelist.tail.at(v), sentinel);
    yield* writeOnce(MaptrackFreelist.head.at(v), sentinel);
  }
  return yield* stealMaptrackHandle(d, v);
}

/** Xen 4.9's get_maptrack_handle(). @returns a handle in transit, or INVALID_MAPTRACK_HANDLE. */
export function* getWithoutLock(v: number): Op {
  const d = domainOf(v);
  const own = yield* _getMaptrackHandle(d, v);
  if (own !== INVALID_MAPTRACK_HANDLE) return own;

  yield* spinLock(GrantTable.maptrackLock.at(d));
  const handle = yield* read(GrantTable.maptrackLimit.at(d));
  const perPage = maptrackPerFrame();
  const page = (handle / perPage) | 0;
  if (page >= (yield* read(GrantTable.maxMaptrackFrames.at(d)))) {
    yield* spinUnlock(GrantTable.maptrackLock.at(d));
    return yield* stealWithoutLock(d, v);
  }
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
  for (;;) {
    const head = yield* readOnce(MaptrackFreelist.head.at(v));
    yield* write(Maptrack.ref.at2(d, last), head);
    if ((yield* cmpxchg(MaptrackFreelist.head.at(v), head, handle + 1)) === head) break;
  }
  yield* spinUnlock(GrantTable.maptrackLock.at(d));
  return handle;
}

/** The grant that there is, and a number behind the end of the granter's table. */
const GRANT = 0;
const MISSING = 1;

/** vCPU 0 gets a page of four handles and uses one; vCPU 1 one of four and uses three. */
function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* grantPage(GRANT);
  nameMissingGrant(MISSING);
  yield* mapGrant(v, 0, GRANT, GNTMAP_device_map);
  for (let i = 1; i <= 3; i++) yield* mapGrant(v + 1, i, GRANT, GNTMAP_device_map);
}

/** A mapping that fails takes a handle and puts it back. */
function* mapOnce(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* mapGrant(v, 4, MISSING, GNTMAP_device_map);
  yield* mapGrant(v, 4, GRANT, GNTMAP_device_map);
  yield* mapGrant(v, 5, MISSING, GNTMAP_device_map);
}

function* steal(): Op<void> {
  yield* mapGrant(firstVcpuOf(BACKEND) + 1, 6, MISSING, GNTMAP_device_map);
}

export const stealHandle: Race = {
  name: 'x4-steal-handle',
  about: 'A vCPU takes and puts handles of its list while another one steals from it.',
  sources: ['XSA-228', 'CVE-2017-12136', 'xen/common/grant_table.c: _get_maptrack_handle()'],
  designs: BEFORE_AND_AFTER,
  sizes: {
    vcpusPerDomain: 3,
    maptrackFrames: 2,
    maptrackPerFrame: 4,
    maptrackEntries: 8,
    raceMappings: 8,
  },
  arrange,
  actors: [
    { role: 'map', vcpu: 0, body: mapOnce },
    { role: 'steal', vcpu: 1, body: steal },
  ],
  kernelThreads: [],
  bug: {
    id: 'X4',
    title: 'A stolen handle brings a live one back onto the free list',
    story: [
      'The free list of vCPU 0 is H → N → S. vCPU 1 has none left and turns to that list.',
      'vCPU 1 reads the head, H, and what comes after it, N.',
      'vCPU 0 takes H and puts it back: N → S → H. It takes N for a mapping: S → H.',
      'It takes S and puts it back: H → S. The head is H again.',
      'vCPU 1 compares the head with H, finds it equal, and makes N the head.',
      'N is live and the first free handle at once: the next mapping gets it a second time.',
    ],
    breaks: ['I3'],
    fix: 'A lock for each vCPU’s list; a stolen sentinel’s link is set to the end of the list.',
    fixedIn: 'Xen 4.10, commit 02cbeeb620',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(_getMaptrackHandle, popWithoutLock),
        replaces(putMaptrackHandle, putWithoutLock),
        replaces(getMaptrackHandle, getWithoutLock),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
