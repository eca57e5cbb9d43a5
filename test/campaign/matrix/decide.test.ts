/**
 * Goal: a cell is decided by proof where its schedules can be covered, by a seed that replays where
 * it is broken, and called undecided where neither came in time. Method: races of known outcome.
 */
import { expect, test } from 'vitest';
import { decide } from '../../../src/campaign/matrix/decide.ts';
import { raceScenarios } from '../../../src/campaign/race-scenarios.ts';
import { findScenario } from '../../../src/cli/scenarios.ts';
import type { Scenario } from '../../../src/explore/scenario.ts';
import { parseSeed } from '../../../src/explore/seed.ts';
import { replay } from '../../../src/explore/replay.ts';

function scenarioOf(race: string): Scenario {
  const found = raceScenarios.find(({ name }) => name === `race/${race}`);
  if (found === undefined) throw new RangeError(race);
  return found;
}

const x1 = 'x1-unmap-accounting';

test('a broken cell has a seed that breaks it again', () => {
  const scenario = scenarioOf(x1);
  const cell = { race: x1, design: 'before', memory: 'sc' } as const;
  const decided = decide(scenario, { cell, seconds: 20, seed: 1 });
  expect(decided.verdict).toBe('broken');
  const seed = parseSeed(decided.seed as string);
  const options = { ...scenario.prepare({ design: seed.design, param: 0 }), memory: seed.memory };
  expect(replay(options, seed, true).complaint?.invariant).toBe(decided.invariant);
});

test('a cell for which there was no time is undecided', () => {
  const cell = { race: x1, design: 'after', memory: 'tso' } as const;
  const decided = decide(scenarioOf(x1), { cell, seconds: 0.2, seed: 1 });
  expect(decided.verdict).toBe('undecided');
  expect(decided.exhausted).toBe(false);
  expect(decided.seed).toBeUndefined();
});

test('a cell that was not exhausted says up to how many preemptions it was', () => {
  const program = findScenario('program/fib_bench');
  const large = { ...program, prepare: () => program.prepare({ design: '', param: 5 }) };
  const cell = { race: 'fib_bench', design: '', memory: 'sc' } as const;
  const decided = decide(large, { cell, seconds: 1, seed: 1 });
  expect(decided.verdict).toBe('undecided');
  expect(decided.bound).toBeGreaterThan(0);
});
