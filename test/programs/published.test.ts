/**
 * Goal: both partial-order reductions see exactly as many executions as the literature and other
 * tools report (GenMC's and Nidhugg's test suites), under SC and TSO; optimal without a blocked
 * one.
 * Method: each program is explored to exhaustion; the large ones are in published.counts.ts.
 */
import { describe, expect, test } from 'vitest';
import type { Count } from './counting.ts';
import { countOf, explored, published } from './counting.ts';

const counts: readonly Count[] = [
  ['readers', 2, 4],
  ['readers', 8, 256],
  ['lastzero', 5, 64],
  ['lastzero', 8, 704],
  ['indexer', 11, 1],
  ['indexer', 12, 8],
  ['indexer', 13, 64],
  ['filesystem', 13, 1],
  ['filesystem', 14, 2],
  ['filesystem', 16, 8],
  ['filesystem', 18, 32],
  ['ainc', 4, 24],
  ['binc', 2, 4],
  ['binc', 3, 36],
  ['cinc', 3, 216],
  ['inc', 2, 4],
  ['inc', 3, 36],
  ['inc', 4, 576],
  ['rw', 3, 36],
  ['wainc', 3, 24],
  ['cas', 5, 5],
  ['casw', 2, 6],
  ['casw', 3, 66],
  ['casw', 4, 1200],
  ['coa', 1, 4],
  ['coa', 2, 15, 16],
  ['coa', 3, 130, 144],
  ['lost-update', 1, 36],
  ['locked-increment', 4, 24],
  ['ticket-lock', 4, 24],
  ['seqlock', 1, 11],
  ['seqlock', 2, 37],
  ['seqlock', 3, 89],
  ['seqlock-two-readers', 1, 121],
  ['seqlock-two-readers', 2, 1369],
  ['dekker_f', 1, 3],
  ['peterson', 1, 4],
  ['peterson-relaxed', 1, 4, 22],
  ['szymanski', 1, 6],
  ['lamport-fast', 2, 16],
];

describe('published counts', () => {
  for (const row of counts) {
    for (const strategy of ['dpor', 'optimal'] as const) {
      for (const memory of ['sc', 'tso'] as const) {
        test(`${row[0]}(${row[1]}) under ${strategy} and ${memory}`, () => {
          expect(countOf(row, strategy, memory)).toBe(published(row, strategy, memory));
        });
      }
    }
  }

  test('source sets alone block on lastzero(5) as published: 79 executions in all', () => {
    const { executions, blocked } = explored('lastzero', 5, 'dpor', 'sc');
    expect(executions + blocked).toBeGreaterThanOrEqual(64);
    expect(executions + blocked).toBeLessThanOrEqual(79);
  });
});
