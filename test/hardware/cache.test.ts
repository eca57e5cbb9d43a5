/**
 * Goal: CPUs see each other's stores through the cache, devices see memory alone, and each
 * maintenance operation does what its name says. Method: single operations by two vCPUs and a
 * device; then random interleavings of stores and loads with lines that come and go, under SC and
 * TSO, in which no CPU may lose a store of its own.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { FAULT_NOT_PRESENT, cpuLoad, cpuMaintain, cpuStore } from '../../src/hardware/access.ts';
import {
  CACHE_CLEAN,
  CACHE_INVALIDATE,
  CacheLine,
  LINE_INVALID,
  cacheFill,
  cacheMaintain,
} from '../../src/hardware/cache.ts';
import { cacheSpeculation } from '../../src/hardware/cache-speculation.ts';
import { dmaRead, dmaWrite } from '../../src/hardware/dma.ts';
import { Device } from '../../src/hardware/iommu.ts';
import { PTE_PRESENT, PTE_RW, frameWord, makePte } from '../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { REG_VALUE, Vcpu, reg } from '../../src/hardware/vcpu.ts';
import { ConfigError, createMachine } from '../../src/shared/layout.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { runAlone, warnOn, writeLocal } from '../../src/shared/operations.ts';

const FRAME = 40;
const VPN = 1;
const BOTH = CACHE_CLEAN | CACHE_INVALIDATE;
const config = { ...hardwareDefaults, nonCoherent: 1, cacheFrames: hardwareDefaults.frames };
let machine: Machine;

/** Two vCPUs with one page mapped, without interrupts. */
function boot(): void {
  machine = createMachine(hardwareTables, config);
  bootHardware(config);
  writeLocal(frameWord(1, 0), makePte(2, PTE_PRESENT | PTE_RW));
  writeLocal(frameWord(2, VPN), makePte(FRAME, PTE_PRESENT | PTE_RW));
  for (let v = 0; v < 2; v++) writeLocal(Vcpu.cr3.at(v), 1);
}

function load(v: number): number {
  expect(runAlone(cpuLoad(v, VPN, 0))).toBe(0);
  return reg(v, REG_VALUE);
}

function store(v: number, value: number): void {
  expect(runAlone(cpuStore(v, VPN, 0, value))).toBe(0);
}

function fetched(): number {
  expect(runAlone(dmaRead(0, FRAME, 0))).toBe(0);
  return mem[Device.value.at(0)] as number;
}

function maintain(operation: number): void {
  runAlone(cacheMaintain(FRAME, 0, operation));
}

beforeEach(boot);

describe('the cache', () => {
  test('is one for all CPUs, and a device does not see a store in it', () => {
    store(0, 5);
    expect(load(1)).toBe(5);
    expect(fetched()).toBe(0);
  });

  test('gives a CPU what it holds, not what a device stored since', () => {
    expect(load(0)).toBe(0);
    runAlone(dmaWrite(0, FRAME, 0, 9));
    expect(load(1)).toBe(0);
  });

  test('cleaning writes back and keeps the line', () => {
    store(0, 5);
    maintain(CACHE_CLEAN);
    expect(fetched()).toBe(5);
    runAlone(dmaWrite(0, FRAME, 0, 9));
    expect(load(0)).toBe(5);
  });

  test('invalidating drops the line and a store in it', () => {
    store(0, 5);
    maintain(CACHE_INVALIDATE);
    expect(load(0)).toBe(0);
  });

  test('cleaning and invalidating drops nothing that was stored', () => {
    store(0, 5);
    maintain(BOTH);
    expect(mem[CacheLine.state.at2(FRAME, 0)]).toBe(LINE_INVALID);
    expect(load(0)).toBe(5);
  });

  test('evicting a dirty line overwrites what a device stored', () => {
    store(0, 5);
    runAlone(dmaWrite(0, FRAME, 0, 9));
    maintain(BOTH);
    expect(fetched()).toBe(5);
  });

  test('a line that is filled of its own accord is as stale as any', () => {
    runAlone(cacheFill(FRAME, 0));
    runAlone(dmaWrite(0, FRAME, 0, 9));
    expect(load(0)).toBe(0);
  });

  test('can be maintained by any virtual address of the frame, by none that is not mapped', () => {
    store(0, 5);
    expect(runAlone(cpuMaintain(1, VPN, 0, CACHE_CLEAN))).toBe(0);
    expect(fetched()).toBe(5);
    expect(runAlone(cpuMaintain(1, VPN + 1, 0, CACHE_CLEAN))).toBe(FAULT_NOT_PRESENT);
  });

  test('a machine whose cache is smaller than its memory is refused', () => {
    const small = { ...config, cacheFrames: 1 };
    createMachine(hardwareTables, small);
    expect(() => bootHardware(small)).toThrow(ConfigError);
  });
});

/** Stores numbers and loads them again; nobody else stores to this word. */
function* counter(v: number): Op<void> {
  for (let i = 1; i <= 3; i++) {
    yield* cpuStore(v, VPN, v, i);
    yield* cpuLoad(v, VPN, v);
    warnOn(reg(v, REG_VALUE) !== i, 1, reg(v, REG_VALUE), i);
  }
}

describe.each(['sc', 'tso'] as const)('lines that come and go under %s', (memory) => {
  test('lose no store', () => {
    const lost: number[] = [];
    const result = check({
      machine,
      actors: [0, 1].flatMap((v) => [
        { name: `cpu${v}`, body: () => counter(v) },
        { name: `line${v}`, body: () => cacheSpeculation(FRAME, v, 4) },
      ]),
      memory,
      strategy: 'random',
      executions: 500,
      setup: () => {
        lost.length = 0;
      },
      observer: { access() {}, trace() {}, bug: (_actor, _id, a) => void lost.push(a) },
      invariant: () => (lost.length > 0 ? `a store is lost: ${lost[0]}` : null),
    });
    expect(result.finding).toBeUndefined();
  });
});
