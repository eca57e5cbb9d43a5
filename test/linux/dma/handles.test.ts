/**
 * Goal: a handle unmaps its mapping once, whoever asks and however often the record is used again.
 * Method: single calls; then two CPUs that unmap one handle, and two that map and unmap in turn, by
 * DPOR, with fewer records than mappings.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../../src/explore/check.ts';
import {
  DmaHandle,
  dmaHandleCreate,
  dmaHandleRecord,
  dmaHandleRelease,
  dmaHandleTake,
} from '../../../src/linux/designs/dma-handles.ts';
import { EINVAL } from '../../../src/linux/errno.ts';
import { NO_PHYS } from '../../../src/linux/dma/swiotlb.ts';
import { DMA_TO_DEVICE } from '../../../src/linux/dma/address.ts';
import { foreignPrivate } from '../../../src/linux/designs/foreign-page.ts';
import { PG_foreign, Page } from '../../../src/linux/mm/page.ts';
import type { Machine } from '../../../src/shared/layout.ts';
import { mem } from '../../../src/shared/memory.ts';
import type { Op } from '../../../src/shared/op.ts';
import { read, runAlone, write, writeLocal } from '../../../src/shared/operations.ts';
import { bootedMachine } from '../mm/machine.ts';

const PAGE = 12;
let machine: Machine;

beforeEach(() => {
  machine = bootedMachine({ dmaHandleRecords: 2 });
});

function create(bus: number): Op {
  return dmaHandleCreate(PAGE, bus, NO_PHYS, 2, DMA_TO_DEVICE);
}

/** What a CPU noted. */
function now(v: number): number {
  return mem[Page.index.at2(0, v)] as number;
}

describe('a handle', () => {
  test('leads to page, grant, address and direction', () => {
    writeLocal(Page.flags.at2(0, PAGE), PG_foreign);
    writeLocal(Page.private.at2(0, PAGE), foreignPrivate(1, 7));
    const index = runAlone(dmaHandleRecord(runAlone(create(77))));
    const word = (name: 'page' | 'grant' | 'bus' | 'dir') => mem[DmaHandle[name].at(index)];
    expect([word('page'), word('bus'), word('dir')]).toEqual([PAGE, 77, DMA_TO_DEVICE]);
    expect(word('grant')).toBe(foreignPrivate(1, 7));
  });

  test('is refused a second time, and when its record serves another mapping', () => {
    const handle = runAlone(create(77));
    const index = runAlone(dmaHandleTake(handle));
    expect(index).toBeGreaterThanOrEqual(0);
    expect(runAlone(dmaHandleTake(handle))).toBe(-EINVAL);
    runAlone(dmaHandleRelease(index));
    const next = runAlone(create(78));
    expect(next).not.toBe(handle);
    expect(runAlone(dmaHandleTake(handle))).toBe(-EINVAL);
    expect(runAlone(dmaHandleRecord(handle))).toBe(-EINVAL);
    expect(runAlone(dmaHandleTake(next))).toBe(index);
  });

  test('cannot be had when all records are in use, and nonsense is refused', () => {
    expect(runAlone(create(1))).toBeGreaterThanOrEqual(0);
    expect(runAlone(create(2))).toBeGreaterThanOrEqual(0);
    expect(runAlone(create(3))).toBe(-1);
    expect(runAlone(dmaHandleTake(-1))).toBe(-EINVAL);
    expect(runAlone(dmaHandleTake(4000))).toBe(-EINVAL);
  });

  test('that two CPUs unmap is unmapped by one of them', () => {
    const handle = runAlone(create(77));
    function* unmap(v: number): Op<void> {
      yield* write(Page.index.at2(0, v), (yield* dmaHandleTake(handle)) >= 0 ? 1 : 0);
    }
    const result = check({
      machine,
      actors: [0, 1].map((v) => ({ name: `cpu${v}`, body: () => unmap(v) })),
      strategy: 'dpor',
      final: () => (now(0) + now(1) === 1 ? null : `unmapped ${now(0) + now(1)} times`),
    });
    expect(result).toMatchObject({ verdict: 'safe', exhausted: true });
  });

  test('is good while others come and go', () => {
    function* user(v: number): Op<void> {
      const handle = yield* create(100 + v);
      const index = yield* dmaHandleTake(handle);
      const bus = index < 0 ? -1 : yield* read(DmaHandle.bus.at(index));
      yield* write(Page.index.at2(0, v), bus);
      if (index >= 0) yield* dmaHandleRelease(index);
    }
    const result = check({
      machine,
      actors: [0, 1].map((v) => ({ name: `cpu${v}`, body: () => user(v) })),
      strategy: 'dpor',
      executions: 20_000,
      final: () => (now(0) === 100 && now(1) === 101 ? null : `found ${now(0)} and ${now(1)}`),
    });
    expect(result.verdict).toBe('safe');
  });
});
