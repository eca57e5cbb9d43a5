/**
 * Goal: the DMA API gives the device an address that it can reach, bounces what it cannot, copies
 * by direction, and finds at unmap what it gave at map, for pages, ranges and lists.
 * Method: a booted domain with a bounce pool; device accesses by bus address between the calls; and
 * random takes and returns of slots against a plain array of what is free.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpuLoad, cpuStore } from '../../../src/hardware/access.ts';
import { dmaRead, dmaWrite } from '../../../src/hardware/dma.ts';
import { Device } from '../../../src/hardware/iommu.ts';
import { kernelBase } from '../../../src/hardware/params.ts';
import { REG_VALUE, reg } from '../../../src/hardware/vcpu.ts';
import { DMA_HANDLES, VMA_PAGES } from '../../../src/linux/designs/design.ts';
import {
  DMA_BIDIRECTIONAL,
  DMA_FROM_DEVICE,
  DMA_MAPPING_ERROR,
  DMA_TO_DEVICE,
  busFrame,
  busOffset,
} from '../../../src/linux/dma/address.ts';
import {
  SG_DMA,
  SgEntry,
  dmaAddress,
  dmaMapPage,
  dmaMapSg,
  dmaSyncForCpu,
  dmaSyncForDevice,
  dmaUnmapPage,
  dmaUnmapSg,
  sgSetPage,
} from '../../../src/linux/dma/mapping.ts';
import {
  IoTlbSlot,
  NO_PHYS,
  isSwiotlbPage,
  swiotlbTblMapSingle,
  swiotlbTblUnmapSingle,
} from '../../../src/linux/dma/swiotlb.ts';
import { EINVAL } from '../../../src/linux/errno.ts';
import { P2m, mfnToLocalPfn } from '../../../src/linux/mm/p2m.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import { pfnOf } from '../../../src/linux/mm/page.ts';
import { mem } from '../../../src/shared/memory.ts';
import { runAlone, writeLocal } from '../../../src/shared/operations.ts';
import type { Config } from '../../../src/shared/table.ts';
import { bootedMachine } from '../mm/machine.ts';

const V = 0;
const DEV = 0;

function boot(sizes: Config = {}): void {
  bootedMachine({ ioTlbPages: 2, frameWords: 4, ...sizes });
  writeLocal(Device.online.at(DEV), 1);
}

function page(): number {
  return runAlone(allocPage(V));
}

function stored(pg: number, offset: number, value: number): void {
  expect(runAlone(cpuStore(V, kernelBase() + pfnOf(pg), offset, value))).toBe(0);
}

function loaded(pg: number, offset: number): number {
  expect(runAlone(cpuLoad(V, kernelBase() + pfnOf(pg), offset))).toBe(0);
  return reg(V, REG_VALUE);
}

function fetched(token: number, offset: number): number {
  const bus = runAlone(dmaAddress(token)) + offset;
  expect(runAlone(dmaRead(DEV, busFrame(bus), busOffset(bus)))).toBe(0);
  return mem[Device.value.at(DEV)] as number;
}

function delivered(token: number, offset: number, value: number): void {
  const bus = runAlone(dmaAddress(token)) + offset;
  expect(runAlone(dmaWrite(DEV, busFrame(bus), busOffset(bus), value))).toBe(0);
}

function bounced(token: number): boolean {
  const mfn = busFrame(runAlone(dmaAddress(token)));
  return isSwiotlbPage(0, runAlone(mfnToLocalPfn(0, mfn)));
}

const map = (pg: number, size: number, dir: number, offset = 0): number =>
  runAlone(dmaMapPage(V, DEV, pg, offset, size, dir));
const unmap = (token: number, size: number, dir: number): number =>
  runAlone(dmaUnmapPage(V, token, size, dir));

/** All slots are free again. */
function poolIsWhole(): boolean {
  return mem[IoTlbSlot.list.at2(0, 0)] === 4;
}

