/**
 * What races of the hypervisor have in common: a backend domain that maps, unmaps and copies by
 * hypercalls of its own, without a driver in between, at addresses of ballooned pages.
 */
import { firstVcpuOf, kernelBase } from '../../hardware/params.ts';
import { allocBalloonedPages } from '../../linux/drivers/balloon.ts';
import { gnttabSetMapOp, gnttabSetUnmapOp } from '../../linux/drivers/map-refs.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { GrantEntry } from '../../xen/grant-table/entry.ts';
import { gnttabMapGrantRef } from '../../xen/grant-table/map.ts';
import { gnttabUnmapGrantRef } from '../../xen/grant-table/unmap.ts';
import {
  GNTST_okay,
  MAP_DEV_BUS_ADDR,
  MAP_HANDLE,
  MAP_STATUS,
  UNMAP_DEV_BUS_ADDR,
  UNMAP_STATUS,
} from '../../xen/public/grant-table.ts';
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

/** A page that a race is about. */
export const RaceFrame = defineTable('race.frame', [], {
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
