/**
 * Goal: what a strategy found is seen again from its seed, step by step and value by value.
 * Method: find a lost update with every strategy under both models, replay it, compare digests.
 */
import { describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { DivergedError, replay } from '../../src/explore/replay.ts';
import { parseSeed } from '../../src/explore/seed.ts';
import { strategyNames } from '../../src/explore/strategies/index.ts';
import { CHOOSE, KIND_NAMES } from '../../src/shared/kinds.ts';
import { at, lostUpdate } from './arena.ts';

describe.each(strategyNames)('%s', (strategy) => {
  test.each(['sc', 'tso'] as const)('its seed replays under %s', (memory) => {
    const options = { ...lostUpdate(), strategy, memory, executions: 100_000 };
    const { finding } = check(options);
    expect(finding?.invariant).toBe('sum');
    const seed = parseSeed(finding?.seed ?? '');
    const digests = new Set<string>();
    for (let i = 0; i < 10; i++) {
      const again = replay(options, seed);
      expect(again.complaint).toMatchObject({ invariant: 'sum', message: finding?.message });
      expect(again.schedule).toEqual(finding?.schedule);
      expect(again.choices).toEqual(finding?.choices);
      digests.add(again.trace.digest());
    }
    expect(digests.size).toBe(1);
  });
});

test('a trace has every operation with its value', () => {
  const { trace } = replay(lostUpdate(1), { schedule: [1, 2, 1, 2, 0, 0], choices: [2] });
  const text = Array.from({ length: trace.length }, (_, i) => trace.step(i)).map(
    ({ process, kind, word, value }) =>
      `${process} ${KIND_NAMES[kind]} ${kind === CHOOSE ? '' : word - at(0)} ${value}`,
  );
  expect(text.slice(0, 6)).toEqual([
    '1 read_once 0 0',
    '2 read_once 0 0',
    '1 write_once 0 0',
    '2 write_once 0 0',
    '0 choose  2',
    '0 write_once 3 0',
  ]);
});

test('digests of traces that differ in one value differ', () => {
  const digest = (choice: number) =>
    replay(lostUpdate(1), { schedule: [], choices: [choice] }).trace.digest();
  expect(new Set([0, 1, 2].map(digest)).size).toBe(3);
});

test('a schedule of another program is refused with the step at which it does not fit', () => {
  const other = { schedule: [1, 1, 1, 1, 1, 1], choices: [] };
  expect(() => replay(lostUpdate(1), other)).toThrow(DivergedError);
  expect(() => replay(lostUpdate(1), other)).toThrow(/step 2: .*process 1/);
});
