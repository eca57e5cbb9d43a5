/**
 * Goal: a finding becomes as small as can be and stays the same finding.
 * Method: lost updates among actors and operations that do not matter; then every single drop is
 * tried by hand.
 */
import { expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { leaveOut } from '../../src/explore/leave-out.ts';
import { replay } from '../../src/explore/replay.ts';
import { parseSeed } from '../../src/explore/seed.ts';
import type { Shrinkable } from '../../src/explore/shrink.ts';
import { shrink } from '../../src/explore/shrink.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { awaitNotEqual } from '../../src/shared/operations.ts';
import { actorsOf, at, idle, increment, lostUpdate, Word } from './arena.ts';

test.each([1, 2, 3, 4, 5])('seed %i: one preemption and two actors are left', (seed) => {
  const options = lostUpdate(4);
  const { finding } = check({ ...options, seed });
  if (finding === undefined) throw new Error('nothing to shrink');
  const reports: number[] = [];
  const small = shrink({ options }, finding, ({ preemptions }) => reports.push(preemptions));
  expect(small).toMatchObject({ preemptions: 1, actors: 2, dropped: ['actor 0'] });
  expect(small.finding.invariant).toBe('sum');
  expect(reports.at(-1)).toBe(1);
});

function program(rounds: readonly number[]): Shrinkable {
  const total = rounds.reduce((sum, n) => sum + n, 0);
  const bodies = rounds.map((n) => () => increment(n));
  return {
    options: {
      machine: createMachine([Word], { words: 8 }),
      actors: actorsOf(() => idle(3), ...bodies),
      final: () => (mem[at(0)] < total ? 'an update is lost' : null),
    },
    *smaller() {
      for (let i = 0; i < rounds.length; i++) {
        if (rounds[i] > 0) yield program(rounds.with(i, rounds[i] - 1));
      }
    },
  };
}

test('operations that the program can do without go too', () => {
  const large = program([3, 2, 3]);
  const { finding } = check(large.options);
  if (finding === undefined) throw new Error('nothing to shrink');
  const small = shrink(large, finding);
  expect(small.preemptions).toBe(1);
  const { options } = small.program;
  const all = replay(options, small.finding);
  expect(all.trace.length).toBeLessThanOrEqual(4 + 6);
});

test('no turn of a shrunk schedule can be dropped', () => {
  const options = lostUpdate(3);
  const { finding } = check({ ...options, memory: 'tso' });
  if (finding === undefined) throw new Error('nothing to shrink');
  const small = shrink({ options: { ...options, memory: 'tso' } }, finding);
  expect(small.preemptions).toBeLessThanOrEqual(1);
  expect(small.dropped).toEqual(['actor 0']);
  const bare = { ...options, memory: 'tso' as const };
  const again = replay(bare, { schedule: [], choices: [] });
  expect(again.complaint).toBeNull();
});

test('a finding that was made without some actors is shrunk without them', () => {
  const options = lostUpdate(3);
  const { finding } = check(leaveOut(options, [0]));
  if (finding === undefined) throw new Error('nothing to shrink');
  expect(parseSeed(finding.seed).without).toEqual([0]);
  const small = shrink({ options }, finding, () => {}, { without: [0] });
  expect(small).toMatchObject({ without: [0], dropped: ['actor 0'], actors: 2 });
});

test('an actor with interrupts can go, and they can go after it', () => {
  const idleWord = at(5);
  const options = lostUpdate(1);
  const interrupt = { actor: 0, word: idleWord };
  const body = function* (): Op<void> {
    yield* awaitNotEqual(idleWord, -1, 0);
  };
  const actors = [...options.actors, { name: 'irq', daemon: true, interrupts: interrupt, body }];
  const { finding } = check({ ...options, actors });
  if (finding === undefined) throw new Error('nothing to shrink');
  const small = shrink({ options: { ...options, actors } }, finding);
  expect(small.dropped).toEqual(['actor 0', 'irq']);
});

test('actors keep their schedule when the program loses others', () => {
  const four = lostUpdate(2);
  const fewer = { ...four, actors: four.actors.slice(1) };
  const { finding } = check({ ...four, memory: 'tso' });
  if (finding === undefined) throw new Error('nothing to shrink');
  const options = { ...four, memory: 'tso' as const };
  const large: Shrinkable = {
    options,
    smaller: () => [{ options: { ...fewer, memory: 'tso' }, was: [1, 2] }],
  };
  const small = shrink(large, finding);
  expect(small.program.options.actors).toHaveLength(2);
  expect(small).toMatchObject({ dropped: [], actors: 2 });
  expect(small.preemptions).toBeLessThanOrEqual(1);
});

test('who is left out stays left out when the program loses others', () => {
  const all = lostUpdate(2);
  const more = [...all.actors, { name: 'left out', body: () => increment(2) }];
  const options = { ...all, actors: more };
  const { finding } = check(leaveOut(options, [3]));
  if (finding === undefined) throw new Error('nothing to shrink');
  const fewer = { options: { ...all, actors: more.slice(1) }, was: [1, 2, 3] };
  const large: Shrinkable = { options, smaller: () => [fewer] };
  const small = shrink(large, finding, () => {}, { without: [3] });
  expect(small).toMatchObject({ program: fewer, without: [2], actors: 2 });
});

test('a finding that does not show is refused', () => {
  const options = lostUpdate();
  const nothing = { invariant: 'sum', message: '', words: [], schedule: [], choices: [] };
  expect(() => shrink({ options }, nothing)).toThrow(RangeError);
});

test('without any time, what was found is given back, and it still fails', () => {
  const options = lostUpdate(4);
  const { finding } = check({ ...options, seed: 3 });
  if (finding === undefined) throw new Error('nothing to shrink');
  const kept = shrink({ options }, finding, () => {}, { seconds: 0 });
  expect(kept.finding.schedule).toHaveLength(finding.schedule.length);
  expect(replay(options, kept.finding).complaint?.invariant).toBe('sum');
});
