/**
 * Goal: after a shootdown no vCPU of the mask uses an old translation; the IPI flush waits for a
 * vCPU with interrupts off, the hypercall flush does not.
 * Method: a lock-free walker with interrupts off (the shape of GUP-fast) against an owner that
 * clears the entry, flushes and reuses the frame, under SC and TSO; then many
 * flushers at once.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { cpuLoad } from '../../src/hardware/access.ts';
import { flushTlbHypercall, flushTlbIpi, vcpuMaskOf } from '../../src/hardware/flush.ts';
import {
  localIrqRestore,
  localIrqSave,
  physicalActor,
  upcallActor,
} from '../../src/hardware/irq.ts';
import { PTE_PRESENT, PTE_RW, frameWord, makePte, ptEntryWord } from '../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { Tlb } from '../../src/hardware/tlb.ts';
import { REG_VALUE, Vcpu, reg, setReg } from '../../src/hardware/vcpu.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { readOnce, runAlone, writeLocal, writeOnce } from '../../src/shared/operations.ts';

const config = { ...hardwareDefaults, domains: 1, vcpusPerDomain: 4 };
const root = 1;
const leaf = 2;
const frame = 40;
const page = 3;
const FREED = 0x01010101;
const IPI = 0;
const HYPERCALL = 1;
let machine: Machine;

beforeEach(() => {
  machine = createMachine(hardwareTables, config);
  bootHardware(config);
  for (let v = 0; v < 4; v++) writeLocal(Vcpu.cr3.at(v), root);
  writeLocal(ptEntryWord(root, 0), makePte(leaf, PTE_PRESENT | PTE_RW));
  writeLocal(ptEntryWord(leaf, page), makePte(frame, PTE_PRESENT | PTE_RW));
});

function* flush(kind: number, v: number, mask: number): Op<void> {
  if (kind === IPI) yield* flushTlbIpi(v, mask);
  else yield* flushTlbHypercall(v, mask);
}

/** Clears the entry, flushes, reuses the frame. */
function* reuse(kind: number, v: number, mask: number): Op<void> {
  yield* writeOnce(ptEntryWord(leaf, page), 0);
  yield* flush(kind, v, mask);
  for (let t = 0; t < 4; t++) {
    if ((mask >> t) % 2 === 1 && mem[Tlb.tag.at2(t, page)] === page + 1) setReg(t, 9, 1);
  }
  yield* writeOnce(frameWord(frame, 0), FREED);
}

/** Reads the entry and then the frame, with interrupts off in between. */
function* walker(v: number): Op<void> {
  const flags = yield* localIrqSave(v);
  const pte = yield* readOnce(ptEntryWord(leaf, page));
  if (pte !== 0 && (yield* readOnce(frameWord(frame, 0))) === FREED) setReg(v, 9, 1);
  yield* localIrqRestore(v, flags);
}

/** Uses the page twice: the second time through the TLB. */
function* user(v: number): Op<void> {
  for (let i = 0; i < 2; i++) {
    if ((yield* cpuLoad(v, page, 0)) === 0 && reg(v, REG_VALUE) === FREED) setReg(v, 9, 1);
  }
}

const interrupts = (v: number, actor: number) => [
  {
    name: `d0v${v}.upcall`,
    body: () => upcallActor(v),
    daemon: true,
    interrupts: { actor, word: Vcpu.upcall.at(v) },
  },
  {
    name: `d0v${v}.physical`,
    body: () => physicalActor(v),
    daemon: true,
    interrupts: { actor, word: Vcpu.physical.at(v) },
  },
];

const stale = (): string | null => {
  for (let v = 0; v < 4; v++) if (reg(v, 9) !== 0) return `vCPU ${v} read a frame after its reuse`;
  return null;
};

const random = { strategy: 'random', executions: 1000, seed: 1 } as const;

describe.each(['sc', 'tso'] as const)('shootdown under %s', (memory) => {
  test.each([
    { kind: IPI, name: 'the IPI flush', verdict: undefined },
    { kind: HYPERCALL, name: 'the hypercall flush', verdict: /after its reuse/ },
  ])('$name against a walker with interrupts off', ({ kind, verdict }) => {
    const { finding } = check({
      machine,
      actors: [
        { name: 'walker', body: () => walker(0) },
        { name: 'owner', body: () => reuse(kind, 1, 1) },
        ...interrupts(0, 0),
      ],
      invariant: stale,
      final: stale,
      memory,
      ...random,
    });
    if (verdict === undefined) expect(finding).toBeUndefined();
    else expect(finding?.message).toMatch(verdict);
  });

  test.each([
    { kind: IPI, name: 'IPI' },
    { kind: HYPERCALL, name: 'hypercall' },
  ])('no TLB of the mask keeps a translation past the flush by $name', ({ kind }) => {
    const { finding } = check({
      machine,
      actors: [
        { name: 'user', body: () => user(0) },
        { name: 'other user', body: () => user(2) },
        { name: 'owner', body: () => reuse(kind, 1, 0b101) },
        ...interrupts(0, 0),
        ...interrupts(2, 1),
      ],
      invariant: stale,
      final: stale,
      memory,
      ...random,
    });
    expect(finding).toBeUndefined();
  });

  test('a TLB outside of the mask keeps its translation', () => {
    const { finding } = check({
      machine,
      actors: [
        { name: 'user', body: () => user(0) },
        { name: 'owner', body: () => reuse(HYPERCALL, 1, 0b100) },
        ...interrupts(2, 0),
      ],
      invariant: stale,
      final: stale,
      memory,
      ...random,
    });
    expect(finding?.message).toMatch(/after its reuse/);
  });

  test('a flusher that is answered at once does not wait for ever', () => {
    const { finding } = check({
      machine,
      actors: [
        { name: 'asker', body: () => flushTlbIpi(0, 0b10) },
        { name: 'asked', body: () => user(1) },
        { name: 'other asker', body: () => flushTlbIpi(2, 0b10) },
        ...interrupts(1, 1),
      ],
      memory,
      strategy: 'pct',
      depth: 3,
      executions: 2000,
      seed: 1,
    });
    expect(finding).toBeUndefined();
  });

  test('flushers of each other do not wait for ever', () => {
    const { finding } = check({
      machine,
      actors: [
        { name: 'a', body: () => flushTlbIpi(0, 0b111) },
        { name: 'b', body: () => flushTlbHypercall(1, 0b111) },
        { name: 'c', body: () => flushTlbHypercall(2, 0b111) },
        ...interrupts(0, 0),
        ...interrupts(1, 1),
        ...interrupts(2, 2),
      ],
      final: () => {
        for (let v = 0; v < 3; v++) if (mem[Vcpu.tlbSequence.at(v)] !== 3) return 'a flush is lost';
        return null;
      },
      memory,
      ...random,
    });
    expect(finding).toBeUndefined();
  });
});

describe('masks', () => {
  test('the mask of a domain names its vCPUs', () => {
    expect(vcpuMaskOf(0)).toBe(0b1111);
    machine = createMachine(hardwareTables, hardwareDefaults);
    bootHardware(hardwareDefaults);
    expect(vcpuMaskOf(1)).toBe(0b1100);
  });

  test('a vCPU that is not online is not waited for', () => {
    writeLocal(Vcpu.online.at(2), 0);
    runAlone(flushTlbHypercall(1, 0b0110));
    runAlone(flushTlbIpi(1, 0b0110));
    expect(mem[Vcpu.tlbSequence.at(1)]).toBe(2);
  });
});
