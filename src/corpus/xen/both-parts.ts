/**
 * What several races of unmapping begin with: one mapping of the backend with a host and a device
 * part, under one handle. One vCPU unmaps the one part, another vCPU the other.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { GNTMAP_device_map, GNTMAP_host_map } from '../../xen/public/grant-table.ts';
import { BACKEND, grantPage } from '../process.ts';
import type { RaceActor } from '../race.ts';
import { mapGrant, reservePlaces, unmapGrant } from './hypercalls.ts';

/** A granted page is mapped for CPUs and devices, writable. */
export function* arrangeBothParts(): Op<void> {
  yield* grantPage(0);
  yield* reservePlaces(1);
  yield* mapGrant(firstVcpuOf(BACKEND), 0, 0, GNTMAP_host_map | GNTMAP_device_map);
}

function* unmapHostPart(): Op<void> {
  yield* unmapGrant(firstVcpuOf(BACKEND), 0, 1, 0);
}

function* unmapDevicePart(): Op<void> {
  yield* unmapGrant(firstVcpuOf(BACKEND) + 1, 0, 0, 1);
}

/** Two vCPUs of the backend, each of which unmaps a part. */
export const unmapBothParts: readonly RaceActor[] = [
  { role: 'unmap host part', vcpu: 0, body: unmapHostPart },
  { role: 'unmap device part', vcpu: 1, body: unmapDevicePart },
];
