/**
 * GNTTABOP_unmap_grant_ref (xen/common/grant_table.c: unmap_common(), unmap_common_complete(),
 * gnttab_unmap_grant_ref()).
 *
 * Operations go in batches of at most GNTTAB_UNMAP_BATCH_SIZE, and a batch in two passes:
 * Pass 1, unmap_common(), for each: find the mapping by its handle; under the granter's read lock
 *   and the active entry's lock look at it again, since another unmap may have won; empty the PTE;
 *   clear what was unmapped from the mapping's flags and free the handle if nothing is left. Then,
 *   if the handle was freed, the IOMMU count.
 * One TLB flush for the batch.
 * Pass 2, unmap_common_complete(), for each: under the locks again page and type references, pin
 *   and status.
 * So for every mapping: PTE gone → TLBs flushed → references and pin dropped → GTF bits cleared.
 * The pin is dropped in the same critical section as the status (XSA-218): or one unmap could
 * clear the status while another's mapping is still in a TLB.
 */
import { flushTlbHypercall } from '../../hardware/flush.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import {
  read,
  readLocal,
  readOnce,
  smpRmb,
  trace,
  warnOn,
  write,
  writeLocal,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { BUG_DOMAIN_CRASH, BUG_PIN_UNDERFLOW } from '../bugs.ts';
import { NO_DOMAIN, dirtyCpumask, needIommuPtSync, rcuLockDomainById } from '../domain.ts';
import { putPage } from '../frame-table.ts';
import { putPageAndType, putPageType } from '../page-type.ts';
import { unmapBatch } from '../params.ts';
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GNTMAP_readonly,
  GNTST_bad_dev_addr,
  GNTST_bad_handle,
  GNTST_general_error,
  GNTST_okay,
  UNMAP_DEV_BUS_ADDR,
  UNMAP_HANDLE,
  UNMAP_HOST_ADDR,
  UNMAP_STATUS,
  UNMAP_WORDS,
} from '../public/grant-table.ts';
import { TRC_GRANT_UNMAP, TRC_GRANT_UNMAP_COMPLETE } from '../tracepoints.ts';
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
import { NO_STATUS, sharedEntryHeader, statusEntry } from './entry.ts';
import { replaceGrantHostMapping } from './host-mapping.ts';
import { iommuUncountMapping } from './iommu-tree.ts';
import { GrantTable, grantReadLock, grantReadUnlock, nrGrantEntries } from './lock.ts';
import {
  INVALID_MAPTRACK_HANDLE,
  Maptrack,
  maptrackLookup,
  putMaptrackHandle,
} from './maptrack.ts';
import { reduceStatusForPin } from './status.ts';

/**
 * struct gnttab_unmap_common: on the hypervisor's stack of the calling vCPU, from pass 1 to 2. One
 * record an operation of a batch; unmap_and_replace uses it too.
 */
export const UnmapCommon = defineTable('%v.unmap[%]', ['vcpus', 'unmapBatch'], {
  hostAddr: '[CPU] in: word of the PTE or vpn, 0 if the host mapping stays',
  devBusAddr: '[CPU] in: frame, 0 if the device mapping stays',
  newAddr: '[CPU] in: vpn of unmap_and_replace, else 0',
  handle: '[CPU] in: handle',
  status: '[CPU] out: GNTST_*',
  done: '[CPU] GNTMAP_* that pass 1 took away, with GNTMAP_readonly',
  mfn: '[CPU] frame that was mapped',
  rd: '[CPU] granting domain',
  ref: '[CPU] its grant',
});

/** Returned by takeMapping() when nothing is left of the mapping. */
export const HANDLE_FREED = 1;

/**
 * xen/common/grant_table.c: unmap_common(), pass 1.
 * @param v - vCPU that calls. @param i - record of UnmapCommon with its inputs filled in.
 */
export function* unmapCommon(v: number, i: number): Op<void> {
  const ld = domainOf(v);
  const handle = readLocal(UnmapCommon.handle.at2(v, i));
  writeLocal(UnmapCommon.done.at2(v, i), 0);
  const map = yield* maptrackLookup(ld, handle);
  if (map === INVALID_MAPTRACK_HANDLE) {
    writeLocal(UnmapCommon.status.at2(v, i), GNTST_bad_handle);
    return;
  }
  const dom = yield* read(Maptrack.domid.at2(ld, map));
  const rd = yield* rcuLockDomainById(dom);
  if (rd === NO_DOMAIN) {
    warnOn(true, BUG_DOMAIN_CRASH, ld, handle);
    writeLocal(UnmapCommon.status.at2(v, i), GNTST_general_error);
    return;
  }
  const rc = yield* unmapUnderLocks(v, i, map, rd);
  writeLocal(UnmapCommon.status.at2(v, i), rc);
}

