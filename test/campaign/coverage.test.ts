/**
 * Goal: the coverage counts an ordered pair of accesses once, and tells the two orders apart.
 * Method: pairs by hand, and runs of one program, once and again.
 */
import { describe, expect, test } from 'vitest';
import { decodeProgram } from '../../src/corpus/fuzz/codec.ts';
import { PairCoverage } from '../../src/campaign/coverage.ts';
import type { RunOptions } from '../../src/campaign/fuzz/run-program.ts';
import { runProgram } from '../../src/campaign/fuzz/run-program.ts';

const options: RunOptions = {
  design: 'vma-pages',
  memory: 'sc',
  strategy: 'random',
  seed: 1,
  executions: 2,
};

describe('the coverage of ordered pairs', () => {
  test('a pair counts once, and its reverse counts too', () => {
    const coverage = new PairCoverage();
    coverage.add(3, 10, 20);
    coverage.add(3, 10, 20);
    expect(coverage.count).toBe(1);
    coverage.add(3, 20, 10);
    coverage.add(4, 10, 20);
    expect(coverage.count).toBe(3);
  });

  test('a single thread meets nobody but its kernel thread', () => {
    const coverage = new PairCoverage();
    runProgram(decodeProgram('bg000'), options, coverage);
    const alone = coverage.count;
    runProgram(decodeProgram('ba01g000_bg000'), options, coverage);
    expect(coverage.count).toBeGreaterThan(alone);
  });

  test('the same schedules show nothing new', () => {
    const coverage = new PairCoverage();
    const program = decodeProgram('ba01g000_bu01');
    const first = runProgram(program, options, coverage);
    const seen = coverage.count;
    const again = runProgram(program, { ...options, executions: first.executions }, coverage);
    expect(coverage.count).toBe(seen);
    expect(again.steps).toBe(first.steps);
  });
});
