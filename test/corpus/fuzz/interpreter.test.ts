/**
 * Goal: every operation of a fuzzed program does its work and breaks nothing by itself.
 * Method: each opcode with each value of each operand, before and after a map, alone on vma-pages
 * under the oracle; and the effects of some of them on the machine's words.
 */
import { describe, expect, test } from 'vitest';
import { PairCoverage } from '../../../src/campaign/coverage.ts';
import { decodeProgram, encodeProgram } from '../../../src/corpus/fuzz/codec.ts';
import type { Operation, Step } from '../../../src/corpus/fuzz/grammar.ts';
import { operations } from '../../../src/corpus/fuzz/grammar.ts';
import { checkOptions, runProgram } from '../../../src/campaign/fuzz/run-program.ts';
import { FUZZ_MAP } from '../../../src/corpus/fuzz/opcodes.ts';
import { FuzzGrant, FuzzPage, FuzzSlot } from '../../../src/corpus/fuzz/tables.ts';
import { fibersFor, strategyFor } from '../../../src/explore/check.ts';
import { COMPLETE } from '../../../src/explore/fibers.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { readLocal } from '../../../src/shared/operations.ts';

const options = {
  design: 'vma-pages',
  memory: 'sc',
  strategy: 'round-robin',
  seed: 1,
  executions: 2,
} as const;

const map: Step = { op: FUZZ_MAP, values: [0, 0, 2, 0, 0] };

/** Each operand at each value, the others at their least. */
function variants({ op, operands }: Operation): Step[] {
  const least = operands.map((operand) => operand.least);
  const steps: Step[] = [{ op, values: least }];
  operands.forEach((operand, i) => {
    for (let value = operand.least + 1; value <= operand.most; value++) {
      steps.push({ op, values: least.with(i, value) });
    }
  });
  return steps;
}

/** Runs a program to its end and then looks at the machine. */
function afterwards(text: string, look: () => void): void {
  const check = checkOptions(decodeProgram(text), options);
  const fibers = fibersFor(check, strategyFor(check));
  expect(fibers.run()).toBe(COMPLETE);
  look();
  fibers.rewind();
}

describe('each operation alone', () => {
  test.each(operations.map((operation) => [operation.name, operation] as const))(
    '%s breaks nothing on vma-pages',
    (_name, operation) => {
      const broken: string[] = [];
      for (const step of variants(operation)) {
        for (const side of operation.sides) {
          const other = side === 'process' ? [] : [{ side: 'process' as const, steps: [] }];
          const program = {
            prologue: operation.op === FUZZ_MAP ? [] : [map],
            threads: [{ side, steps: [step, step] }, ...other],
          };
          const { breakage } = runProgram(program, options, new PairCoverage());
          if (breakage !== null) broken.push(`${encodeProgram(program)}: ${breakage.message}`);
        }
      }
      expect(broken).toEqual([]);
    },
  );
});

describe('what operations leave behind', () => {
  test('the process ends without maps, whatever its threads mapped', () => {
    afterwards('pm00300_bm12130m22160', () => {
      for (let slot = 0; slot < 3; slot++) expect(readLocal(FuzzSlot.index.at(slot))).toBe(-1);
    });
  });

  test('a grant that ended leaves its place empty and its page with its owner', () => {
    afterwards('fe1', () => {
      expect(readLocal(FuzzGrant.ref.at(1))).toBe(-1);
      const pg = readLocal(FuzzPage.page.at(1));
      expect(readLocal(Page.refcount.at2(1, pg % Page.refcount.count))).toBe(1);
    });
  });

  test('a page that is freed lives until its last grant has ended', () => {
    const refcount = (text: string): number => {
      let count = -1;
      afterwards(text, () => {
        const pg = readLocal(FuzzGrant.page.at(0));
        count = readLocal(Page.refcount.at2(1, pg % Page.refcount.count));
      });
      return count;
    };
    expect([refcount('ff0'), refcount('ff0e0'), refcount('ff0e0e3')]).toEqual([2, 1, 0]);
  });

  test('held pages are put at the end', () => {
    afterwards('pm00100_bg010k', () => {
      for (let pfn = 0; pfn < Page.refcount.count; pfn++) {
        expect(readLocal(Page.refcount.at2(0, pfn))).toBeLessThan(2);
      }
    });
  });
});
