/**
 * Goal: both partial-order reductions explore one execution of every class of equivalent ones,
 * and none twice; the optimal one cuts none short.
 * Method: random programs of two or three actors. Plain depth-first search makes every execution;
 * the classes of those (trace-class.ts) and the final states must be those of each reduction. A
 * larger number: GNTRACE_ROUNDS=5000.
 */
import { expect, test } from 'vitest';
import type { CheckOptions } from '../../src/explore/check.ts';
import { check, explore, fibersFor } from '../../src/explore/check.ts';
import { makeStrategy } from '../../src/explore/strategies/index.ts';
import { mem } from '../../src/shared/memory.ts';
import type { RandomProgram } from './random-program.ts';
import { build, drawProgram, Seen, Shared } from './random-program.ts';
import { ByClass } from './trace-class.ts';

type Search = 'dfs' | 'dpor' | 'optimal';

/** Executions after which plain search gives a program up. */
const LIMIT = 4000;

function run(program: RandomProgram, strategy: Search, memory: 'sc' | 'tso') {
  const { machine, actors } = build(program);
  const states = new Set<string>();
  const from = Math.min(Shared.value.at(0), Seen.value.at(0));
  const options: CheckOptions = {
    machine,
    actors,
    memory,
    executions: LIMIT,
    deadlocks: false,
    final: () => {
      states.add(mem.subarray(from).join());
      return null;
    },
  };
  const byClass = new ByClass(makeStrategy(strategy, { seed: 1 }));
  const result = explore(options, fibersFor(options, byClass));
  const { classes } = byClass;
  return { result, states: [...states].sort(), classes: [...classes.keys()].sort(), byClass };
}

function compare(program: RandomProgram, memory: 'sc' | 'tso'): boolean {
  const all = run(program, 'dfs', memory);
  if (!all.result.exhausted) return false;
  for (const strategy of ['dpor', 'optimal'] as const) {
    const text = `${strategy} ${memory} ${JSON.stringify(program)}`;
    const reduced = run(program, strategy, memory);
    expect(reduced.result, text).toMatchObject({ verdict: 'safe', exhausted: true });
    expect(reduced.states, text).toEqual(all.states);
    expect(reduced.classes, text).toEqual(all.classes);
    expect(reduced.result.executions, text).toBe(all.classes.length);
    if (strategy === 'optimal') expect(reduced.result.blocked, text).toBe(0);
  }
  return true;
}

/** The same without a look at each step: these executions go on from the middle of the last. */
function resumed(program: RandomProgram, strategy: Search) {
  const { machine, actors } = build(program);
  const states = new Set<string>();
  const from = Math.min(Shared.value.at(0), Seen.value.at(0));
  const result = check({
    machine,
    actors,
    strategy,
    executions: LIMIT,
    deadlocks: false,
    final: () => {
      states.add(mem.subarray(from).join());
      return null;
    },
  });
  return { result, states: [...states].sort() };
}

const rounds = Number(process.env['GNTRACE_ROUNDS'] ?? 12);

test.each([
  ['sc', false, false],
  ['sc', true, false],
  ['tso', false, false],
  ['tso', true, false],
  ['sc', true, true],
  ['tso', false, true],
  ['tso', true, true],
] as const)(
  '%s, waits %s, interrupts %s: each class of executions is explored once',
  { timeout: 60_000 + rounds * 1000 },
  (memory, waits, interrupt) => {
    for (const branches of [false, true]) {
      let compared = 0;
      for (let seed = 0; seed < rounds; seed++) {
        if (compare(drawProgram(seed, waits, interrupt, branches), memory)) compared++;
      }
      expect(compared).toBeGreaterThan(rounds / 2);
    }
  },
);

test('choices of data are as good in executions that go on from the middle of the last', () => {
  for (let seed = 0; seed < rounds; seed++) {
    const program = drawProgram(seed, seed % 2 === 0, seed % 3 === 0, true);
    for (const strategy of ['dpor', 'optimal'] as const) {
      const text = `${strategy} ${JSON.stringify(program)}`;
      const whole = run(program, strategy, 'sc');
      expect(resumed(program, strategy), text).toEqual({
        result: whole.result,
        states: whole.states,
      });
    }
  }
});

test('a wake-up sequence that names a choice of data leaves the other values to be chosen', () => {
  const write = (word: number) => ({ kind: 2, word, value: 1 });
  const choice = { kind: 8, word: 0, value: 1 };
  const code = [[write(0)], [write(1), write(0)], [choice]];
  for (const memory of ['sc', 'tso'] as const) {
    expect(compare({ code, interrupt: false, branches: false }, memory)).toBe(true);
  }
});

/** Each of these has shown a mistake in one of the reductions once. */
test.each([
  ['tso', false, false, false, 138],
  ['tso', false, false, false, 3814],
  ['tso', true, false, false, 2],
  ['tso', true, false, false, 4199],
  ['tso', true, true, false, 20],
  ['tso', true, true, false, 74],
  ['tso', true, true, false, 119],
  ['tso', true, true, false, 450],
  ['tso', true, true, false, 2392],
  ['tso', true, true, true, 2504],
] as const)(
  '%s, waits %s, interrupts %s, branches %s: program %i',
  (memory, waits, interrupt, branches, seed) => {
    expect(compare(drawProgram(seed, waits, interrupt, branches), memory)).toBe(true);
  },
);
