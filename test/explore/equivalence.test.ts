/**
 * Goal: both partial-order reductions lose no behaviour, and the optimal one wastes no execution.
 * Method: random programs of two or three actors; the set of final states (words, and what every
 * actor has seen) by plain depth-first search must equal that of each reduction.
 */
import { expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { mem } from '../../src/shared/memory.ts';
import type { RandomProgram } from './random-program.ts';
import { build, drawProgram, Seen, Shared } from './random-program.ts';

type Search = 'dfs' | 'dpor' | 'optimal';

function explore(program: RandomProgram, strategy: Search, memory: 'sc' | 'tso') {
  const { machine, actors } = build(program);
  const states = new Set<string>();
  const from = Math.min(Shared.value.at(0), Seen.value.at(0));
  const result = check({
    machine,
    actors,
    strategy,
    memory,
    executions: 60_000,
    deadlocks: false,
    final: () => {
      states.add(mem.subarray(from).join());
      return null;
    },
  });
  return { result, states: [...states].sort() };
}

function compare(program: RandomProgram, memory: 'sc' | 'tso'): boolean {
  const all = explore(program, 'dfs', memory);
  if (!all.result.exhausted) return false;
  const source = explore(program, 'dpor', memory);
  const optimal = explore(program, 'optimal', memory);
  const text = JSON.stringify(program);
  expect(source.states, `${memory} source ${text}`).toEqual(all.states);
  expect(optimal.states, `${memory} optimal ${text}`).toEqual(all.states);
  expect(optimal.result.blocked, `${memory} blocked ${text}`).toBe(0);
  if (memory === 'sc' || !hasGuards(program)) {
    expect(optimal.result.executions, text).toBeLessThanOrEqual(source.result.executions);
  }
  expect(source.result.executions).toBeLessThanOrEqual(all.result.executions);
  return true;
}

/** Guarded accesses under TSO order more than they must when the guard is in the own buffer. */
function hasGuards(program: RandomProgram): boolean {
  return program.code.flat().some(({ kind }) => kind === 9 || kind === 10);
}

const rounds = Number(process.env['GNTRACE_ROUNDS'] ?? 15);

test.each([
  ['sc', false, false],
  ['sc', true, false],
  ['tso', false, false],
  ['tso', true, false],
  ['sc', true, true],
  ['tso', true, true],
] as const)('%s, waits %s, interrupts %s: no final state is lost', (memory, waits, interrupt) => {
  let compared = 0;
  for (let seed = 0; seed < rounds; seed++) {
    if (compare(drawProgram(seed, waits, interrupt), memory)) compared++;
  }
  expect(compared).toBeGreaterThan(rounds / 2);
});
