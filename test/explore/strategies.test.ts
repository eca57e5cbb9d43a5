/**
 * Goal: each strategy explores what its definition says.
 * Method: closed forms for the systematic ones, probabilities for the random ones.
 */
import { describe, expect, test } from 'vitest';
import type { CheckOptions } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { choose, fetchAdd, readOnce, writeOnce } from '../../src/shared/operations.ts';
import { actorsOf, at, increment, lostUpdate, Word } from './arena.ts';

function* add(times: number): Op<void> {
  for (let i = 0; i < times; i++) yield* fetchAdd(at(0), 1);
}
function two(times: number): CheckOptions {
  const machine = createMachine([Word], { words: 8 });
  const actors = actorsOf(
    () => add(times),
    () => add(times),
  );
  return { machine, actors, executions: 1e6 };
}

describe('systematic', () => {
  test('dfs runs every interleaving once', () => {
    expect(check({ ...two(4), strategy: 'dfs' }).executions).toBe(70);
  });
  test.each([
    [0, 2],
    [1, 2 + 2 * 3],
    [2, 2 + 2 * 3 + 2 * 9],
  ])('preemption-bounded: within %i preemptions there are %i schedules', (depth, count) => {
    const result = check({ ...two(4), strategy: 'preemption-bounded', depth });
    expect(result).toMatchObject({ executions: count, exhausted: false });
  });
  test.each(['preemption-bounded', 'delay-bounded'] as const)(
    '%s: a budget that is never spent makes it exhaustive',
    (strategy) => {
      const result = check({ ...two(4), strategy, depth: 100 });
      expect(result).toMatchObject({ executions: 70, exhausted: true, verdict: 'safe' });
    },
  );
  test('a lost update takes one preemption', () => {
    const verdict = (depth: number) =>
      check({ ...lostUpdate(), strategy: 'preemption-bounded', depth, executions: 1e6 }).verdict;
    expect([verdict(0), verdict(1)]).toEqual(['undecided', 'broken']);
  });
  test.each(['dfs', 'dpor', 'optimal', 'preemption-bounded'] as const)(
    '%s takes every choice of data',
    (strategy) => {
      const seen = new Set<number>();
      const body = function* (): Op<void> {
        yield* writeOnce(at(0), (yield* choose(3)) * 4 + (yield* choose(4)));
      };
      const machine = createMachine([Word], { words: 8 });
      const final = () => {
        seen.add(mem[at(0)]);
        return null;
      };
      const result = check({ machine, actors: actorsOf(body), strategy, final });
      expect(result).toMatchObject({ executions: 12, exhausted: true });
      expect(seen.size).toBe(12);
    },
  );
});

function* spread(word: number): Op<void> {
  for (let i = 0; i < 5; i++) yield* readOnce(at(word));
  yield* increment(1);
}

describe('random', () => {
  test.each(['random', 'pct', 'pos', 'surw'] as const)('%s finds a lost update', (strategy) => {
    for (let seed = 0; seed < 20; seed++) {
      expect(check({ ...lostUpdate(), strategy, seed }).verdict).toBe('broken');
    }
  });
  test('the same seed explores the same, another one something else', () => {
    const schedule = (seed: number) => check({ ...lostUpdate(), seed }).finding?.seed;
    expect(schedule(3)).toBe(schedule(3));
    expect(schedule(3)).not.toBe(schedule(4));
  });
  test('a range of executions can be split', () => {
    const outcomes = (first: number, executions: number) => {
      const values: number[] = [];
      const final = () => {
        values.push(mem[at(0)]);
        return null;
      };
      check({ ...lostUpdate(), final, first, executions });
      return values;
    };
    expect([...outcomes(0, 10), ...outcomes(10, 15)]).toEqual(outcomes(0, 25));
  });
  test('rare switches: turns are as long as asked for', () => {
    const { finding } = check({
      ...two(2000),
      final: () => 'end',
      switches: 0.01,
    });
    const { schedule = [] } = finding ?? {};
    const turns = schedule.filter((process, i) => process !== schedule[i - 1]).length;
    expect(turns).toBeLessThan(60);
    expect(turns).toBeGreaterThan(2);
  });
  test('surw samples interleavings of the shared accesses uniformly', () => {
    const counts = new Map<number, number>();
    const machine = createMachine([Word], { words: 8 });
    const body = (digit: number) =>
      function* (): Op<void> {
        for (let i = 0; i < 2; i++) yield* writeOnce(at(0), (yield* readOnce(at(0))) * 10 + digit);
      };
    const final = () => {
      const value = mem[at(0)];
      counts.set(value, (counts.get(value) ?? 0) + 1);
      return null;
    };
    const actors = actorsOf(body(1), body(2));
    check({ machine, actors, final, strategy: 'surw', executions: 7000, seed: 5 });
    const serial = [1122, 2211].map((value) => counts.get(value) ?? 0);
    // 8 accesses in two rows of 4: 70 interleavings, one of them each of the two serial ones.
    for (const count of serial) expect(Math.abs(count / 7000 - 1 / 70)).toBeLessThan(0.006);
  });
  test('pct of depth 2 meets its bound: 1 / (n * k)', () => {
    let found = 0;
    const machine = createMachine([Word], { words: 8 });
    const actors = actorsOf(
      () => spread(1),
      () => spread(2),
    );
    const final = () => {
      if (mem[at(0)] < 2) found++;
      return null;
    };
    check({ machine, actors, final, strategy: 'pct', depth: 2, executions: 2000 });
    expect(found / 2000).toBeGreaterThan(1 / (2 * 14));
  });
});
