/**
 * Goal: every right lock and structure is safe under SC and TSO, exhausted; every wrong one is
 * found by every strategy that can find it; every one without its fence is right under SC and
 * broken under TSO.
 * Method: check() with each strategy, from the first schedule on; the seeds are fixed.
 */
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import type { StrategyName } from '../../src/explore/strategies/index.ts';
import { programs } from '../../src/programs/catalogue.ts';
import { posed } from './counting.ts';

const strategies: readonly StrategyName[] = [
  'random',
  'pct',
  'pos',
  'surw',
  'preemption-bounded',
  'delay-bounded',
  'dfs',
  'dpor',
  'optimal',
];
/**
 * Depth first changes the last decisions first; here an early one is needed, and more interleavings
 * than a test can run come before it.
 */
const BEYOND_DFS: readonly string[] = [
  'ms-queue-wrong sc',
  'lamport-fast-wrong tso',
  'treiber-stack-wrong tso',
  'work-steal-queue-wrong sc',
  'work-steal-queue-wrong tso',
];
/**
 * Round robin is no search: it has one schedule for each actor that can begin. These are broken
 * when the actors take single steps in turns.
 */
const BROKEN_IN_TURNS: readonly string[] = [
  'dekker-wrong',
  'szymanski-wrong',
  'lamport-fast-wrong',
  'ticket-lock-wrong',
  'ttas-lock-wrong',
  'ms-queue-wrong',
  'mpmc-ring-wrong',
];
/** More than any strategy needs for any of these. */
const EXECUTIONS = 300_000;

const names = programs.map((program) => program.name);
const wrong = names.filter((name) => name.endsWith('-wrong'));
const unfenced = names.filter((name) => name.endsWith('-unfenced'));
const right = [...wrong, ...unfenced].map((name) => name.replace(/-(wrong|unfenced)$/, ''));

function run(name: string, strategy: StrategyName, memory: 'sc' | 'tso'): CheckResult {
  const { machine, actors, final } = posed(name);
  return check({ machine, actors, final, strategy, memory, executions: EXECUTIONS });
}

describe('right versions', () => {
  for (const name of new Set(right)) {
    for (const memory of ['sc', 'tso'] as const) {
      test(`${name} is safe under ${memory}`, () => {
        const { verdict, exhausted, blocked } = run(name, 'optimal', memory);
        expect({ verdict, exhausted, blocked }).toEqual({
          verdict: 'safe',
          exhausted: true,
          blocked: 0,
        });
      });
    }
  }
});

describe('versions without a fence', () => {
  for (const name of unfenced) {
    test(`${name} is safe under sc`, () => {
      expect(run(name, 'optimal', 'sc').verdict).toBe('safe');
    });
    for (const strategy of strategies) {
      test(`${name} is broken under tso, says ${strategy}`, () => {
        expect(run(name, strategy, 'tso').verdict).toBe('broken');
      });
    }
  }
});

describe('wrong versions', () => {
  for (const name of wrong) {
    for (const strategy of strategies) {
      for (const memory of ['sc', 'tso'] as const) {
        if (strategy === 'dfs' && BEYOND_DFS.includes(`${name} ${memory}`)) continue;
        test(`${name} is broken under ${memory}, says ${strategy}`, () => {
          expect(run(name, strategy, memory).verdict).toBe('broken');
        });
      }
    }
  }
  test.each(BROKEN_IN_TURNS)('%s is broken, says round-robin', (name) => {
    expect(run(name, 'round-robin', 'sc').verdict).toBe('broken');
    expect(run(name, 'round-robin', 'tso').verdict).toBe('broken');
  });
});
