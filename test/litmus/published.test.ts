/**
 * Goal: the verdicts of the x86-TSO papers (Owens, Sarkar, Sewell, TPHOLs 2009), as herd7 7.57
 * gives them, under SC and under TSO.
 * Method: each file of test/litmus/x86 is explored to exhaustion; distinct final states and
 * candidate executions with and without the witness are compared with herd's numbers.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readLitmus } from '../../src/litmus/read.ts';
import { runLitmus } from '../../src/litmus/run.ts';

/** States, executions with the witness, executions without. */
type Row = readonly [states: number, positive: number, negative: number];

const published: readonly (readonly [name: string, sc: Row, tso: Row])[] = [
  ['MP', [3, 0, 3], [3, 0, 3]],
  ['LB', [3, 0, 3], [3, 0, 3]],
  ['SB', [3, 0, 3], [4, 1, 3]],
  ['SB+mfences', [3, 0, 3], [3, 0, 3]],
  ['SB+locked', [3, 0, 3], [3, 0, 3]],
  ['SB+rfis', [3, 0, 3], [4, 1, 3]],
  ['WRC', [7, 0, 7], [7, 0, 7]],
  ['iwp2.6', [47, 0, 72], [47, 0, 72]],
  ['IRIW', [15, 0, 15], [15, 0, 15]],
  ['IRIW+locked', [15, 0, 15], [15, 0, 15]],
  ['amd3', [5, 0, 5], [9, 1, 8]],
  ['amd10', [3, 0, 3], [3, 0, 3]],
  ['n1', [13, 0, 18], [14, 1, 23]],
  ['n2', [27, 0, 42], [27, 0, 42]],
  ['n4', [7, 0, 8], [7, 0, 8]],
  ['n5', [3, 0, 4], [3, 0, 4]],
  ['n6', [4, 0, 4], [5, 1, 4]],
  ['n7', [7, 0, 7], [8, 1, 7]],
  ['n8', [3, 0, 3], [4, 1, 3]],
  ['RWC', [7, 0, 7], [8, 1, 7]],
  ['RWC+mfence', [7, 0, 7], [7, 0, 7]],
];

const file = (name: string): URL => new URL(`x86/${name}.litmus`, import.meta.url);

describe('published litmus verdicts', () => {
  for (const [name, sc, tso] of published) {
    for (const [memory, [states, positive, negative]] of [
      ['sc', sc],
      ['tso', tso],
    ] as const) {
      const verdict = positive === 0 ? 'Never' : 'Sometimes';
      test(`${name} has ${states} states under ${memory}: ${verdict}`, () => {
        const result = runLitmus(readLitmus(readFileSync(file(name), 'utf8')), memory);
        expect(result.states.length).toBe(states);
        expect([result.positive, result.negative]).toEqual([positive, negative]);
        expect(result.observation).toBe(verdict);
        expect(result.ok).toBe(positive > 0);
      });
    }
  }
});
