/**
 * What races of the hypervisor have in common: a backend domain that maps, unmaps and copies by
 * hypercalls of its own, without a driver in between, at addresses of ballooned pages.
 */
import { firstVcpuOf, kernelBase } from '../../hardware/params.ts';
import { allocBalloonedPages } from '../../linux/drivers/balloon.ts';
import { gnttabSetMapOp, gnttabSetUnmapOp } from '../../linux/drivers/map-refs.ts';
import { pfnToMfn } from '../../linux/mm/p2m.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { GrantEntry } from '../../xen/grant-table/entry.ts';
import { grantTableOpCopy } from '../../xen/grant-table/copy.ts';
import { gnttabMapGrantRef } from '../../xen/grant-table/map.ts';
import { gnttabUnmapGrantRef } from '../../xen/grant-table/unmap.ts';
import {
  COPY_DEST,
  COPY_DEST_DOMID,
  COPY_DEST_OFFSET,
  COPY_FLAGS,
  COPY_LEN,
  COPY_SOURCE,
  COPY_SOURCE_DOMID,
  COPY_SOURCE_OFFSET,
  COPY_STATUS,
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTST_okay,
  MAP_DEV_BUS_ADDR,
  MAP_HANDLE,
  MAP_STATUS,
  UNMAP_DEV_BUS_ADDR,
  UNMAP_STATUS,
} from '../../xen/public/grant-table.ts';
import { DOMID_SELF } from '../../xen/public/xen.ts';
import { BACKEND, FRONTEND, RaceGrant } from '../process.ts';

/** A place for one mapping. */
export const RaceMapping = defineTable('race.mapping[%]', ['raceMappings'], {
  vpn: '[BOOT] address in the kernel half of the backend',
  handle: '[CPU] of the mapping, once there is one',
  devBusAddr: '[CPU] bus address that Xen returned for a device mapping',
});

/** The argument of the vCPU's hypercall. */
export const RaceHypercall = defineTable('%v.race_hypercall[%]', ['vcpus', 'raceOpWords'], {
  value: '[CPU,XEN] a word of the record',
});

/** Ballooned pages whose addresses the mappings get. */
const RacePlace = defineTable('race.place[%]', ['raceMappings'], {
  page: '[BOOT] page of the backend without a frame',
});

/** Pages that a race is about. */
export const RaceFrame = defineTable('race.frame[%]', ['raceMappings'], {
  vpn: '[BOOT] its address in the direct map of its owner',
  mfn: '[BOOT] its machine frame',
});

export const hypercallTables = [RaceMapping, RaceHypercall, RacePlace, RaceFrame];
export const hypercallDefaults = { raceMappings: 4, raceOpWords: 32 };

/** Finds addresses for the first `count` mappings. Part of a race's arrangement. */
export function* reservePlaces(count: number): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* allocBalloonedPages(v, count, RacePlace.page.at(0));
  for (let i = 0; i < count; i++) {
    const pfn = pfnOf(yield* read(RacePlace.page.at(i)));
    writeLocal(RaceMapping.vpn.at(i), kernelBase() + pfn);
  }
}

/** Names a grant that is not there: behind the end of the frontend's table. @param slot - where. */
export function nameMissingGrant(slot: number): void {
  writeLocal(RaceGrant.domid.at(slot), FRONTEND);
  writeLocal(RaceGrant.ref.at(slot), GrantEntry.hdr.count);
}

/** Word of the vCPU's record. */
export function hypercallRecord(v: number): number {
  return RaceHypercall.value.at2(v, 0);
}

/**
 * Maps a granted page.
 * @param v - vCPU. @param place - index of RaceMapping. @param grant - index of RaceGrant.
 * @param flags - GNTMAP_*. @returns GNTST_*.
 */
export function* mapGrant(v: number, place: number, grant: number, flags: number): Op {
  const op = hypercallRecord(v);
  const ref = readLocal(RaceGrant.ref.at(grant));
  const domid = readLocal(RaceGrant.domid.at(grant));
  gnttabSetMapOp(op, readLocal(RaceMapping.vpn.at(place)), flags, ref, domid);
  yield* gnttabMapGrantRef(v, op, 1);
  const status = yield* read(op + MAP_STATUS);
  if (status !== GNTST_okay) return status;
  writeLocal(RaceMapping.handle.at(place), yield* read(op + MAP_HANDLE));
  writeLocal(RaceMapping.devBusAddr.at(place), yield* read(op + MAP_DEV_BUS_ADDR));
  return status;
}

/**
 * Unmaps what `mapGrant` mapped: the host part, the device part, or both.
 * @param host - 1 to unmap at the address. @param device - 1 to unmap the bus address.
 * @returns GNTST_*.
 */
export function* unmapGrant(v: number, place: number, host: number, device: number): Op {
  const op = hypercallRecord(v);
  const vpn = host === 0 ? 0 : readLocal(RaceMapping.vpn.at(place));
  gnttabSetUnmapOp(op, vpn, readLocal(RaceMapping.handle.at(place)));
  if (device !== 0) {
    writeLocal(op + UNMAP_DEV_BUS_ADDR, readLocal(RaceMapping.devBusAddr.at(place)));
  }
  yield* gnttabUnmapGrantRef(v, op, 1);
  return yield* read(op + UNMAP_STATUS);
}

/** Notes a page of a domain in RaceFrame. @param slot - where. @param pg - page of the domain. */
export function* noteFrame(slot: number, d: number, pg: number): Op<void> {
  writeLocal(RaceFrame.vpn.at(slot), kernelBase() + pfnOf(pg));
  writeLocal(RaceFrame.mfn.at(slot), yield* pfnToMfn(d, pfnOf(pg)));
}

/** The record of a copy of one word. @param op - word of the record. */
function setCopyOp(op: number, flags: number): void {
  writeLocal(op + COPY_SOURCE_OFFSET, 0);
  writeLocal(op + COPY_DEST_OFFSET, 0);
  writeLocal(op + COPY_LEN, 1);
  writeLocal(op + COPY_FLAGS, flags);
}

/**
 * Copies a word of a granted page into a page of the caller.
 * @param v - vCPU. @param grant - index of RaceGrant. @param frame - index of RaceFrame.
 * @returns GNTST_*.
 */
export function* copyFromGrant(v: number, grant: number, frame: number): Op {
  const op = hypercallRecord(v);
  setCopyOp(op, GNTCOPY_source_gref);
  writeLocal(op + COPY_SOURCE, readLocal(RaceGrant.ref.at(grant)));
  writeLocal(op + COPY_SOURCE_DOMID, readLocal(RaceGrant.domid.at(grant)));
  writeLocal(op + COPY_DEST, readLocal(RaceFrame.mfn.at(frame)));
  writeLocal(op + COPY_DEST_DOMID, DOMID_SELF);
  yield* grantTableOpCopy(v, op, 1);
  return yield* read(op + COPY_STATUS);
}

/** Copies a word of a page of the caller into a granted page. Parameters as above. */
export function* copyToGrant(v: number, grant: number, frame: number): Op {
  const op = hypercallRecord(v);
  setCopyOp(op, GNTCOPY_dest_gref);
  writeLocal(op + COPY_SOURCE, readLocal(RaceFrame.mfn.at(frame)));
  writeLocal(op + COPY_SOURCE_DOMID, DOMID_SELF);
  writeLocal(op + COPY_DEST, readLocal(RaceGrant.ref.at(grant)));
  writeLocal(op + COPY_DEST_DOMID, readLocal(RaceGrant.domid.at(grant)));
  yield* grantTableOpCopy(v, op, 1);
  return yield* read(op + COPY_STATUS);
}
