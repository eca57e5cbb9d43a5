/**
 * Not an XSA, but the same kind: whether a mapping had to enter the frame into the IOMMU was told
 * by the pin as it was before. The first mapper raises the pin, drops the locks, and enters the
 * frame later; a second one sees the pin, leaves the IOMMU alone, and returns to a driver whose DMA
 * faults.
 *
 * The functions are those of Xen 4.13 (xen/common/grant_table.c: map_grant_ref(), unmap_common(),
 * mapkind()): the maptrack was searched for mappings of the frame, under the write locks of both
 * tables; the tree of counts came later.
 */
import { IOMMU_READ, IOMMU_WRITE, iommuFlush, iommuMap, iommuUnmap } from '../../hardware/iommu.ts';
import { domainOf, firstVcpuOf } from '../../hardware/params.ts';
import { reg, setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import {
  read,
  readOnce,
  smpRmb,
  smpWmb,
  trace,
  write,
  writeOnce,
} from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { NO_DOMAIN, needIommuPtSync, rcuLockDomainById } from '../../xen/domain.ts';
import {
  ActiveEntry,
  GNTPIN_writers_mask,
  activeEntryAcquire,
  activeEntryRelease,
  pinIncrement,
  pinOverflowMask,
  rangeIsSubPage,
} from '../../xen/grant-table/active.ts';
import { statusWord } from '../../xen/grant-table/entry.ts';
import { iommuUncountMapping } from '../../xen/grant-table/iommu-tree.ts';
import {
  GrantTable,
  grantReadLock,
  grantReadUnlock,
  grantWriteLock,
  grantWriteUnlock,
  nrGrantEntries,
} from '../../xen/grant-table/lock.ts';
import {
  MAPTRACK_FLAGS_MASK,
  REG_HOST_MAP,
  REG_MAP_STATUS,
  REG_REFCNT,
  REG_TYPECNT,
  admit,
  holdPage,
  isReadonly,
  mapGrantRef,
  undoMap,
} from '../../xen/grant-table/map.ts';
import {
  INVALID_MAPTRACK_HANDLE,
  Maptrack,
  getMaptrackHandle,
  maptrackEntry,
  putMaptrackHandle,
} from '../../xen/grant-table/maptrack.ts';
import { PageInfo } from '../../xen/page-info.ts';
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_domain,
  GNTST_bad_gntref,
  GNTST_general_error,
  GNTST_no_space,
  GNTST_okay,
  MAP_DEV_BUS_ADDR,
  MAP_DOM,
  MAP_FLAGS,
  MAP_HANDLE,
  MAP_HOST_ADDR,
  MAP_REF,
  MAP_STATUS,
} from '../../xen/public/grant-table.ts';
import { TRC_GRANT_MAP } from '../../xen/tracepoints.ts';
import { BACKEND, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { mapGrant } from './hypercalls.ts';

/** Register: the pin as it was before this mapping. */
const REG_OLD_PIN = 8;
const MAPKIND_READ = 1;
const MAPKIND_WRITE = 2;

/** double_gt_lock(): the table at the lower address first. */
function* doubleGtLock(ld: number, rd: number): Op<void> {
  yield* grantWriteLock(Math.min(ld, rd));
  if (ld !== rd) yield* grantWriteLock(Math.max(ld, rd));
}

function* doubleGtUnlock(ld: number, rd: number): Op<void> {
  yield* grantWriteUnlock(ld);
  if (ld !== rd) yield* grantWriteUnlock(rd);
}

/** mapkind(): how a domain has a frame mapped. Both tables are locked for writing. */
function* mapkind(ld: number, rd: number, mfn: number): Op {
  const limit = yield* read(GrantTable.maptrackLimit.at(ld));
  yield* smpRmb();
  let kind = 0;
  for (let handle = 0; (kind & MAPKIND_WRITE) === 0 && handle < limit; handle++) {
    const map = yield* maptrackEntry(ld, handle);
    const flags = yield* read(Maptrack.flags.at2(ld, map));
    if ((flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) continue;
    if ((yield* read(Maptrack.domid.at2(ld, map))) !== rd) continue;
    const ref = yield* read(Maptrack.ref.at2(ld, map));
    if ((yield* read(ActiveEntry.mfn.at2(rd, ref))) !== mfn) continue;
    kind |= (flags & GNTMAP_readonly) !== 0 ? MAPKIND_READ : MAPKIND_WRITE;
  }
  return kind;
}

/** unmap_common() of that time: what is left of the mappings decides. */
export function* narrowByMaptrack(ld: number, mfn: number): Op<void> {
  const rd = yield* readOnce(PageInfo.owner.at(mfn));
  yield* doubleGtLock(ld, rd);
  const kind = yield* mapkind(ld, rd, mfn);
  if (kind === 0) yield* iommuUnmap(ld, mfn);
  else if ((kind & MAPKIND_WRITE) === 0) yield* iommuMap(ld, mfn, IOMMU_READ);
  if ((kind & MAPKIND_WRITE) === 0) yield* iommuFlush(ld);
  yield* doubleGtUnlock(ld, rd);
}

/** map_grant_ref() of that time up to the drop of its locks. @returns GNTST_*. */
function* pinAndTellBefore(v: number, rd: number, ref: number, flags: number): Op {
  const ld = domainOf(v);
  const incr = pinIncrement(flags);
  yield* grantReadLock(v, rd);
  if (ref < 0 || ref >= (yield* nrGrantEntries(rd))) {
    yield* grantReadUnlock(v, rd);
    return GNTST_bad_gntref;
  }
  const version = yield* read(GrantTable.gtVersion.at(rd));
  yield* activeEntryAcquire(rd, ref);
  setReg(v, REG_MAP_STATUS, statusWord(rd, ref, version));
  const oldPin = yield* read(ActiveEntry.pin.at2(rd, ref));
  setReg(v, REG_OLD_PIN, oldPin);
  let rc = GNTST_okay;
  if (
    oldPin !== 0 &&
    ((yield* read(ActiveEntry.domid.at2(rd, ref))) !== ld ||
      (oldPin & pinOverflowMask(incr)) !== 0 ||
      rangeIsSubPage(yield* read(ActiveEntry.range.at2(rd, ref))))
  ) {
    rc = GNTST_general_error;
  } else if (oldPin === 0 || (isReadonly(flags) === 0 && (oldPin & GNTPIN_writers_mask) === 0)) {
    rc = yield* admit(v, rd, ref, version, flags, oldPin);
  }
  if (rc === GNTST_okay) yield* write(ActiveEntry.pin.at2(rd, ref), (oldPin + incr) | 0);
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  return rc;
}

/** The IOMMU's part of map_grant_ref() of that time: asked only if the pin says so. */
function* enterByPin(ld: number, rd: number, mfn: number, oldPin: number, pin: number): Op<void> {
  const kind = yield* mapkind(ld, rd, mfn);
  if ((pin & GNTPIN_writers_mask) !== 0 && (oldPin & GNTPIN_writers_mask) === 0) {
    if ((kind & MAPKIND_WRITE) === 0) yield* iommuMap(ld, mfn, IOMMU_READ | IOMMU_WRITE);
  } else if (pin !== 0 && oldPin === 0) {
    if (kind === 0) yield* iommuMap(ld, mfn, IOMMU_READ);
  }
}

/** Publishes a mapping; with an IOMMU under both tables' locks, for mapkind() reads it. */
function* publish(v: number, op: number, rd: number, handle: number): Op<void> {
  const ld = domainOf(v);
  const flags = yield* read(op + MAP_FLAGS);
  const ref = yield* read(op + MAP_REF);
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, ref));
  const needIommu = ld !== rd && needIommuPtSync(ld);
  if (needIommu) {
    const oldPin = reg(v, REG_OLD_PIN);
    yield* doubleGtLock(ld, rd);
    yield* enterByPin(ld, rd, mfn, oldPin, (oldPin + pinIncrement(flags)) | 0);
  }
  const mt = yield* maptrackEntry(ld, handle);
  yield* write(Maptrack.domid.at2(ld, mt), rd);
  yield* write(Maptrack.ref.at2(ld, mt), ref);
  yield* smpWmb();
  yield* writeOnce(Maptrack.flags.at2(ld, mt), flags & MAPTRACK_FLAGS_MASK);
  trace(TRC_GRANT_MAP, ld, handle, mfn);
  if (needIommu) yield* doubleGtUnlock(ld, rd);
  yield* write(op + MAP_DEV_BUS_ADDR, mfn);
  yield* write(op + MAP_HANDLE, handle);
  yield* write(op + MAP_STATUS, GNTST_okay);
}