/** unmap_common() from the granter's lock to its end. @returns GNTST_*. */
export function* unmapUnderLocks(v: number, i: number, map: number, rd: number): Op {
  const ld = domainOf(v);
  yield* grantReadLock(v, rd);
  const ref = yield* read(Maptrack.ref.at2(ld, map));
  writeLocal(UnmapCommon.rd.at2(v, i), rd);
  writeLocal(UnmapCommon.ref.at2(v, i), ref);
  // A racing unmap may have freed the handle, and then ref is anything: bound it before the lock.
  yield* smpRmb();
  if (ref < 0 || ref >= (yield* nrGrantEntries(rd))) {
    yield* grantReadUnlock(v, rd);
    return GNTST_bad_handle;
  }
  yield* activeEntryAcquire(rd, ref);
  // The active entry's lock decides between several unmaps of one mapping.
  const flags = yield* readOnce(Maptrack.flags.at2(ld, map));
  yield* smpRmb();
  let rc = GNTST_bad_handle;
  if (
    flags !== 0 &&
    (yield* read(Maptrack.domid.at2(ld, map))) === rd &&
    (yield* read(Maptrack.ref.at2(ld, map))) === ref
  ) {
    rc = yield* takeMapping(v, i, map, flags);
  }
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  if (rc !== HANDLE_FREED) return rc;

  yield* putMaptrackHandle(v, readLocal(UnmapCommon.handle.at2(v, i)));
  // The IOMMU counts mappings, so only when all of this one is gone.
  if (ld !== rd && needIommuPtSync(ld)) {
    const mfn = readLocal(UnmapCommon.mfn.at2(v, i));
    yield* iommuUncountMapping(ld, mfn, (flags & GNTMAP_readonly) !== 0 ? 1 : 0);
  }
  return GNTST_okay;
}

/**
 * unmap_common() between the active entry's lock and its unlock: the PTE and the mapping's flags.
 * @param v - vCPU that calls. @param i - record.
 * @param map - index of the mapping's maptrack entry. @param flags - of the mapping, GNTMAP_*.
 * @returns GNTST_* or HANDLE_FREED.
 */
export function* takeMapping(v: number, i: number, map: number, flags: number): Op {
  const ld = domainOf(v);
  const rd = readLocal(UnmapCommon.rd.at2(v, i));
  const ref = readLocal(UnmapCommon.ref.at2(v, i));
  const hostAddr = readLocal(UnmapCommon.hostAddr.at2(v, i));
  const devBusAddr = readLocal(UnmapCommon.devBusAddr.at2(v, i));
  const readonly = flags & GNTMAP_readonly;
  const mfn = yield* read(ActiveEntry.mfn.at2(rd, ref));
  writeLocal(UnmapCommon.mfn.at2(v, i), mfn);
  const device = devBusAddr !== 0 && (flags & GNTMAP_device_map) !== 0;
  if (device && devBusAddr !== mfn) return GNTST_bad_dev_addr;

  let left = flags;
  let done = 0;
  if (hostAddr !== 0 && (flags & GNTMAP_host_map) !== 0) {
    const newAddr = readLocal(UnmapCommon.newAddr.at2(v, i));
    const rc = yield* replaceGrantHostMapping(v, hostAddr, mfn, newAddr, flags);
    if (rc < 0) return rc;
    left &= ~GNTMAP_host_map;
    done |= GNTMAP_host_map | readonly;
    yield* write(Maptrack.flags.at2(ld, map), left);
  }
  if (device) {
    left &= ~GNTMAP_device_map;
    done |= GNTMAP_device_map | readonly;
    yield* write(Maptrack.flags.at2(ld, map), left);
  }
  writeLocal(UnmapCommon.done.at2(v, i), done);
  trace(TRC_GRANT_UNMAP, ld, readLocal(UnmapCommon.handle.at2(v, i)), mfn);
  if ((left & (GNTMAP_device_map | GNTMAP_host_map)) !== 0) return GNTST_okay;
  yield* write(Maptrack.flags.at2(ld, map), 0);
  return HANDLE_FREED;
}

