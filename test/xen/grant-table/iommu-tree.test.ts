/**
 * Goal: a domain's devices reach exactly the frames it has mapped, writable while a writable
 * mapping lives, and lose them before the granter gets the frame back.
 * Method: random histories of mappings against two counters; races of mappers and unmappers with
 * the device's DMA.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dmaWrite } from '../../../src/hardware/dma.ts';
import { Device, IOMMU_READ, IOMMU_WRITE, Iommu, Iotlb } from '../../../src/hardware/iommu.ts';
import type { Op } from '../../../src/shared/op.ts';
import { read, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import {
  MaptrackTree,
  iommuCountMapping,
  iommuUncountMapping,
} from '../../../src/xen/grant-table/iommu-tree.ts';
import { gnttabMapGrantRef } from '../../../src/xen/grant-table/map.ts';
import { gnttabUnmapGrantRef } from '../../../src/xen/grant-table/unmap.ts';
import { PGC_state_free, PageInfo } from '../../../src/xen/page-info.ts';
import { decreaseReservation } from '../../../src/xen/memory.ts';
import {
  GNTMAP_host_map,
  GNTMAP_readonly,
  MAP_HANDLE,
  UNMAP_HANDLE,
} from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  fillMap,
  fillUnmap,
  grant,
  mapNow,
  mapOp,
  now,
  revoke,
  unmapOp,
} from '../machine.ts';
import type { XenMachine } from '../machine.ts';

const ref = 3;
const rights = (mfn: number): number => now(Iommu.rights.at2(MAPPER, mfn));

function expected(rd: number, wr: number): number {
  if (wr > 0) return IOMMU_READ | IOMMU_WRITE;
  return rd > 0 ? IOMMU_READ : 0;
}

describe('IOMMU counts', () => {
  test('a random history gives the rights of its live mappings', () => {
    const step = fc.record({ readonly: fc.boolean(), up: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        bootMachine({ iommu: 1 });
        let rd = 0;
        let wr = 0;
        for (const { readonly, up } of steps) {
          const flag = readonly ? 1 : 0;
          if (up) runAlone(iommuCountMapping(MAPPER, 40, flag));
          else if ((readonly ? rd : wr) > 0) runAlone(iommuUncountMapping(MAPPER, 40, flag));
          else continue;
          if (readonly) rd += up ? 1 : -1;
          else wr += up ? 1 : -1;
          expect(rights(40)).toBe(expected(rd, wr));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('without an IOMMU nothing is counted', () => {
    bootMachine();
    const mfn = dataFrame(GRANTER);
    grant(GRANTER, ref, mfn);
    mapNow(0, 5, GNTMAP_host_map, ref);
    expect(now(MaptrackTree.node.at2(MAPPER, mfn))).toBe(0);
  });
});

function* mapsThenUnmaps(v: number, n: number): Op<void> {
  yield* gnttabMapGrantRef(v, mapOp(n), 1);
  writeLocal(unmapOp(n) + UNMAP_HANDLE, yield* read(mapOp(n) + MAP_HANDLE));
  yield* gnttabUnmapGrantRef(v, unmapOp(n), 1);
}

function* device(mfn: number): Op<void> {
  for (let i = 0; i < 2; i++) yield* dmaWrite(0, mfn, 0, 5);
}

function* revokesAndFrees(mfn: number): Op<void> {
  if ((yield* revoke(GRANTER, ref)) === 1) yield* decreaseReservation(0, mfn);
}

function boot(running: number[]): { m: XenMachine; mfn: number } {
  const m = bootMachine({ iommu: 1 }, running);
  writeLocal(Device.online.at(0), 1);
  writeLocal(Device.domid.at(0), MAPPER);
  const mfn = dataFrame(GRANTER);
  grant(GRANTER, ref, mfn);
  return { m, mfn };
}
function cached(mfn: number): boolean {
  for (let slot = 0; slot < 4; slot++) if (now(Iotlb.tag.at2(0, slot)) === mfn + 1) return true;
  return false;
}

describe.each(['sc', 'tso'] as const)('IOMMU under %s', (memory) => {
  test('concurrent mappings of one frame end with no entry and no count', () => {
    const { m, mfn } = boot([2, 3]);
    fillMap(0, { hostAddr: 5, flags: GNTMAP_host_map, ref });
    fillMap(1, { hostAddr: 6, flags: GNTMAP_host_map | GNTMAP_readonly, ref });
    fillUnmap(0, { hostAddr: 5, handle: -1 });
    fillUnmap(1, { hostAddr: 6, handle: -1 });
    const result = explore(
      m,
      [
        { name: 'a', v: 2, body: () => mapsThenUnmaps(2, 0) },
        { name: 'b', v: 3, body: () => mapsThenUnmaps(3, 1) },
      ],
      {
        memory,
        final: () =>
          rights(mfn) === 0 && now(MaptrackTree.node.at2(MAPPER, mfn)) === 0
            ? null
            : 'I6: entry or count left',
      },
    );
    expect(result.finding).toBeUndefined();
  });

  test('a device loses the frame before the granter gets it back', () => {
    const { m, mfn } = boot([2]);
    fillUnmap(0, { hostAddr: 5, handle: mapNow(0, 5, GNTMAP_host_map, ref) });
    const result = explore(
      m,
      [
        { name: 'unmapper', v: 2, body: () => gnttabUnmapGrantRef(2, unmapOp(0), 1) },
        { name: 'dma', v: -1, body: () => device(mfn) },
        { name: 'granter', v: -1, body: () => revokesAndFrees(mfn) },
      ],
      {
        memory,
        invariant: () => {
          const reachable = rights(mfn) !== 0 || cached(mfn);
          if (reachable && now(ActiveEntry.pin.at2(GRANTER, ref)) === 0) return 'I6: no pin';
          const free = (now(PageInfo.countInfo.at(mfn)) & PGC_state_free) !== 0;
          return reachable && free ? 'I2: reachable and free' : null;
        },
      },
    );
    expect(result.finding).toBeUndefined();
  });
});