/** Xen 4.13's map_grant_ref(). @param op - word of the record. */
export function* mapByOldPin(v: number, op: number): Op<void> {
  const flags = yield* read(op + MAP_FLAGS);
  const ref = yield* read(op + MAP_REF);
  const dom = yield* read(op + MAP_DOM);
  if (pinIncrement(flags) === 0) {
    yield* write(op + MAP_STATUS, GNTST_bad_gntref);
    return;
  }
  const rd = yield* rcuLockDomainById(dom);
  if (rd === NO_DOMAIN) {
    yield* write(op + MAP_STATUS, GNTST_bad_domain);
    return;
  }
  const handle = yield* getMaptrackHandle(v);
  if (handle === INVALID_MAPTRACK_HANDLE) {
    yield* write(op + MAP_STATUS, GNTST_no_space);
    return;
  }
  setReg(v, REG_REFCNT, 0);
  setReg(v, REG_TYPECNT, 0);
  setReg(v, REG_HOST_MAP, 0);
  let rc = yield* pinAndTellBefore(v, rd, ref, flags);
  if (rc === GNTST_okay) {
    const mfn = yield* read(ActiveEntry.mfn.at2(rd, ref));
    const hostAddr = yield* read(op + MAP_HOST_ADDR);
    rc = yield* holdPage(v, rd, mfn, flags, hostAddr);
    if (rc !== GNTST_okay) yield* undoMap(v, rd, ref, mfn, flags, hostAddr);
  }
  if (rc !== GNTST_okay) {
    yield* write(op + MAP_STATUS, rc);
    yield* putMaptrackHandle(v, handle);
    return;
  }
  yield* publish(v, op, rd, handle);
}