describe.each([
  ['an address', VMA_PAGES],
  ['a handle', DMA_HANDLES],
])('unmapped by %s', (_token, design) => {
  test('a page that the device reaches is used as it is', () => {
    boot({ design });
    const pg = page();
    const token = map(pg, 4, DMA_BIDIRECTIONAL);
    expect(bounced(token)).toBe(false);
    expect(busFrame(runAlone(dmaAddress(token)))).toBe(mem[P2m.value.at2(0, pfnOf(pg))]);
    delivered(token, 3, 8);
    expect(unmap(token, 4, DMA_BIDIRECTIONAL)).toBe(0);
    expect(loaded(pg, 3)).toBe(8);
  });

  test.each([
    ['to the device', DMA_TO_DEVICE, 5, 5],
    ['from the device', DMA_FROM_DEVICE, -1, 9],
    ['both ways', DMA_BIDIRECTIONAL, 5, 9],
  ])('a bounce buffer is copied %s', (_name, dir, seen, after) => {
    boot({ design, swiotlbForce: 1 });
    const pg = page();
    stored(pg, 1, 5);
    const token = map(pg, 2, dir, 1);
    expect(bounced(token)).toBe(true);
    // What the slots held before is nobody's business.
    if (seen >= 0) expect(fetched(token, 0)).toBe(seen);
    else expect(fetched(token, 0)).not.toBe(5);
    delivered(token, 0, 9);
    expect(loaded(pg, 1)).toBe(5);
    unmap(token, 2, dir);
    expect(loaded(pg, 1)).toBe(after);
    expect(poolIsWhole()).toBe(true);
  });

  test('a device that cannot address the page or the pool gets no address', () => {
    boot({ design });
    const pg = page();
    writeLocal(Device.dmaLimit.at(DEV), 1);
    expect(map(pg, 4, DMA_TO_DEVICE)).toBe(DMA_MAPPING_ERROR);
    expect(poolIsWhole()).toBe(true);
  });

  test('a range whose frames do not follow each other is bounced', () => {
    boot({ design });
    const [low, high] = [page(), page()].sort((a, b) => a - b) as [number, number];
    expect(high).toBe(low + 1);
    const words = [P2m.value.at2(0, pfnOf(low)), P2m.value.at2(0, pfnOf(high))] as const;
    const near = map(low, 8, DMA_TO_DEVICE);
    expect(bounced(near)).toBe(false);
    unmap(near, 8, DMA_TO_DEVICE);
    const frame = mem[words[0]] as number;
    writeLocal(words[0], mem[words[1]] as number);
    writeLocal(words[1], frame);
    expect(bounced(map(low, 8, DMA_TO_DEVICE))).toBe(true);
  });

  test('a sync copies and leaves the mapping in place', () => {
    boot({ design, swiotlbForce: 1 });
    const pg = page();
    const token = map(pg, 4, DMA_BIDIRECTIONAL);
    delivered(token, 0, 7);
    expect(runAlone(dmaSyncForCpu(V, token, 4, DMA_BIDIRECTIONAL))).toBe(0);
    expect(loaded(pg, 0)).toBe(7);
    stored(pg, 0, 11);
    expect(runAlone(dmaSyncForDevice(V, token, 4, DMA_BIDIRECTIONAL))).toBe(0);
    expect(fetched(token, 0)).toBe(11);
    unmap(token, 4, DMA_BIDIRECTIONAL);
    expect(poolIsWhole()).toBe(true);
  });

  test('a list is mapped as a whole or not at all', () => {
    boot({ design, swiotlbForce: 1 });
    const sg = SgEntry.page.at2(V, 0);
    for (let i = 0; i < 3; i++) sgSetPage(SgEntry.page.at2(V, i), page(), 4, 0);
    expect(runAlone(dmaMapSg(V, DEV, sg, 3, DMA_TO_DEVICE))).toBe(0);
    expect(poolIsWhole()).toBe(true);
    expect(runAlone(dmaMapSg(V, DEV, sg, 2, DMA_TO_DEVICE))).toBe(2);
    expect(bounced(mem[sg + SG_DMA] as number)).toBe(true);
    runAlone(dmaUnmapSg(V, sg, 2, DMA_TO_DEVICE));
    expect(poolIsWhole()).toBe(true);
  });
});

describe('a handle', () => {
  test('unmaps once', () => {
    boot({ design: DMA_HANDLES });
    const token = map(page(), 4, DMA_TO_DEVICE);
    expect(unmap(token, 4, DMA_TO_DEVICE)).toBe(0);
    expect(unmap(token, 4, DMA_TO_DEVICE)).toBe(-EINVAL);
    expect(runAlone(dmaSyncForCpu(V, token, 4, DMA_TO_DEVICE))).toBe(-EINVAL);
  });
});

describe('the slots of the bounce pool', () => {
  test('are given out once each and come back, in any order and size', () => {
    const commands = fc.array(fc.record({ take: fc.boolean(), size: fc.nat(3), pick: fc.nat() }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(commands, (list) => {
        boot();
        const held: { slot: number; slots: number }[] = [];
        for (const { take, size, pick } of list) {
          const slots = size + 1;
          if (take) {
            const slot = runAlone(swiotlbTblMapSingle(V, 0, slots * 2, DMA_FROM_DEVICE));
            if (slot !== NO_PHYS) held.push({ slot, slots });
          } else if (held.length > 0) {
            const [one] = held.splice(pick % held.length, 1);
            if (one === undefined) continue;
            runAlone(swiotlbTblUnmapSingle(V, one.slot, one.slots * 2, DMA_TO_DEVICE));
          }
          const taken = held.flatMap(({ slot, slots: n }) =>
            Array.from({ length: n }, (_, i) => slot / 2 + i),
          );
          expect(new Set(taken).size).toBe(taken.length);
        }
        for (const { slot, slots } of held) {
          runAlone(swiotlbTblUnmapSingle(V, slot, slots * 2, DMA_TO_DEVICE));
        }
        expect([0, 1, 2, 3].map((i) => mem[IoTlbSlot.list.at2(0, i)])).toEqual([4, 3, 2, 1]);
      }),
      { numRuns: 40 },
    );
  });
});
