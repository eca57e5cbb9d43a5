/**
 * Goal: the invariants over whole tables see every disagreement, and none in a machine that
 * lawful operations brought about. Method: real hypercalls of the hypervisor room on a small
 * machine; then single words are spoiled.
 */
import { beforeEach, expect, test } from 'vitest';
import { Iommu } from '../../src/hardware/iommu.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { checkFrames } from '../../src/oracle/invariants/frames.ts';
import { checkHandles } from '../../src/oracle/invariants/handles.ts';
import { checkIommu } from '../../src/oracle/invariants/iommu.ts';
import { checkPins } from '../../src/oracle/invariants/pins.ts';
import {
  FRAMES_LOST,
  FRAME_REFERENCE,
  HANDLE_PLACE,
  IOMMU_MISMATCH,
  PIN_MISCOUNT,
  REVOKED_WHILE_PINNED,
} from '../../src/oracle/violation.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem, poke } from '../../src/shared/memory.ts';
import { runAlone } from '../../src/shared/operations.ts';
import { sharedDefaults, sharedTables } from '../../src/shared/tables.ts';
import { Domain } from '../../src/xen/domain.ts';
import { ActiveEntry } from '../../src/xen/grant-table/active.ts';
import { entryHeader, GrantEntry } from '../../src/xen/grant-table/entry.ts';
import {
  getMaptrackHandle,
  Maptrack,
  putMaptrackHandle,
} from '../../src/xen/grant-table/maptrack.ts';
import { allocDomheapPage, Heap } from '../../src/xen/page-alloc.ts';
import { PageInfo } from '../../src/xen/page-info.ts';
import {
  GNTMAP_device_map,
  GNTMAP_host_map,
  GTF_permit_access,
  GTF_reading,
  GTF_writing,
} from '../../src/xen/public/grant-table.ts';
import { bootXen, xenDefaults, xenTables } from '../../src/xen/tables.ts';

const config = { ...sharedDefaults, ...hardwareDefaults, ...xenDefaults };
const GRANTER = 0;
const GRANTEE = 1;
const REF = 3;
const VCPU = 2;

let found: number[];
const report = (_actor: number, violation: number): void => {
  found.push(violation);
};

beforeEach(() => {
  createMachine([...sharedTables, ...hardwareTables, ...xenTables], config);
  bootHardware(config);
  bootXen(config);
  found = [];
});

/** A live device and host mapping as map_grant_ref leaves it. @returns its handle and frame. */
function forgeMapping(): { handle: number; mfn: number } {
  const mfn = runAlone(allocDomheapPage(0, GRANTER));
  const handle = runAlone(getMaptrackHandle(VCPU));
  poke(Maptrack.ref.at2(GRANTEE, handle), REF);
  poke(Maptrack.domid.at2(GRANTEE, handle), GRANTER);
  poke(Maptrack.flags.at2(GRANTEE, handle), GNTMAP_host_map | GNTMAP_device_map);
  poke(ActiveEntry.pin.at2(GRANTER, REF), 0x00010001);
  poke(ActiveEntry.domid.at2(GRANTER, REF), GRANTEE);
  poke(ActiveEntry.mfn.at2(GRANTER, REF), mfn);
  const flags = GTF_permit_access | GTF_reading | GTF_writing;
  poke(GrantEntry.hdr.at2(GRANTER, REF), entryHeader(flags, GRANTEE));
  return { handle, mfn };
}

test('pins: they equal the live mappings, by kind', () => {
  forgeMapping();
  checkPins(report);
  expect(found).toEqual([]);
  poke(ActiveEntry.pin.at2(GRANTER, REF), 0x00010002);
  checkPins(report);
  expect(found).toEqual([PIN_MISCOUNT]);
});

test('pins: the bits of the shared entry agree with them', () => {
  forgeMapping();
  poke(GrantEntry.hdr.at2(GRANTER, REF), entryHeader(GTF_permit_access | GTF_reading, GRANTEE));
  checkPins(report);
  expect(found).toEqual([REVOKED_WHILE_PINNED]);
});

test('handles: each is in one place while vCPUs get and put them', () => {
  const handles = [0, 1, 2].map(() => runAlone(getMaptrackHandle(VCPU)));
  handles.forEach((handle) => poke(Maptrack.flags.at2(GRANTEE, handle), GNTMAP_host_map));
  checkHandles(true, report);
  const [first] = handles as [number, number, number];
  poke(Maptrack.flags.at2(GRANTEE, first), 0);
  checkHandles(false, report);
  expect(found).toEqual([]);
  checkHandles(true, report);
  expect(found).toEqual([HANDLE_PLACE]);
  runAlone(putMaptrackHandle(VCPU, first));
  checkHandles(true, report);
  expect(found.length).toBe(1);
});

test('handles: a live one on a free list and a cycle are found', () => {
  const handle = runAlone(getMaptrackHandle(VCPU));
  runAlone(putMaptrackHandle(VCPU, handle));
  poke(Maptrack.flags.at2(GRANTEE, handle), GNTMAP_host_map);
  checkHandles(true, report);
  poke(Maptrack.flags.at2(GRANTEE, handle), 0);
  poke(Maptrack.ref.at2(GRANTEE, handle), handle);
  checkHandles(true, report);
  expect(found).toEqual([HANDLE_PLACE, HANDLE_PLACE]);
});

test('frames: free, owned and counted ones add up', () => {
  const mfn = runAlone(allocDomheapPage(0, GRANTER));
  checkFrames(report);
  expect(found).toEqual([]);
  poke(Domain.totPages.at(GRANTER), 0);
  poke(PageInfo.owner.at(mfn), -1);
  checkFrames(report);
  expect(found).toEqual([FRAMES_LOST]);
});

test('frames: a free one with a reference is found', () => {
  const free = mem[Heap.dataHead.word] as number;
  poke(PageInfo.countInfo.at(free), (mem[PageInfo.countInfo.at(free)] as number) + 1);
  checkFrames(report);
  expect(found).toEqual([FRAME_REFERENCE]);
});

test('iommu: an entry is there exactly while a mapping calls for it', () => {
  const { mfn } = forgeMapping();
  poke(Domain.needIommu.at(GRANTEE), 1);
  checkIommu(report);
  expect(found).toEqual([IOMMU_MISMATCH]);
  poke(Iommu.rights.at2(GRANTEE, mfn), 3);
  checkIommu(report);
  expect(found.length).toBe(1);
});
