/**
 * Goal: nothing of a race is lost in its rows: every step has a row of its own, or is in exactly
 * one that stands for several. Method: real races and random ones, counted; a spin and a livelock.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RaceRecord } from '../../src/report/race.ts';
import type { Row } from '../../src/report/rows.ts';
import { rowsOf } from '../../src/report/rows.ts';
import { FETCH_ADD, READ, RELAX } from '../../src/shared/kinds.ts';
import { findRace, foundIn } from './real-races.ts';
import { narration, recorded, step } from './small-race.ts';
import { opposite } from './stuck-programs.ts';

/** Steps that a row stands for. */
function stepsOf(row: Row): number {
  if (row.type === 'step') return 1;
  if (row.type === 'fold') return row.to - row.from + 1;
  if (row.type === 'spin') return row.length * (row.times - 1);
  return row.type === 'loop' ? row.length * (row.times - 1) : 0;
}

function counted(race: RaceRecord, all: boolean): number {
  return rowsOf(race, all).reduce((sum, row) => sum + stepsOf(row), 0);
}

describe.each([
  ['a race', () => findRace('race/x1-unmap-accounting', 'before', 'tso')],
  ['a deadlock', () => foundIn(opposite('waits'), { scenario: 'locks', design: '' })],
  ['a livelock', () => foundIn(opposite('tries'), { scenario: 'locks', design: '' })],
])('%s', (_, find) => {
  test('has every step once, in order, and every switch', () => {
    const race = find();
    for (const all of [false, true]) {
      expect(counted(race, all)).toBe(race.steps.length);
      const own = rowsOf(race, all).flatMap((row) => (row.type === 'step' ? row.step : []));
      expect(own).toEqual(own.toSorted((a, b) => a - b));
      for (const i of race.conflict ?? []) expect(own).toContain(i);
    }
    const turns = rowsOf(race, false).filter(({ type }) => type === 'switch');
    const until = race.loop === null ? Infinity : race.loop.from + race.loop.length;
    expect(turns).toHaveLength(race.switches.filter(({ before }) => before < until).length);
  });
});

test('random executions lose no step either', () => {
  const any = fc.record({
    actor: fc.integer({ min: 0, max: 1 }),
    word: fc.integer({ min: 20, max: 23 }),
    kind: fc.constantFrom(READ, FETCH_ADD, RELAX),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 60 }), fc.boolean(), (parts, all) => {
      const steps = parts.map(({ actor, word, kind }) =>
        step(actor, kind, kind === RELAX ? 0 : word, kind === FETCH_ADD ? [0, 1] : [0, 0], 1),
      );
      const switches = steps.flatMap(({ actor }, before) => {
        const from = steps[before - 1]?.actor ?? actor;
        const turn = { before, from, to: actor, reason: 'preempted', resumes: -1 } as const;
        return from === actor ? [] : [turn];
      });
      expect(counted(recorded({ ...narration, steps, switches }), all)).toBe(steps.length);
    }),
  );
});

test('a loop that spins is told once, with its times', () => {
  const spin = [step(0, READ, 20, [1, 1], 5), step(0, RELAX, 0, [0, 0], 6)];
  const repeated = Array.from({ length: 37 }, () => spin).flat();
  const steps = [...repeated, step(1, FETCH_ADD, 20, [1, 2], 7)];
  const switches = [{ before: 74, from: 0, to: 1, reason: 'preempted', resumes: -1 } as const];
  const rows = rowsOf(recorded({ ...narration, steps, switches }), true);
  expect(rows.map(({ type }) => type)).toEqual(['step', 'step', 'spin', 'switch', 'step']);
  expect(rows[2]).toMatchObject({ length: 2, times: 37, to: 73 });
});

test('what is left out says which function it is in', () => {
  const within = (fn: string): readonly { fn: string; file: string; line: number }[] =>
    [fn, 'gup', 'sys'].map((name) => ({ fn: name, file: 'src/a.ts', line: 1 }));
  const steps = ['walk', 'walk', 'lookup', 'walk'].map((fn, i) => ({
    ...step(0, READ, 20 + i, [0, 0], 1),
    places: within(fn),
  }));
  const last = step(0, FETCH_ADD, 30, [0, 1], 1);
  const race = recorded({ ...narration, steps: [...steps, last], switches: [], complaint: null });
  expect(rowsOf(race, false)[0]).toEqual({ type: 'fold', from: 0, to: 3, fn: 'gup' });
});
