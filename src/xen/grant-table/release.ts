/**
 * The end of a domain, as far as grants go (xen/common/grant_table.c: gnttab_release_mappings()):
 * every mapping that it still has is taken out of the granters' pins. The domain's vCPUs have
 * stopped and their TLBs are empty, so nothing is flushed here.
 *
 * The page references of host mappings of a PV domain are held by its page tables and go with
 * them; those of device mappings go here.
 */
import type { Op } from '../../shared/op.ts';
import { read, warnOn, write } from '../../shared/operations.ts';
import { BUG_PIN_UNDERFLOW } from '../bugs.ts';
import { NO_DOMAIN, rcuLockDomainById } from '../domain.ts';
import { putPage } from '../frame-table.ts';
import { putPageAndType } from '../page-type.ts';
import { GNTMAP_device_map, GNTMAP_host_map, GNTMAP_readonly } from '../public/grant-table.ts';
import {
  ActiveEntry,
  GNTPIN_devr_inc,
  GNTPIN_devr_mask,
  GNTPIN_devw_inc,
  GNTPIN_devw_mask,
  GNTPIN_hstr_inc,
  GNTPIN_hstr_mask,
  GNTPIN_hstw_inc,
  GNTPIN_hstw_mask,
  activeEntryAcquire,
  activeEntryRelease,
} from './active.ts';
import { statusWord } from './entry.ts';
import { MaptrackTree } from './iommu-tree.ts';
import { GrantTable, grantReadLock, grantReadUnlock } from './lock.ts';
import { Maptrack, maptrackEntry } from './maptrack.ts';
import { reduceStatusForPin } from './status.ts';

/** Takes one kind of mapping out of a pin. @returns the pin that is left. */
function unpinned(rd: number, ref: number, pin: number, incr: number, mask: number): number {
  warnOn((pin & mask) === 0, BUG_PIN_UNDERFLOW, rd, ref);
  return (pin - incr) | 0;
}

/** One live mapping, under the granter's locks. @param map - its maptrack entry. */
function* releaseMapping(v: number, d: number, map: number, rd: number, flags: number): Op<void> {
  const ref = yield* read(Maptrack.ref.at2(d, map));
  const readonly = (flags & GNTMAP_readonly) !== 0;
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, ref);
  const status = statusWord(rd, ref, yield* read(GrantTable.gtVersion.at(rd)));
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, ref));
  let pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  if ((flags & GNTMAP_device_map) !== 0) {
    if (readonly) pin = unpinned(rd, ref, pin, GNTPIN_devr_inc, GNTPIN_devr_mask);
    else pin = unpinned(rd, ref, pin, GNTPIN_devw_inc, GNTPIN_devw_mask);
    if (readonly) yield* putPage(v, mfn);
    else yield* putPageAndType(v, mfn);
  }
  if ((flags & GNTMAP_host_map) !== 0) {
    if (readonly) pin = unpinned(rd, ref, pin, GNTPIN_hstr_inc, GNTPIN_hstr_mask);
    else pin = unpinned(rd, ref, pin, GNTPIN_hstw_inc, GNTPIN_hstw_mask);
  }
  yield* write(ActiveEntry.pin.at2(rd, ref), pin);
  yield* reduceStatusForPin(rd, ref, status, readonly ? 1 : 0);
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  yield* write(MaptrackTree.node.at2(d, mfn), 0);
}

/**
 * xen/common/grant_table.c: gnttab_release_mappings(): backwards through the maptrack. @param v -
 * vCPU that destroys. @param d - dying domain.
 */
export function* gnttabReleaseMappings(v: number, d: number): Op<void> {
  const limit = yield* read(GrantTable.maptrackLimit.at(d));
  for (let handle = limit - 1; handle >= 0; handle--) {
    const map = yield* maptrackEntry(d, handle);
    const flags = yield* read(Maptrack.flags.at2(d, map));
    if ((flags & (GNTMAP_device_map | GNTMAP_host_map)) === 0) continue;
    const rd = yield* rcuLockDomainById(yield* read(Maptrack.domid.at2(d, map)));
    if (rd !== NO_DOMAIN) yield* releaseMapping(v, d, map, rd, flags);
    yield* write(Maptrack.flags.at2(d, map), 0);
  }
}
