/**
 * Goal: virtual interrupts wait for the guest's mask and none is lost; physical ones wait for
 * nobody.
 * Method: random interleavings of a masked section with senders, under SC and TSO; every call that
 * was sent must have been answered when all is quiet, or the sender waits for ever.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { flushTlbHypercall, flushTlbIpi } from '../../src/hardware/flush.ts';
import {
  handlePhysical,
  handleUpcall,
  localIrqRestore,
  localIrqSave,
  physicalActor,
  sendIpi,
  sendPhysical,
  upcallActor,
} from '../../src/hardware/irq.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import {
  PHYS_FLUSH,
  UPCALL_PENDING,
  VECTOR_CALL_FUNCTION,
  Vcpu,
  reg,
  setReg,
} from '../../src/hardware/vcpu.ts';
import { Call, CallQueue } from '../../src/hardware/shootdown.ts';
import { NestingEngine } from './nesting-engine.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { finish, readOnce, runAlone, writeLocal } from '../../src/shared/operations.ts';

const config = { ...hardwareDefaults, domains: 1, vcpusPerDomain: 4 };
let machine: Machine;

beforeEach(() => {
  machine = createMachine(hardwareTables, config);
  bootHardware(config);
});

/** Counts in register 9 how often this TLB was flushed while upcalls were masked. */
function* maskedSection(v: number): Op<void> {
  const flags = yield* localIrqSave(v);
  const before = yield* readOnce(Vcpu.tlbSequence.at(v));
  const inner = yield* localIrqSave(v);
  yield* localIrqRestore(v, inner);
  const after = yield* readOnce(Vcpu.tlbSequence.at(v));
  if (before !== after) setReg(v, 9, 1);
  yield* localIrqRestore(v, flags);
}

const upcall = (v: number, actor: number) => ({
  name: `d0v${v}.upcall`,
  body: () => upcallActor(v),
  daemon: true,
  interrupts: { actor, word: Vcpu.upcall.at(v) },
});

const physical = (v: number, actor: number) => ({
  name: `d0v${v}.physical`,
  body: () => physicalActor(v),
  daemon: true,
  interrupts: { actor, word: Vcpu.physical.at(v) },
});

const interrupted = (): string | null => (reg(0, 9) === 0 ? null : 'interrupted while masked');

const quiet = (): string | null => {
  for (let v = 0; v < 4; v++) {
    const left = (mem[Vcpu.upcall.at(v)] as number) | (mem[Vcpu.virtualPending.at(v)] as number);
    if (left !== 0) return `vCPU ${v} has interrupts left`;
  }
  return null;
};

describe('interrupts', () => {
  test.each(['sc', 'tso'] as const)(
    'an IPI to a masked vCPU waits for the unmask: %s',
    (memory) => {
      const result = check({
        machine,
        actors: [
          { name: 'd0v0', body: () => maskedSection(0) },
          { name: 'd0v1', body: () => flushTlbIpi(1, 1) },
          upcall(0, 0),
        ],
        final: () =>
          interrupted() ??
          quiet() ??
          (mem[Vcpu.tlbSequence.at(0)] === 1 ? null : 'the IPI was lost'),
        strategy: 'random',
        memory,
        executions: 1000,
        seed: 1,
      });
      expect(result.finding).toBeUndefined();
    },
  );

  test.each(['sc', 'tso'] as const)('a physical interrupt does not wait: %s', (memory) => {
    const result = check({
      machine,
      actors: [
        { name: 'd0v0', body: () => maskedSection(0) },
        { name: 'd0v1', body: () => flushTlbHypercall(1, 1) },
        physical(0, 0),
      ],
      final: interrupted,
      strategy: 'random',
      memory,
      executions: 1000,
      seed: 1,
    });
    expect(result.finding?.message).toContain('interrupted while masked');
  });

  test.each(['sc', 'tso'] as const)('of many senders none is forgotten: %s', (memory) => {
    const result = check({
      machine,
      actors: [
        { name: 'd0v0', body: () => maskedSection(0) },
        { name: 'd0v1', body: () => flushTlbIpi(1, 1) },
        { name: 'd0v2', body: () => flushTlbIpi(2, 1) },
        { name: 'd0v3', body: () => flushTlbIpi(3, 1) },
        upcall(0, 0),
      ],
      final: quiet,
      strategy: 'random',
      memory,
      executions: 1000,
      seed: 1,
    });
    expect(result.finding).toBeUndefined();
  });

  test('handlers may be called at any time: with nothing pending they change nothing', () => {
    const saved = mem.slice();
    runAlone(handlePhysical(0));
    runAlone(handleUpcall(0));
    expect(mem).toEqual(saved);
  });

  test('a vector that arrives while the handler runs is not left behind', () => {
    const result = check({
      machine,
      actors: [
        { name: 'd0v0', body: () => maskedSection(0) },
        { name: 'd0v1', body: () => sendIpi(1, 0, VECTOR_CALL_FUNCTION) },
        { name: 'd0v2', body: () => sendIpi(2, 0, VECTOR_CALL_FUNCTION) },
        upcall(0, 0),
      ],
      final: quiet,
      strategy: 'random',
      memory: 'sc',
      executions: 1000,
      seed: 1,
    });
    expect(result.finding).toBeUndefined();
  });

  test('handlers that the operations call at every step are entered once', () => {
    runAlone(sendIpi(1, 0, VECTOR_CALL_FUNCTION));
    runAlone(sendPhysical(0, PHYS_FLUSH));
    writeLocal(CallQueue.callers.at(0), 1 << 1);
    writeLocal(Call.busy.at2(1, 0), 1);
    let unmasked = 0;
    const everywhere = new NestingEngine(() => {
      if (mem[Vcpu.upcall.at(0)] === 0) unmasked++;
      finish(handlePhysical(0));
      if (mem[Vcpu.upcall.at(0)] === UPCALL_PENDING) finish(handleUpcall(0));
    });
    everywhere.run(() => finish(handleUpcall(0)));
    expect(quiet()).toBeNull();
    expect(mem[Vcpu.physical.at(0)]).toBe(0);
    expect(mem[Call.busy.at2(1, 0)]).toBe(0);
    expect(mem[Vcpu.tlbSequence.at(0)]).toBe(2);
    expect(unmasked).toBe(0);
  });
});
