/**
 * Goal: a piece of work comes to the same whatever the thread ran before it; what breaks is told
 * once, with how often it was seen, and its seed breaks it again.
 * Method: work in different orders on one runner; findings replayed.
 */
import { describe, expect, test } from 'vitest';
import { WorkRunner } from '../../src/campaign/run-work.ts';
import type { DrawWork, Work, WorkResult } from '../../src/campaign/work.ts';
import { findScenario } from '../../src/cli/scenarios.ts';
import { check } from '../../src/explore/check.ts';
import { replay } from '../../src/explore/replay.ts';
import { parseSeed } from '../../src/explore/seed.ts';

const usual = { design: '', param: 2, memory: 'sc', seed: 1, depth: 3 } as const;
const wrong = { ...usual, scenario: 'program/bakery-wrong', strategy: 'random' } as const;
const race = {
  ...usual,
  scenario: 'race/unmap-in-use',
  design: 'm2p-override',
  param: 0,
  strategy: 'pct',
} as const;

function draw(question: DrawWork['question'], first: number, executions: number): DrawWork {
  return { kind: 'draw', question, first, executions };
}

function run(runner: WorkRunner, work: Work): WorkResult {
  return runner.run(work, new Int32Array(2));
}

describe('work', () => {
  const runner = new WorkRunner(findScenario);
  const first = run(runner, draw(race, 0, 60));
  const [found] = first.sightings;

  test('goes on past what breaks, and counts it', () => {
    expect(first.executions).toBe(60);
    expect(first.sightings).toHaveLength(1);
    expect(found?.times).toBeGreaterThan(1);
    const how = { memory: 'sc', strategy: 'pct', seed: 1, depth: 3, executions: 60 } as const;
    const prepared = findScenario(race.scenario).prepare(race);
    const stopped = check({ ...prepared, ...how, subject: race });
    expect(found?.seed).toBe(stopped.finding?.seed);
  });

  test('comes to the same after other work and after shrinking', () => {
    run(runner, draw(wrong, 0, 250));
    const shrunk = run(runner, { kind: 'shrink', seed: found?.seed ?? '', seconds: 1 });
    expect(shrunk.sightings[0]?.steps).toBeLessThanOrEqual(found?.steps ?? 0);
    expect(run(runner, draw(race, 0, 60))).toEqual(first);
    // The machine of the race stays prepared while another one is attached.
    const [other] = run(new WorkRunner(findScenario), draw(wrong, 0, 2000)).sightings;
    run(runner, { kind: 'shrink', seed: other?.seed ?? '', seconds: 0.1 });
    expect(run(runner, draw(race, 0, 60))).toEqual(first);
  });

  test('tells what breaks by a seed that breaks it again', () => {
    const { sightings } = run(runner, draw(wrong, 0, 2000));
    expect(sightings.length).toBeGreaterThan(0);
    for (const { seed, invariant, message, steps } of sightings) {
      const { scenario, design, param, memory, schedule, choices } = parseSeed(seed);
      const options = { ...findScenario(scenario).prepare({ design, param }), memory };
      expect(schedule).toHaveLength(steps);
      expect(replay(options, { schedule, choices }).complaint).toMatchObject({
        invariant,
        message,
      });
    }
  });

  test('of ranges adds up to the work of all', () => {
    const whole = run(runner, draw(wrong, 0, 1000));
    const parts = [0, 250, 500, 750].map((at) => run(runner, draw(wrong, at, 250)));
    const sum = (of: (result: WorkResult) => number): number =>
      parts.reduce((total, part) => total + of(part), 0);
    expect(sum(({ steps }) => steps)).toBe(whole.steps);
    const pairs = new Set(parts.flatMap((part) => part.pairs));
    expect([...pairs].sort((a, b) => a - b)).toEqual(whole.pairs);
    const times = (result: WorkResult): number =>
      result.sightings.reduce((total, one) => total + one.times, 0);
    expect(sum(times)).toBe(times(whole));
  });
});
