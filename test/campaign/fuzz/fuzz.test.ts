/**
 * Goal: the fuzzer finds what is known to be broken, makes it small, tells it once, and does the
 * same again when it is asked again.
 * Method: short runs over both designs; the finding of a partial munmap under m2p-override (which
 * needs no race) held against the smallest program that shows it.
 */
import { describe, expect, test } from 'vitest';
import { decodeProgram, encodeProgram } from '../../../src/corpus/fuzz/codec.ts';
import { PairCoverage } from '../../../src/campaign/coverage.ts';
import type { FuzzOptions } from '../../../src/campaign/fuzz/fuzz.ts';
import { fuzz } from '../../../src/campaign/fuzz/fuzz.ts';
import { fuzzScenario } from '../../../src/campaign/fuzz/scenario.ts';
import type { Breakage, RunOptions } from '../../../src/campaign/fuzz/run-program.ts';
import { coarseKey, runProgram, wordPattern } from '../../../src/campaign/fuzz/run-program.ts';
import {
  showsAgain,
  shrinkProgram,
  smallerPrograms,
} from '../../../src/campaign/fuzz/shrink-program.ts';

const broken: RunOptions = {
  design: 'm2p-override',
  memory: 'sc',
  strategy: 'random',
  seed: 3,
  executions: 20,
};

function breakageOf(text: string, options: RunOptions): Breakage {
  const { breakage } = runProgram(decodeProgram(text), options, new PairCoverage());
  if (breakage === null) throw new Error(`${text} did not break`);
  return breakage;
}

describe('shrinking programs', () => {
  test('a partial munmap under m2p-override shrinks to a map of two and the munmap', () => {
    const found = breakageOf('pm00210m12140_bl1u02g000_bz31o_ft0e1', broken);
    const { breakage, minimal } = shrinkProgram(found, broken);
    expect(minimal).toBe(true);
    expect(coarseKey(breakage)).toBe(coarseKey(found));
    const { prologue, threads } = breakage.program;
    expect(threads).toHaveLength(1);
    expect(prologue.length + (threads[0]?.steps.length ?? 0)).toBe(2);
    expect(showsAgain(breakage, broken)).toBe(true);
  });

  test('a smaller program has one thing less', () => {
    const program = decodeProgram('pm00210_bu02x_fe1');
    const smaller = [...smallerPrograms(program)].map(encodeProgram);
    expect(smaller).toContain('pm00210_bu02x');
    expect(smaller).toContain('bu02x_fe1');
    expect(smaller).toContain('pm00210_bx_fe1');
    expect(smaller).toContain('pm00110_bu02x_fe1');
    expect(smaller).not.toContain(encodeProgram(program));
  });

  test('the smallest program has nothing smaller', () => {
    expect([...smallerPrograms(decodeProgram('b'))]).toEqual([]);
  });
});

describe('programs that once broke vma-pages', () => {
  test.each([
    ['pm00110_bz11_bm20120p211', 'a range is mapped while another is invalidated'],
    ['pm23201_bm00120i2_bo_bm02320z02', 'a notifier is removed at the end of an invalidation'],
    ['pm20310_bm20110u01_bm20111_bm02320', 'mmap fails for want of page tables'],
  ])('%s stands: %s', (text) => {
    const pct: RunOptions = { ...broken, design: 'vma-pages', strategy: 'pct', seed: 2 };
    const options = { ...pct, executions: 70, most: 70 };
    const { breakage, executions } = runProgram(decodeProgram(text), options, new PairCoverage());
    expect(breakage?.message ?? null).toBeNull();
    expect(executions).toBe(70);
  });

  test('a thread that asks for a page while it holds one can stop everybody', () => {
    const pct: RunOptions = { ...broken, design: 'vma-pages', strategy: 'pct', executions: 200 };
    const { words } = breakageOf('pm10100_bs000s001_bp011', pct);
    expect(words).toContain('mm[0].mmapLock');
  });
});

describe('what makes two findings the same', () => {
  test('indices of words do not matter', () => {
    expect(wordPattern('gnttab[d1].entry[3].hdr')).toBe('gnttab[].entry[].hdr');
    expect(wordPattern('d0.page[7].refcount')).toBe(wordPattern('d1.page[2].refcount'));
    expect(wordPattern('d0v1.tlb[3].pte')).toBe(wordPattern('d0v0.tlb[0].pte'));
  });
});

describe('fuzzing', () => {
  const options: FuzzOptions = { ...broken, seed: 1, executions: 150, seconds: 60 };

  test('the same options give the same programs and findings', () => {
    const shrink = { executions: 12, total: 120 };
    const seen: string[] = [];
    const first = fuzz({ ...options, shrink, onFinding: ({ key }) => seen.push(key) });
    const again = fuzz({ ...options, shrink });
    expect(again).toEqual(first);
    expect(first.list.map(({ key }) => key)).toEqual(seen);
    expect(new Set(seen).size).toBe(seen.length);
    expect(first.findings).toBeGreaterThan(0);
    expect(first.corpus).toBeGreaterThan(0);
  });

  test('vma-pages survives programs that no thread interrupts', () => {
    const result = fuzz({
      ...options,
      design: 'vma-pages',
      executions: 100,
      size: { actors: 1, steps: 6 },
    });
    expect(result.list.map(({ key }) => key)).toEqual([]);
    expect(result.executions).toBe(100);
  });

  test('a program is a scenario by name', () => {
    const scenario = fuzzScenario('pm00210_bu02');
    expect(scenario.name).toBe('fuzz/pm00210_bu02');
    expect(scenario.prepare({ design: 'vma-pages', param: 0 }).actors[0]?.name).toBe(
      'd0v0 process',
    );
  });
});