/**
 * xen/common/grant_table.c: unmap_common_complete(), pass 2. The caller has flushed the TLBs.
 * @param v - vCPU that calls. @param i - record of UnmapCommon that went through pass 1.
 */
export function* unmapCommonComplete(v: number, i: number): Op<void> {
  const done = readLocal(UnmapCommon.done.at2(v, i));
  if (done === 0) return;
  const rd = readLocal(UnmapCommon.rd.at2(v, i));
  const ref = readLocal(UnmapCommon.ref.at2(v, i));
  const mfn = readLocal(UnmapCommon.mfn.at2(v, i));
  const readonly = (done & GNTMAP_readonly) !== 0 ? 1 : 0;
  yield* grantReadLock(v, rd);
  yield* activeEntryAcquire(rd, ref);
  const version = yield* read(GrantTable.gtVersion.at(rd));
  let status = NO_STATUS;
  if (version === 1) status = sharedEntryHeader(rd, ref, 1);
  else if (ref < (yield* nrGrantEntries(rd))) status = statusEntry(rd, ref);
  if ((done & GNTMAP_device_map) !== 0) {
    if (readonly !== 0) yield* putPage(v, mfn);
    else yield* putPageAndType(v, mfn);
    yield* unpin(rd, ref, readonly !== 0 ? GNTPIN_devr_inc : GNTPIN_devw_inc);
  }
  if ((done & GNTMAP_host_map) !== 0) {
    if (readonly === 0) yield* putPageType(v, mfn);
    yield* putPage(v, mfn);
    yield* unpin(rd, ref, readonly !== 0 ? GNTPIN_hstr_inc : GNTPIN_hstw_inc);
  }
  yield* reduceStatusForPin(rd, ref, status, readonly);
  yield* activeEntryRelease(rd, ref);
  yield* grantReadUnlock(v, rd);
  trace(TRC_GRANT_UNMAP_COMPLETE, rd, ref, mfn);
}

/** Takes one mapping out of the pin. @param incr - GNTPIN_*_inc of its kind. */
export function* unpin(rd: number, ref: number, incr: number): Op<void> {
  const word = ActiveEntry.pin.at2(rd, ref);
  const pin = yield* read(word);
  const host = incr === GNTPIN_hstr_inc || incr === GNTPIN_hstw_inc;
  const kinds = host ? GNTPIN_hstw_mask | GNTPIN_hstr_mask : GNTPIN_devw_mask | GNTPIN_devr_mask;
  warnOn((pin & kinds) === 0, BUG_PIN_UNDERFLOW, rd, ref);
  yield* write(word, (pin - incr) | 0);
}

/** gnttab_flush_tlb() and the second pass, for the first `count` records of the vCPU's batch. */
export function* completeBatch(v: number, count: number): Op<void> {
  yield* flushTlbHypercall(v, dirtyCpumask(domainOf(v)));
  for (let i = 0; i < count; i++) yield* unmapCommonComplete(v, i);
}

/**
 * GNTTABOP_unmap_grant_ref.
 * @param v - vCPU that calls. @param ops - word of the first record. @param count - records.
 * @returns 0; the outcome of each operation is its status.
 */
export function* gnttabUnmapGrantRef(v: number, ops: number, count: number): Op {
  for (let from = 0; from < count; from += unmapBatch()) {
    const batch = Math.min(count - from, unmapBatch());
    for (let i = 0; i < batch; i++) {
      const op = ops + (from + i) * UNMAP_WORDS;
      writeLocal(UnmapCommon.hostAddr.at2(v, i), yield* read(op + UNMAP_HOST_ADDR));
      writeLocal(UnmapCommon.devBusAddr.at2(v, i), yield* read(op + UNMAP_DEV_BUS_ADDR));
      writeLocal(UnmapCommon.handle.at2(v, i), yield* read(op + UNMAP_HANDLE));
      writeLocal(UnmapCommon.newAddr.at2(v, i), 0);
      yield* unmapCommon(v, i);
      yield* write(op + UNMAP_STATUS, readLocal(UnmapCommon.status.at2(v, i)));
    }
    yield* completeBatch(v, batch);
  }
  return 0;
}
