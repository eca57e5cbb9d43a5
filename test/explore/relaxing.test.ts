/**
 * Goal: who retries with cpu_relax() in between keeps nobody from going on, under every random
 * strategy, and is not kept out either.
 * Method: retriers that look at a word for which a worker has long to go, alone and two at a time
 * that change memory on every try; a step limit that only an unfair strategy reaches.
 */
import { describe, expect, test } from 'vitest';
import { check } from '../../src/explore/check.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Op } from '../../src/shared/op.ts';
import { cpuRelax, fetchAdd, readOnce, writeOnce } from '../../src/shared/operations.ts';
import { actorsOf, at, Word } from './arena.ts';

const STRATEGIES = ['random', 'pct', 'pos', 'surw'] as const;
const DONE = 0;
const LOOKED = 1;
const COUNT = 2;

function* retrier(): Op<void> {
  while ((yield* readOnce(at(DONE))) === 0) yield* cpuRelax();
}

function* busyRetrier(): Op<void> {
  while ((yield* readOnce(at(DONE))) === 0) {
    yield* fetchAdd(at(LOOKED), 1);
    yield* cpuRelax();
  }
}

function* worker(): Op<void> {
  for (let i = 0; i < 30; i++) yield* writeOnce(at(COUNT), (yield* readOnce(at(COUNT))) + 1);
  yield* writeOnce(at(DONE), 1);
}

describe.each(STRATEGIES)('%s', (strategy) => {
  test.each([
    ['one that only looks', [retrier, worker]],
    ['two that only look', [retrier, retrier, worker]],
    ['two that wake each other', [busyRetrier, busyRetrier, worker]],
  ] as const)('a worker comes to its end beside %s', (_, bodies) => {
    const machine = createMachine([Word], { words: 8 });
    const options = { machine, actors: actorsOf(...bodies), strategy, maxSteps: 1500 };
    const result = check({ ...options, executions: 500 });
    expect(result.finding?.message).toBeUndefined();
    expect(result).toMatchObject({ verdict: 'undecided', executions: 500 });
  });
});

test.each(['pos', 'surw'] as const)('%s: who relaxes sees memory in between too', (strategy) => {
  const machine = createMachine([Word], { words: 8 });
  const seen = new Set<number>();
  const looker = function* (): Op<void> {
    for (let i = 0; i < 3; i++) {
      yield* cpuRelax();
      seen.add(yield* readOnce(at(COUNT)));
    }
  };
  check({ machine, actors: actorsOf(looker, worker), strategy, executions: 500 });
  expect([...seen].filter((count) => count > 0 && count < 30).length).toBeGreaterThan(10);
});

test('surw: the turn of one who relaxes instead passes to who waits for it', () => {
  const machine = createMachine([Word], { words: 8 });
  const late = function* (): Op<void> {
    yield* busyRetrier();
    yield* writeOnce(at(COUNT), 1);
  };
  const options = {
    machine,
    actors: actorsOf(late, late, late, late, late, worker),
    maxSteps: 1500,
  };
  const result = check({ ...options, strategy: 'surw', executions: 500 });
  expect(result.finding?.message).toBeUndefined();
});
