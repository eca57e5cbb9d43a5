/**
 * Goal: a TLB is filled only by walks and emptied only by flushes; what it holds goes on being used
 * whatever becomes of the page tables.
 * Method: random loads, stores, page-table writes and flushes on one vCPU, against a plain model:
 * a Map as cache, a Map as page table.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  FAULT_NOT_PRESENT,
  FAULT_READ_ONLY,
  cpuLoad,
  cpuStore,
} from '../../src/hardware/access.ts';
import { PTE_PRESENT, PTE_RW, frameWord, makePte, ptEntryWord } from '../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { loadCr3, tlbFlushLocal, tlbFlushPageLocal } from '../../src/hardware/tlb.ts';
import { REG_MFN, REG_VALUE, Vcpu, reg } from '../../src/hardware/vcpu.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import { runAlone, writeLocal } from '../../src/shared/operations.ts';

const config = { ...hardwareDefaults, tlbEntries: 8 };
const root = 1;
const leaf = 2;

beforeEach(() => {
  createMachine(hardwareTables, config);
  bootHardware(config);
  writeLocal(ptEntryWord(root, 0), makePte(leaf, PTE_PRESENT | PTE_RW));
  for (let mfn = 32; mfn < 64; mfn++) writeLocal(frameWord(mfn, 0), mfn * 100);
  runAlone(loadCr3(0, root));
});

type Step =
  | { do: 'load' | 'store'; vpn: number }
  | { do: 'set'; vpn: number; mfn: number; flags: number }
  | { do: 'flush' }
  | { do: 'invlpg'; vpn: number };

const vpn = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('load' as const, 'store' as const), vpn }),
  fc.record({
    do: fc.constant('set' as const),
    vpn,
    mfn: fc.integer({ min: 32, max: 40 }),
    flags: fc.constantFrom(0, PTE_PRESENT, PTE_PRESENT | PTE_RW),
  }),
  fc.constant({ do: 'flush' as const }),
  fc.record({ do: fc.constant('invlpg' as const), vpn }),
);

describe('TLB', () => {
  test('a random history agrees with a cache that only walks fill and only flushes empty', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 40 }), (steps) => {
        const table = new Map<number, number>();
        const cache = new Map<number, number>();
        for (let i = 0; i < 8; i++) writeLocal(ptEntryWord(leaf, i), 0);
        runAlone(tlbFlushLocal(0));
        for (const each of steps) play(each, table, cache);
      }),
      { numRuns: 200 },
    );
  });

  test('loading cr3 forgets the translations of the tables before', () => {
    writeLocal(ptEntryWord(leaf, 3), makePte(40, PTE_PRESENT));
    expect(runAlone(cpuLoad(0, 3, 0))).toBe(0);
    writeLocal(ptEntryWord(5, 0), makePte(6, PTE_PRESENT));
    writeLocal(ptEntryWord(6, 3), makePte(41, PTE_PRESENT));
    runAlone(loadCr3(0, 5));
    expect(runAlone(cpuLoad(0, 3, 0))).toBe(0);
    expect(reg(0, REG_MFN)).toBe(41);
  });

  test('each flush is one step that every guarded access sees', () => {
    const before = mem[Vcpu.tlbSequence.at(0)] as number;
    runAlone(tlbFlushLocal(0));
    runAlone(tlbFlushPageLocal(0, 5));
    expect(mem[Vcpu.tlbSequence.at(0)]).toBe(before + 2);
    expect(mem[Vcpu.tlbSequence.at(1)]).toBe(0);
  });

  test('two pages of one slot evict each other', () => {
    writeLocal(ptEntryWord(root, 1), makePte(3, PTE_PRESENT));
    writeLocal(ptEntryWord(leaf, 1), makePte(40, PTE_PRESENT));
    writeLocal(ptEntryWord(3, 1), makePte(41, PTE_PRESENT));
    runAlone(cpuLoad(0, 1, 0));
    runAlone(cpuLoad(0, 9, 0));
    writeLocal(ptEntryWord(leaf, 1), makePte(42, PTE_PRESENT));
    expect(runAlone(cpuLoad(0, 1, 0))).toBe(0);
    expect(reg(0, REG_MFN)).toBe(42);
  });
});

function play(each: Step, table: Map<number, number>, cache: Map<number, number>): void {
  switch (each.do) {
    case 'set': {
      const pte = makePte(each.mfn, each.flags);
      table.set(each.vpn, pte);
      writeLocal(ptEntryWord(leaf, each.vpn), pte);
      return;
    }
    case 'flush':
      cache.clear();
      runAlone(tlbFlushLocal(0));
      return;
    case 'invlpg':
      cache.delete(each.vpn);
      runAlone(tlbFlushPageLocal(0, each.vpn));
      return;
    default:
      checkAccess(each.do === 'store', each.vpn, table, cache);
  }
}

function checkAccess(
  store: boolean,
  page: number,
  table: Map<number, number>,
  cache: Map<number, number>,
): void {
  const need = store ? PTE_PRESENT | PTE_RW : PTE_PRESENT;
  let pte = cache.get(page) ?? 0;
  if ((pte & need) !== need) pte = table.get(page) ?? 0;
  let expected = 0;
  if ((pte & PTE_PRESENT) === 0) expected = FAULT_NOT_PRESENT;
  else if ((pte & need) !== need) expected = FAULT_READ_ONLY;
  else cache.set(page, pte);
  const mfn = pte >> 9;
  const got = runAlone(store ? cpuStore(0, page, 0, mfn * 100) : cpuLoad(0, page, 0));
  expect(got).toBe(expected);
  if (got !== 0) return;
  expect(reg(0, REG_MFN)).toBe(mfn);
  if (!store) expect(reg(0, REG_VALUE)).toBe(mfn * 100);
}
