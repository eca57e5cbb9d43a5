/**
 * Goal: `check` finds what is there and nothing else, under every strategy and memory model.
 * Method: textbook programs whose verdicts are known.
 */
import { describe, expect, test } from 'vitest';
import type { Actor } from '../../src/explore/check.ts';
import { check, explore, fibersFor } from '../../src/explore/check.ts';
import type { Fibers } from '../../src/explore/fibers.ts';
import { assume } from '../../src/explore/program.ts';
import { SourceDpor } from '../../src/explore/strategies/dpor.ts';
import { StrategyError } from '../../src/explore/strategy.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  acquireWhen,
  awaitEqual,
  fetchAdd,
  readOnce,
  smpMb,
  storeRelease,
  warnOn,
  writeOnce,
} from '../../src/shared/operations.ts';
import { defineTable } from '../../src/shared/table.ts';

const Word = defineTable('word[%]', ['words'], { value: '[ALL] whatever the test needs' });

function machine() {
  return createMachine([Word], { words: 8 });
}
function actors(...bodies: (() => Op<unknown>)[]): Actor[] {
  return bodies.map((body, i) => ({ name: `actor ${i}`, body }));
}
function* lossyIncrement(): Op<void> {
  const value = yield* readOnce(Word.value.at(0));
  yield* writeOnce(Word.value.at(0), value + 1);
}
function* lockedIncrement(): Op<void> {
  yield* acquireWhen(Word.value.at(1), 1, 0, 1);
  yield* lossyIncrement();
  yield* storeRelease(Word.value.at(1), 0);
}
function* forever(): Op<void> {
  for (;;) yield* fetchAdd(Word.value.at(0), 1);
}
function* daemon(): Op<void> {
  for (;;) yield* awaitEqual(Word.value.at(0), -1, 5);
}
function* assuming(): Op<void> {
  yield* assume((yield* readOnce(Word.value.at(0))) === 1);
}
function* storing(): Op<void> {
  yield* writeOnce(Word.value.at(0), 1);
}
function* failing(): Op<void> {
  yield* readOnce(Word.value.at(0));
  throw new Error('no page');
}
function* pollTwice(): Op<void> {
  yield* writeOnce(pending(), 1);
  const before = yield* readOnce(Word.value.at(0));
  const after = yield* readOnce(Word.value.at(1));
  warnOn(before === 1 && after === 0, 7, before, after);
}
function* handleInterrupts(): Op<void> {
  for (;;) {
    yield* awaitEqual(pending(), 1, 1);
    yield* writeOnce(pending(), 0);
    yield* writeOnce(Word.value.at(0), 1);
    yield* writeOnce(Word.value.at(1), 1);
  }
}
const pending = () => Word.value.at(2);
const sum = (want: number) => () => {
  const value = mem[Word.value.at(0)];
  return value === want ? null : `sum: ${value} instead of ${want}`;
};
const strategies = ['random', 'round-robin', 'pct', 'dfs'] as const;

describe.each(strategies)('%s', (strategy) => {
  test('finds a lost update', () => {
    const result = check({
      machine: machine(),
      actors: actors(lossyIncrement, lossyIncrement),
      final: sum(2),
      strategy,
    });
    expect(result.verdict).toBe('broken');
    expect(result.finding?.invariant).toBe('sum');
  });

  test.each(['sc', 'tso'] as const)('finds nothing wrong with a lock under %s', (memory) => {
    const result = check({
      machine: machine(),
      actors: actors(lockedIncrement, lockedIncrement),
      final: sum(2),
      strategy,
      memory,
      executions: 300,
    });
    expect(result.verdict).not.toBe('broken');
    expect(result.executions).toBeGreaterThan(1);
  });
});

function storeBuffering(fenced: boolean) {
  const seen = [0, 0];
  const side = (own: number, other: number) =>
    function* (): Op<void> {
      yield* writeOnce(Word.value.at(own), 1);
      if (fenced) yield* smpMb();
      seen[own] = yield* readOnce(Word.value.at(other));
    };
  const final = () => (seen[0] + seen[1] === 0 ? 'both read 0' : null);
  return { actors: actors(side(0, 1), side(1, 0)), final };
}

const verdict = (fenced: boolean, memory: 'sc' | 'tso') =>
  check({
    machine: machine(),
    ...storeBuffering(fenced),
    memory,
    strategy: 'dfs',
    executions: 1e6,
  }).verdict;
test('store buffering breaks under TSO only, and not with a fence', () => {
  expect(verdict(false, 'sc')).toBe('safe');
  expect(verdict(false, 'tso')).toBe('broken');
  expect(verdict(true, 'tso')).toBe('safe');
});

const take = (first: number, second: number) =>
  function* (): Op<void> {
    yield* acquireWhen(Word.value.at(first), 1, 0, 1);
    yield* acquireWhen(Word.value.at(second), 1, 0, 1);
    yield* storeRelease(Word.value.at(second), 0);
    yield* storeRelease(Word.value.at(first), 0);
  };
test('two locks in opposite order deadlock, and the finding names who waits', () => {
  const result = check({ machine: machine(), actors: actors(take(0, 1), take(1, 0)) });
  expect(result.finding?.invariant).toBe('deadlock');
  expect(result.finding?.message).toMatch(/actor 0 waits.*actor 1 waits/);
});

test('an actor that never ends is a livelock, a daemon that waits is not a deadlock', () => {
  const livelock = check({ machine: machine(), actors: actors(forever), maxSteps: 100 });
  expect(livelock.finding?.invariant).toBe('livelock');
  const result = check({
    machine: machine(),
    actors: [{ name: 'd', body: daemon, daemon: true }, ...actors(lossyIncrement)],
    strategy: 'dfs',
  });
  expect(result).toMatchObject({ verdict: 'safe', executions: 1 });
});

test('an interrupt runs to its end before the interrupted actor goes on', () => {
  const m = machine();
  const interrupts = { actor: 0, word: pending() };
  const run = (interrupt: object) =>
    check({
      machine: m,
      actors: [
        ...actors(pollTwice),
        { name: 'irq', body: handleInterrupts, daemon: true, ...interrupt },
      ],
      strategy: 'dfs',
      executions: 1e5,
    });
  expect(run({}).finding?.invariant).toBe('bug 7');
  expect(run({ interrupts })).toMatchObject({ verdict: 'safe' });
});

test('an execution whose assumption fails does not count', () => {
  const result = check({
    machine: machine(),
    actors: actors(assuming, storing),
    strategy: 'dfs',
  });
  expect(result).toMatchObject({ verdict: 'safe', executions: 1, discarded: 1 });
});

test('a search that wants what cannot be is no finding', () => {
  class Mistaken extends SourceDpor {
    override pick(fibers: Fibers): number {
      return this.possible(fibers, 0);
    }
  }
  const options = { machine: machine(), actors: actors(daemon) };
  const search = () => explore(options, fibersFor(options, new Mistaken()));
  expect(search).toThrow(StrategyError);
});

test('an exception in an actor is a finding', () => {
  const { finding } = check({ machine: machine(), actors: actors(failing) });
  expect(finding).toMatchObject({ invariant: 'exception', message: 'no page' });
});
