/**
 * Goal: the numbers that SURW draws its turns by are exact where they do not hang on the schedule,
 * and from half the fewest to the fewest where they do.
 * Method: accesses of made-up executions, counted and drawn.
 */
import { describe, expect, test } from 'vitest';
import { READS, WRITES } from '../../../src/explore/model.ts';
import { Random } from '../../../src/explore/random.ts';
import { AccessProfile } from '../../../src/explore/strategies/access-profile.ts';

const FIBERS = { saved: new Int32Array(8), count: 2 };
const WORD = 3;

/** One execution in which the actors write WORD so many times. */
function execution(profile: AccessProfile, times: readonly number[], afresh = false): void {
  profile.begin(FIBERS, afresh);
  times.forEach((n, actor) => {
    for (let i = 0; i < n; i++) profile.count(WORD, actor, WRITES);
  });
  profile.learn();
}

/** What 1,000 executions would draw for actor 0 and for actor 1. */
function drawn(profile: AccessProfile): [Set<number>, Set<number>] {
  const random = new Random();
  random.reseed(1, 1);
  const counts = new Int32Array(2);
  const seen: [Set<number>, Set<number>] = [new Set(), new Set()];
  for (let i = 0; i < 1000; i++) {
    profile.drawCounts(WORD, random, counts);
    seen[0].add(counts[0]);
    seen[1].add(counts[1]);
  }
  return seen;
}

describe('numbers', () => {
  test('are exact if all executions have as many', () => {
    const profile = new AccessProfile();
    for (let i = 0; i < 3; i++) execution(profile, [7, 4], i === 0);
    expect(drawn(profile)).toEqual([new Set([7]), new Set([4])]);
  });
  test('are from half the fewest to the fewest if one actor has more at times', () => {
    const profile = new AccessProfile();
    execution(profile, [11, 4], true);
    execution(profile, [8, 4]);
    execution(profile, [9, 4]);
    expect(drawn(profile)).toEqual([new Set([4, 5, 6, 7, 8]), new Set([2, 3, 4])]);
  });
  test('leave out executions in which the actor did not come to the word', () => {
    const profile = new AccessProfile();
    execution(profile, [6, 4], true);
    execution(profile, [0, 4]);
    expect(drawn(profile)).toEqual([new Set([6]), new Set([4])]);
  });
  test('are those of the present stretch', () => {
    const profile = new AccessProfile();
    execution(profile, [2, 2], true);
    execution(profile, [5, 5], true);
    expect(drawn(profile)).toEqual([new Set([5]), new Set([5])]);
  });
});

describe('words', () => {
  test('of one actor, and those that nobody writes, are not drawn', () => {
    const profile = new AccessProfile();
    const random = new Random();
    profile.begin(FIBERS, true);
    profile.count(1, 0, WRITES);
    for (const actor of [0, 1]) profile.count(2, actor, READS);
    profile.learn();
    expect(profile.drawShared(random)).toBe(-1);
    execution(profile, [1, 1]);
    expect(profile.drawShared(random)).toBe(WORD);
  });
});
