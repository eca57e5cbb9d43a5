/**
 * Goal: of executions that do not end, the record says who waits for whom and what repeats.
 * Method: two locks taken in both orders, waiting and trying; waits written down by hand.
 */
import { expect, test } from 'vitest';
import type { RaceWait } from '../../src/report/race.ts';
import { loopAtEnd, waitCycle } from '../../src/report/stuck.ts';
import { READ, WRITE } from '../../src/shared/kinds.ts';
import { foundIn } from './real-races.ts';
import { step } from './small-race.ts';
import { opposite } from './stuck-programs.ts';

test('a deadlock names the holder of each lock, and its words', () => {
  const race = foundIn(opposite('waits'), { scenario: 'locks', design: '' });
  expect(race.kind).toBe('deadlock');
  expect(race.message).toContain('d0v0 up waits for lock[1], d0v1 down waits for lock[0]');
  expect(race.waits.map(({ actor, holder }) => [actor, holder?.actor])).toEqual([
    [0, 1],
    [1, 0],
  ]);
  for (const { holder, object } of race.waits) {
    expect(race.steps[holder?.step ?? -1]?.object).toBe(object);
    expect(race.steps[holder?.step ?? -1]?.actor).toBe(holder?.actor);
  }
  expect(waitCycle(race.waits)).toHaveLength(2);
  expect(race.fingerprint).toBe('deadlock: lock[*] @ spinLock');
});

test('a livelock names what repeats, up to its end', () => {
  const race = foundIn(opposite('tries'), { scenario: 'locks', design: '' });
  expect(race.kind).toBe('livelock');
  const { from = 0, length = 0, times = 0 } = race.loop ?? {};
  expect(times).toBeGreaterThan(2);
  expect(from + length * times).toBe(race.steps.length);
  for (let i = from; i + length < race.steps.length; i++) {
    expect(race.steps[i]?.object).toBe(race.steps[i + length]?.object);
    expect(race.steps[i]?.actor).toBe(race.steps[i + length]?.actor);
  }
});

test('a circle is found behind those who only wait for it', () => {
  const wait = (actor: number, holder: number): RaceWait => ({
    actor,
    kind: READ,
    object: 0,
    operands: [],
    stack: -1,
    holder: holder < 0 ? null : { actor: holder, step: 0 },
  });
  const cycleOf = (...waits: RaceWait[]): number[] => waitCycle(waits).map(({ actor }) => actor);
  expect(cycleOf(wait(0, 1), wait(1, 2), wait(2, 1))).toEqual([1, 2]);
  expect(cycleOf(wait(0, 1), wait(1, -1))).toEqual([]);
  expect(cycleOf(wait(0, 0))).toEqual([0]);
});

test('what ends is no loop', () => {
  const once = [step(0, READ, 1, [0, 0], 1), step(0, WRITE, 1, [0, 1], 2)];
  expect(loopAtEnd(once)).toBeNull();
  expect(loopAtEnd([])).toBeNull();
});
