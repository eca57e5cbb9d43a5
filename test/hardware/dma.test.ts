/**
 * Goal: DMA moves words of machine frames; with an IOMMU it reaches only what is mapped, caches
 * translations until a flush, and no access is under way when the flush has returned.
 * Method: single accesses by a device; then random interleavings of DMA with unmap, flush and
 * reuse of the frame, and the same without the flush, which must be found broken.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { DMA_NO_MEMORY, DMA_REFUSED, dmaRead, dmaWrite } from '../../src/hardware/dma.ts';
import {
  Device,
  IOMMU_READ,
  IOMMU_WRITE,
  handleInvalidate,
  invalidateActor,
  iommuFlush,
  iommuMap,
  iommuUnmap,
} from '../../src/hardware/iommu.ts';
import { frameWord } from '../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { NestingEngine } from './nesting-engine.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { finish, readOnce, runAlone, writeLocal } from '../../src/shared/operations.ts';
import { reg, setReg } from '../../src/hardware/vcpu.ts';

const frame = 40;
let machine: Machine;

function boot(iommu: number): void {
  const config = { ...hardwareDefaults, iommu };
  machine = createMachine(hardwareTables, config);
  bootHardware(config);
  writeLocal(Device.domid.at(0), 1);
  writeLocal(Device.online.at(0), 1);
  writeLocal(frameWord(frame, 1), 77);
}

beforeEach(() => boot(1));

/** Writes by DMA to a frame again and again. */
function* writer(dev: number): Op<void> {
  for (let i = 1; i <= 3; i++) yield* dmaWrite(dev, frame, 0, i);
}

/** Takes the frame from the device and looks whether it still writes. */
function* takeAway(v: number, flush: boolean): Op<void> {
  yield* iommuUnmap(1, frame);
  if (flush) yield* iommuFlush(1);
  const before = yield* readOnce(frameWord(frame, 0));
  const after = yield* readOnce(frameWord(frame, 0));
  if (before !== after) setReg(v, 9, 1);
}

describe('DMA', () => {
  test('without an IOMMU a device reaches every frame', () => {
    boot(0);
    expect(runAlone(dmaRead(0, frame, 1))).toBe(0);
    expect(mem[Device.value.at(0)]).toBe(77);
    expect(runAlone(dmaWrite(0, frame, 0, 5))).toBe(0);
    expect(mem[frameWord(frame, 0)]).toBe(5);
  });

  test('a bus address without memory is an error', () => {
    expect(runAlone(dmaRead(0, 64, 0))).toBe(DMA_NO_MEMORY);
    expect(runAlone(dmaWrite(0, -1, 0, 1))).toBe(DMA_NO_MEMORY);
  });

  test('the IOMMU refuses what is not mapped, and writes where only reads are', () => {
    expect(runAlone(dmaRead(0, frame, 1))).toBe(DMA_REFUSED);
    runAlone(iommuMap(0, frame, IOMMU_READ | IOMMU_WRITE));
    expect(runAlone(dmaRead(0, frame, 1))).toBe(DMA_REFUSED);
    runAlone(iommuMap(1, frame, IOMMU_READ));
    expect(runAlone(dmaRead(0, frame, 1))).toBe(0);
    expect(runAlone(dmaWrite(0, frame, 1, 1))).toBe(DMA_REFUSED);
    expect(mem[frameWord(frame, 1)]).toBe(77);
    runAlone(iommuMap(1, frame, IOMMU_READ | IOMMU_WRITE));
    expect(runAlone(dmaWrite(0, frame, 1, 1))).toBe(0);
    expect(mem[Device.refused.at(0)]).toBe(3);
  });

  test('a translation lasts until the flush', () => {
    runAlone(iommuMap(1, frame, IOMMU_READ | IOMMU_WRITE));
    expect(runAlone(dmaRead(0, frame, 1))).toBe(0);
    runAlone(iommuUnmap(1, frame));
    expect(runAlone(dmaRead(0, frame, 1))).toBe(0);
    runAlone(handleInvalidate(0));
    expect(runAlone(dmaRead(0, frame, 1))).toBe(DMA_REFUSED);
    runAlone(iommuMap(1, frame, IOMMU_READ | IOMMU_WRITE));
    expect(runAlone(dmaWrite(0, frame, 1, 2))).toBe(0);
    runAlone(iommuUnmap(1, frame));
    expect(runAlone(dmaWrite(0, frame, 1, 3))).toBe(0);
  });

  test('an invalidation that comes while one is handled changes nothing', () => {
    writeLocal(Device.invalidate.at(0), 1);
    const nested = new NestingEngine(() => finish(handleInvalidate(0)));
    nested.run(() => finish(handleInvalidate(0)));
    expect(mem[Device.invalidate.at(0)]).toBe(0);
    expect(mem[Device.iotlbSequence.at(0)]).toBe(1);
  });

  test.each([
    { flush: true, name: 'after unmap and flush nothing is written', verdict: undefined },
    { flush: false, name: 'without the flush the device goes on', verdict: /still writes/ },
  ])('$name', ({ flush, verdict }) => {
    runAlone(iommuMap(1, frame, IOMMU_READ | IOMMU_WRITE));
    const { finding } = check({
      machine,
      actors: [
        { name: 'dev0', body: () => writer(0) },
        { name: 'd0v0', body: () => takeAway(0, flush) },
        {
          name: 'dev0.iotlb',
          body: () => invalidateActor(0),
          daemon: true,
          interrupts: { actor: 0, word: Device.invalidate.at(0) },
        },
      ],
      final: () => (reg(0, 9) === 0 ? null : 'the device still writes'),
      strategy: 'random',
      memory: 'sc',
      executions: 1000,
      seed: 1,
    });
    if (verdict === undefined) expect(finding).toBeUndefined();
    else expect(finding?.message).toMatch(verdict);
  });
});
