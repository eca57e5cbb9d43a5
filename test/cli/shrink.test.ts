/**
 * Goal: what `shrink` returns is minimal: without any one switch, actor or step of the program the
 * same invariant no longer breaks on the same words. Its seed names the actors that are left out.
 * Method: findings of races, fuzzed programs and published programs are shrunk; every single
 * removal is then tried by hand, and for each smaller program other schedules are tried too.
 */
import { describe, expect, test } from 'vitest';
import { SEARCH_STEPS } from '../../src/cli/shrink.ts';
import { seededProgram } from '../../src/cli/seeded.ts';
import { findScenario } from '../../src/cli/scenarios.ts';
import { shrinkableOf } from '../../src/campaign/shrinkable.ts';
import type { CheckOptions, Complaint } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import { leaveOut } from '../../src/explore/leave-out.ts';
import { replay } from '../../src/explore/replay.ts';
import { formatSeed } from '../../src/explore/seed.ts';
import type { Shrinkable, Shrunk } from '../../src/explore/shrink.ts';
import { shrink } from '../../src/explore/shrink.ts';
import { attach } from '../../src/shared/layout.ts';

const subjects: readonly [scenario: string, design: string, param: number][] = [
  ['race/unmap-in-use', 'm2p-override', 0],
  ['race/split-and-gup', 'm2p-override', 0],
  ['fuzz/pm03200_bg100u02_bu02_ff2e2', 'm2p-override', 0],
  ['program/treiber-stack-wrong', '', 2],
  ['program/bakery-wrong', '', 3],
];

function shrunkOf(name: string, design: string, param: number): Shrunk {
  const scenario = findScenario(name);
  const program = shrinkableOf({ scenario, design, param, memory: 'sc', find: findScenario });
  const { finding } = check({ ...program.options, strategy: 'pct', executions: 5000 });
  if (finding === undefined) throw new Error(`${name} did not break`);
  return shrink(program, finding, () => {}, { searchSteps: SEARCH_STEPS / 3 });
}

function isSame(found: Complaint | null | undefined, wanted: Complaint): boolean {
  return found?.invariant === wanted.invariant && found.words.join() === wanted.words.join();
}

/** Schedules with one switch less: a turn dropped, or done before or after another process's. */
function withoutOneSwitch(schedule: readonly number[]): number[][] {
  const turns: number[][] = [];
  for (const process of schedule) {
    if (turns.at(-1)?.[0] === process) turns.at(-1)?.push(process);
    else turns.push([process]);
  }
  const dropped = turns.map((_, i) => turns.toSpliced(i, 1).flat());
  const swapped = turns
    .slice(1)
    .map((turn, i) => turns.toSpliced(i, 2, turn, turns[i] ?? []).flat());
  return [...dropped, ...swapped];
}

function switches(schedule: readonly number[]): number {
  return schedule.filter((process, i) => i > 0 && process !== schedule[i - 1]).length;
}

/**
 * Breaks it under a schedule at hand or one that chance finds, but not with one actor at a time.
 */
function breaksAsARace(program: Shrinkable, without: readonly number[], wanted: Complaint) {
  attach(program.options.machine);
  const options: CheckOptions = leaveOut(program.options, without);
  if (isSame(replay(options, { schedule: [], choices: [] }, true).complaint, wanted)) return false;
  return (['random', 'pct'] as const).some((strategy) =>
    isSame(check({ ...options, strategy, seed: 77, executions: 12 }).finding, wanted),
  );
}

describe.each(subjects)('%s, %s, %i', (name, design, param) => {
  const { program, finding, without, preemptions } = shrunkOf(name, design, param);
  const options = leaveOut(program.options, without);
  const racy = !isSame(replay(options, { schedule: [], choices: [] }, true).complaint, finding);

  test('breaks again from its seed, without those who are left out', () => {
    const { scenario = '', param: size = 0 } = program.options.subject ?? {};
    const how = { memory: 'sc', workload: 1, strategy: 'pct' } as const;
    const { schedule, choices } = finding;
    const seed = { scenario, design, param: size, ...how, schedule, choices, without };
    const again = seededProgram(formatSeed(seed));
    const run = replay(again.options, again.seed);
    expect(isSame(run.complaint, finding)).toBe(true);
    expect(run).toMatchObject({ schedule, preemptions });
    expect(schedule.some((process) => without.includes(process))).toBe(false);
  });

  test('no switch can be dropped', () => {
    attach(program.options.machine);
    for (const schedule of withoutOneSwitch(finding.schedule)) {
      const run = replay(options, { schedule, choices: finding.choices }, true);
      if (!isSame(run.complaint, finding)) continue;
      expect(run.preemptions).toBeGreaterThanOrEqual(preemptions);
      if (run.preemptions > preemptions) continue;
      expect(switches(run.schedule)).toBeGreaterThanOrEqual(switches(finding.schedule));
    }
  });

  test('no actor can be dropped', () => {
    attach(program.options.machine);
    program.options.actors.forEach((_, i) => {
      if (without.includes(i)) return;
      const fewer = leaveOut(program.options, [...without, i]);
      const alone = replay(fewer, { schedule: [], choices: [] }, true);
      if (racy && isSame(alone.complaint, finding)) return;
      expect(isSame(replay(fewer, finding, true).complaint, finding)).toBe(false);
    });
  });

  test('no step of the program can be dropped', () => {
    for (const smaller of program.smaller?.() ?? []) {
      if (racy) expect(breaksAsARace(smaller, [], finding)).toBe(false);
      else expect(isSame(check({ ...smaller.options, seed: 77 }).finding, finding)).toBe(false);
    }
  });
});

test('a seed that leaves out an actor that there is not is refused', () => {
  const { scenario, design } = { scenario: 'race/unmap-in-use', design: 'vma-pages' };
  const how = { memory: 'sc', workload: 1, strategy: 'pct' } as const;
  const seed = { scenario, design, param: 0, ...how, schedule: [], choices: [], without: [40] };
  expect(() => seededProgram(formatSeed(seed))).toThrow('leaves out actor 40, but those of race/');
});
