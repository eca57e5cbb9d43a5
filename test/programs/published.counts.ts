/**
 * Goal: as published.test.ts, for the sizes that take longer: `npm run test:counts`.
 * Method: the same.
 */
import { describe, expect, test } from 'vitest';
import type { Count } from './counting.ts';
import { countOf, published } from './counting.ts';

const counts: readonly Count[] = [
  ['readers', 13, 8192],
  ['lastzero', 10, 3328],
  ['lastzero', 15, 147456],
  ['indexer', 14, 512],
  ['indexer', 15, 4096],
  ['filesystem', 20, 128],
  ['ainc', 7, 5040],
  ['binc', 4, 576],
  ['cinc', 4, 13824],
  ['rw', 4, 576],
  ['casw', 5, 32880],
  ['coa', 4, 2028, 2304],
  ['coa', 5, 49776, 57600],
  ['fib_bench', 5, 218243, 525630],
  ['big0', 1, 69112],
  ['lost-update', 2, 7134],
  ['lost-update', 3, 1824912],
  ['seqlock-two-readers', 3, 7921],
];

/** Source sets alone block 3.5 million times on lastzero(15). */
function strategiesFor([name, n]: Count): readonly ('dpor' | 'optimal')[] {
  return name === 'lastzero' && n > 10 ? ['optimal'] : ['dpor', 'optimal'];
}

describe('published counts of large programs', () => {
  for (const row of counts) {
    for (const strategy of strategiesFor(row)) {
      for (const memory of ['sc', 'tso'] as const) {
        test(`${row[0]}(${row[1]}) under ${strategy} and ${memory}`, { timeout: 1_200_000 }, () => {
          expect(countOf(row, strategy, memory)).toBe(published(row, strategy, memory));
        });
      }
    }
  }
});
