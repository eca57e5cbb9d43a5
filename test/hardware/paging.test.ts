/**
 * Goal: walks find what the tables say, in tiny machines of 2 levels and in ones of 4 levels as on
 * x86-64; damage in a table never leads out of the machine's memory.
 * Method: random mappings are built word by word and looked up by software walk and by access.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAULT_NO_MEMORY, FAULT_NOT_PRESENT, cpuLoad } from '../../src/hardware/access.ts';
import {
  MFN_LIMIT,
  PTE_FLAGS_MASK,
  PTE_PRESENT,
  PTE_RW,
  frameWord,
  makePte,
  ptEntryWord,
  ptIndex,
  pteFlags,
  pteMfn,
  walkToPte,
} from '../../src/hardware/paging.ts';
import { bootHardware, hardwareDefaults, hardwareTables } from '../../src/hardware/tables.ts';
import { loadCr3, tlbFlushLocal } from '../../src/hardware/tlb.ts';
import { REG_MFN, REG_VALUE, reg } from '../../src/hardware/vcpu.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import { runAlone, writeLocal } from '../../src/shared/operations.ts';

const root = 1;

function boot(ptShift: number, ptLevels: number, ptFrames: number): void {
  const config = {
    ...hardwareDefaults,
    ptShift,
    ptLevels,
    ptEntries: 1 << ptShift,
    ptFrames,
    frames: ptFrames + 16,
  };
  createMachine(hardwareTables, config);
  bootHardware(config);
  runAlone(loadCr3(0, root));
}

/** Maps vpn → mfn, making tables from `next` on. @returns the next free frame. */
function build(vpn: number, pte: number, levels: number, next: number): number {
  let table = root;
  let free = next;
  for (let level = levels; level > 1; level--) {
    const word = ptEntryWord(table, ptIndex(vpn, level));
    if (mem[word] === 0) writeLocal(word, makePte(free++, PTE_PRESENT | PTE_RW));
    table = pteMfn(mem[word] as number);
  }
  writeLocal(ptEntryWord(table, ptIndex(vpn, 1)), pte);
  return free;
}

describe('paging', () => {
  test('an entry keeps its frame and flags apart', () => {
    fc.assert(
      fc.property(fc.nat(MFN_LIMIT - 1), fc.nat(PTE_FLAGS_MASK), (mfn, flags) => {
        const pte = makePte(mfn, flags);
        expect(pteMfn(pte)).toBe(mfn);
        expect(pteFlags(pte)).toBe(flags);
        expect(pte).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test.each([
    { ptShift: 3, ptLevels: 2, pages: 64 },
    { ptShift: 9, ptLevels: 4, pages: 0x7fffffff },
  ])('walks of $ptLevels levels find every mapping and nothing else', (shape) => {
    const vpns = fc.uniqueArray(fc.nat(shape.pages - 1), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(vpns, (some) => {
        boot(shape.ptShift, shape.ptLevels, 40);
        const absent = some.pop() as number;
        let next = 2;
        some.forEach((vpn, i) => {
          next = build(vpn, makePte(40 + i, PTE_PRESENT), shape.ptLevels, next);
          writeLocal(frameWord(40 + i, 1), vpn);
        });
        some.forEach((vpn, i) => {
          const word = runAlone(walkToPte(0, root, vpn));
          expect(pteMfn(mem[word] as number)).toBe(40 + i);
          expect(runAlone(cpuLoad(0, vpn, 1))).toBe(0);
          expect([reg(0, REG_VALUE), reg(0, REG_MFN)]).toEqual([vpn, 40 + i]);
        });
        expect(runAlone(cpuLoad(0, absent, 1))).toBe(FAULT_NOT_PRESENT);
      }),
      { numRuns: 50 },
    );
  });

  test('a table is missing: the software walk finds no entry', () => {
    boot(3, 2, 32);
    expect(runAlone(walkToPte(0, root, 9))).toBe(-1);
  });

  test('an entry that names no memory is a fault, not a way out of the machine', () => {
    boot(3, 2, 32);
    build(9, makePte(MFN_LIMIT - 1, PTE_PRESENT), 2, 2);
    expect(runAlone(cpuLoad(0, 9, 0))).toBe(FAULT_NO_MEMORY);
    writeLocal(ptEntryWord(root, 1), makePte(32, PTE_PRESENT));
    expect(runAlone(cpuLoad(0, 9, 0))).toBe(FAULT_NOT_PRESENT);
    expect(runAlone(walkToPte(0, root, 9))).toBe(-1);
  });

  test('frames that hold page tables keep a whole table, the others their few words', () => {
    boot(3, 2, 32);
    expect(frameWord(31, 7)).toBe(ptEntryWord(31, 7));
    expect(frameWord(33, 0) - frameWord(32, 0)).toBe(2);
  });

  test('a contradiction of sizes is refused with one line', () => {
    const bad = { ...hardwareDefaults, ptEntries: 7 };
    createMachine(hardwareTables, bad);
    expect(() => bootHardware(bad)).toThrow('ptEntries must be 1 << ptShift');
    runAlone(tlbFlushLocal(0));
  });
});