function* arrange(): Op<void> {
  yield* grantPage(0);
}

function* mapFirst(): Op<void> {
  yield* mapGrant(firstVcpuOf(BACKEND), 0, 0, GNTMAP_device_map);
}

function* mapSecond(): Op<void> {
  yield* mapGrant(firstVcpuOf(BACKEND) + 1, 1, 0, GNTMAP_device_map);
}

export const iommuSkipped: Race = {
  name: 'x23-iommu-skipped',
  about: 'Two vCPUs of a domain with a device map the same grant for it.',
  sources: ['Xen, commit 921f1f4226', 'xen/common/grant_table.c: map_grant_ref()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3, iommu: 1 },
  arrange,
  actors: [
    { role: 'map', vcpu: 0, body: mapFirst },
    { role: 'map too', vcpu: 1, body: mapSecond },
  ],
  kernelThreads: [],
  bug: {
    id: 'X23',
    title: 'The second mapping of a grant is done before the first has told the IOMMU',
    story: [
      'A maps a grant for its device: pin 0 → 1. It drops the locks, before the IOMMU.',
      'B maps the same grant: pin 1 → 2. It drops the locks.',
      'B sees that the pin was not 0 before, and leaves the IOMMU to whoever raised it first.',
      'B returns with success; its device is told to go, and the IOMMU refuses its DMA.',
    ],
    breaks: ['I6'],
    fix: 'Only what the maptrack says decides, and what is asked for.',
    fixedIn: 'Xen 4.14, commit 921f1f4226',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(mapGrantRef, mapByOldPin),
        replaces(iommuUncountMapping, narrowByMaptrack),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
