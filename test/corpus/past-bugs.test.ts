/**
 * Goal: each race of the past is there before its fix and gone after it, and nothing was written
 * for one race alone: the general invariants see it. Method: PCT and optimal DPOR from scratch, the
 * finding shrunk and replayed; PCT and SURW over today's functions. The long runs that prove the
 * absence are `gntrace corpus`.
 */
import { describe, expect, test } from 'vitest';
import { prepareRace } from '../../src/campaign/race-scenarios.ts';
import { races } from '../../src/corpus/races.ts';
import type { Race } from '../../src/corpus/race.ts';
import { check } from '../../src/explore/check.ts';
import type { CheckOptions } from '../../src/explore/check.ts';
import { replay } from '../../src/explore/replay.ts';
import type { StrategyName } from '../../src/explore/strategies/index.ts';
import { shrink } from '../../src/explore/shrink.ts';

const past = races.filter(({ bug }) => bug !== undefined);

function search(race: Race, design: string, strategy: StrategyName, executions: number) {
  const options: CheckOptions = prepareRace(race, design);
  const result = check({ ...options, strategy, memory: 'sc', seed: 7, executions });
  return { options, ...result };
}

describe.each(past.map((race) => [race.name, race] as const))('%s', (_name, race) => {
  test.each(['pct', 'optimal'] as const)('is broken before its fix: %s', (strategy) => {
    const { options, finding } = search(race, 'before', strategy, 5_000);
    expect(race.bug?.breaks).toContain(finding?.invariant);
    if (finding === undefined) return;
    const shrunk = shrink({ options }, finding);
    for (let i = 0; i < 10; i++) {
      const again = replay(shrunk.program.options, shrunk.finding, true);
      expect(again.complaint?.invariant).toBe(finding.invariant);
    }
  });

  test.each(['pct', 'surw'] as const)('stands a search after it: %s', (strategy) => {
    const { finding } = search(race, 'after', strategy, 300);
    expect(finding).toBeUndefined();
  });

  test('says where it is told of, and how it was', () => {
    expect(race.sources.length).toBeGreaterThan(0);
    expect(race.bug?.story.length).toBeGreaterThan(2);
  });
});

test('the numbers of the catalogue name one race each', () => {
  const ids = past.map(({ bug }) => bug?.id);
  expect(new Set(ids).size).toBe(ids.length);
});
