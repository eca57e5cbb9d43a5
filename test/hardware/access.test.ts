/**
 * Goal: an instruction's translation and its access are one with respect to the vCPU's own flush
 * handler, a store respects the rights of every level, and a walk reads one entry a step.
 * Method: single accesses on hand-made page tables; then every interleaving that a random walk
 * finds of an access with a shootdown that comes in the middle of it.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { FAULT_READ_ONLY, cpuLoad, cpuStore } from '../../src/hardware/access.ts';
import { flushTlbHypercall } from '../../src/hardware/flush.ts';
import { physicalActor } from '../../src/hardware/irq.ts';
import { PTE_PRESENT, PTE_RW, frameWord, makePte, ptEntryWord } from '../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { REG_VALUE, Vcpu, reg, setReg } from '../../src/hardware/vcpu.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { readOnce, runAlone, writeLocal, writeOnce } from '../../src/shared/operations.ts';

const root = 1;
const leaf = 2;
const frame = 40;
const page = 3;
const OWN = 7;
const FREED = 0x01010101;
let machine: Machine;

beforeEach(() => {
  machine = createMachine(hardwareTables, hardwareDefaults);
  bootHardware(hardwareDefaults);
  for (let v = 0; v < 4; v++) writeLocal(Vcpu.cr3.at(v), root);
  writeLocal(ptEntryWord(root, 0), makePte(leaf, PTE_PRESENT | PTE_RW));
  writeLocal(ptEntryWord(leaf, page), makePte(frame, PTE_PRESENT | PTE_RW));
  writeLocal(frameWord(frame, 0), OWN);
});

/** Takes the page away and reuses its frame, as an owner does. */
function* takeAway(v: number): Op<void> {
  yield* writeOnce(ptEntryWord(leaf, page), 0);
  yield* flushTlbHypercall(v, 1);
  yield* writeOnce(frameWord(frame, 0), FREED);
}

function* load(v: number): Op<void> {
  if ((yield* cpuLoad(v, page, 0)) === 0 && reg(v, REG_VALUE) === FREED) setReg(v, 9, 1);
}

function* store(v: number): Op<void> {
  for (let i = 1; i <= 4; i++) yield* cpuStore(v, page, 0, i);
}

/** Takes the page away and looks whether anybody still writes to its frame. */
function* takeAwayAndWatch(v: number): Op<void> {
  yield* writeOnce(ptEntryWord(leaf, page), 0);
  yield* flushTlbHypercall(v, 1);
  const before = yield* readOnce(frameWord(frame, 0));
  const after = yield* readOnce(frameWord(frame, 0));
  if (before !== after) setReg(v, 9, 1);
}

/** Stores while flushes come that change nothing: what was reported as stored is there. */
function* storeAndCount(v: number): Op<void> {
  for (let i = 1; i <= 3; i++) {
    const fault = yield* cpuStore(v, page, 0, i);
    if (fault === 0 && (yield* readOnce(frameWord(frame, 0))) !== i) setReg(v, 9, 1);
  }
}

const physical = (v: number, actor: number) => ({
  name: `d0v${v}.physical`,
  body: () => physicalActor(v),
  daemon: true,
  interrupts: { actor, word: Vcpu.physical.at(v) },
});

describe('access', () => {
  test('a store through a read-only translation faults and leaves the frame alone', () => {
    writeLocal(ptEntryWord(leaf, page), makePte(frame, PTE_PRESENT));
    expect(runAlone(cpuLoad(0, page, 0))).toBe(0);
    expect(runAlone(cpuStore(0, page, 0, 9))).toBe(FAULT_READ_ONLY);
    expect(mem[frameWord(frame, 0)]).toBe(OWN);
  });

  test('a page is writable only if every level says so', () => {
    writeLocal(ptEntryWord(root, 0), makePte(leaf, PTE_PRESENT));
    expect(runAlone(cpuStore(0, page, 0, 9))).toBe(FAULT_READ_ONLY);
    writeLocal(ptEntryWord(root, 0), makePte(leaf, PTE_PRESENT | PTE_RW));
    expect(runAlone(cpuStore(0, page, 0, 9))).toBe(0);
    expect(mem[frameWord(frame, 0)]).toBe(9);
  });

  test.each(['sc', 'tso'] as const)('no load reads a frame after the flush: %s', (memory) => {
    const result = check({
      machine,
      actors: [
        { name: 'd0v0', body: () => load(0) },
        { name: 'd0v1', body: () => takeAway(1) },
        physical(0, 0),
      ],
      final: () => (reg(0, 9) === 0 ? null : 'loaded from a frame that was taken away'),
      strategy: 'random',
      memory,
      executions: 1000,
      seed: 1,
    });
    expect(result.finding).toBeUndefined();
  });

  test('a store that a flush interrupts is done again, not forgotten', () => {
    const result = check({
      machine,
      actors: [
        { name: 'd0v0', body: () => storeAndCount(0) },
        { name: 'd0v1', body: () => flushTlbHypercall(1, 1) },
        physical(0, 0),
      ],
      final: () => (reg(0, 9) === 0 ? null : 'a store was forgotten'),
      strategy: 'random',
      memory: 'sc',
      executions: 1000,
      seed: 1,
    });
    expect(result.finding).toBeUndefined();
  });

  test.each(['sc', 'tso'] as const)('no store reaches a frame after the flush: %s', (memory) => {
    const result = check({
      machine,
      actors: [
        { name: 'd0v0', body: () => store(0) },
        { name: 'd0v1', body: () => takeAwayAndWatch(1) },
        physical(0, 0),
      ],
      final: () => (reg(1, 9) === 0 ? null : 'stored to a frame that was taken away'),
      strategy: 'random',
      memory,
      executions: 1000,
      seed: 1,
    });
    expect(result.finding).toBeUndefined();
  });
});
