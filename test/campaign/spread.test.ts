/**
 * Goal: whoever runs the ranges of an exploration, and in which order they end, the verdict, the
 * finding and the totals are those of one run; what could not be run is never passed over.
 * Method: ranges run in this thread, with answers that come late and in the wrong order, against
 * one plain check; runners that fail on one range.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Runner } from '../../src/campaign/pool.ts';
import { ThisThread } from '../../src/campaign/pool.ts';
import { spread } from '../../src/campaign/spread.ts';
import { findScenario } from '../../src/cli/scenarios.ts';
import type { CheckResult } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import type { Portion, Portioned } from '../../src/explore/portion.ts';
import type { Question, Range } from '../../src/explore/range.ts';
import { STRETCH } from '../../src/explore/strategy.ts';

const question: Question = {
  scenario: 'program/bakery-wrong',
  design: '',
  param: 2,
  memory: 'sc',
  strategy: 'pct',
  seed: 1,
  depth: 3,
};
const safe: Question = { ...question, scenario: 'program/readers', param: 3 };

/** One run without ranges. */
function plain(asked: Question, executions: number): CheckResult {
  const { memory, strategy, seed, depth, ...subject } = asked;
  const prepared = findScenario(asked.scenario).prepare(subject);
  return check({ ...prepared, memory, strategy, seed, depth, executions, subject });
}

/** Runs ranges here, each after the time that `delayMs` gives it. */
class Slow implements Runner {
  readonly workers: number;
  readonly ranges: Range[] = [];
  private readonly thread = new ThisThread(findScenario);
  private readonly delayMs: (range: Range) => number;

  constructor(workers: number, delayMs: (range: Range) => number) {
    this.workers = workers;
    this.delayMs = delayMs;
  }

  async run(range: Range): Promise<CheckResult> {
    this.ranges.push(range);
    await sleep(this.delayMs(range));
    return this.thread.run(range);
  }

  share(portion: Portion): Promise<Portioned> {
    return this.thread.share(portion);
  }

  async close(): Promise<void> {}
}

/** Fails on the range that begins at `first`. */
class Failing extends Slow {
  private readonly first: number;

  constructor(first: number) {
    super(2, (range) => (range.first === first ? 30 : 0));
    this.first = first;
  }

  override async run(range: Range): Promise<CheckResult> {
    const result = await super.run(range);
    if (range.first === this.first) throw new Error('the thread fell over');
    return result;
  }
}

const forEver = { executions: 1_000_000, seconds: Infinity };

describe('spreading', () => {
  test.each([
    ['program/bakery-wrong', 'pct', 'sc', 2],
    ['program/reorder', 'surw', 'tso', 20],
    ['program/treiber-stack-wrong', 'pos', 'sc', 1],
    ['program/work-steal-queue-wrong', 'random', 'sc', 4],
  ] as const)('finds in %s under %s what one run finds', async (name, strategy, memory, param) => {
    const asked = { ...question, scenario: name, strategy, memory, param };
    const expected = plain(asked, forEver.executions);
    expect(expected.verdict).toBe('broken');
    expect(expected.executions).toBeGreaterThan(STRETCH);
    expect(await spread(asked, forEver, new ThisThread(findScenario))).toEqual(expected);
    const late = new Slow(3, ({ first }) => Math.max(0, 20 - first / 100));
    expect(await spread(asked, forEver, late)).toEqual(expected);
  });

  test.each(['pct', 'surw'] as const)('counts under %s what one run counts', async (strategy) => {
    const asked = { ...safe, strategy };
    const expected = plain(asked, 2 * STRETCH + 30);
    const limits = { executions: 2 * STRETCH + 30, seconds: Infinity };
    expect(expected).toMatchObject({ verdict: 'undecided', executions: 2 * STRETCH + 30 });
    expect(await spread(asked, limits, new Slow(2, () => 0))).toEqual(expected);
  });

  test('hands out every execution once, in ranges that grow while they are short', async () => {
    const runner = new Slow(2, () => 0);
    await spread(safe, { executions: 20 * STRETCH, seconds: Infinity }, runner);
    const lengths = runner.ranges.map(({ executions }) => executions);
    runner.ranges.forEach(({ first }, i) => {
      expect(first).toBe(lengths.slice(0, i).reduce((sum, length) => sum + length, 0));
      expect(first % STRETCH).toBe(0);
    });
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(20 * STRETCH);
    expect(lengths[0]).toBe(STRETCH);
    expect(Math.max(...lengths)).toBeGreaterThan(STRETCH);
  });

  test('hands out nothing beyond a finding, and stops what is under way there', async () => {
    const runner = new Slow(2, ({ first }) => (first >= 8 * STRETCH ? 50 : 0));
    const { executions } = await spread(question, forEver, runner);
    const [last] = runner.ranges.slice(-1);
    expect(last?.first).toBeGreaterThan(executions);
    expect(last?.first).toBeLessThan(executions + 64 * STRETCH);
    expect(Atomics.load(last?.end as Int32Array, 0)).toBeLessThanOrEqual(executions);
  });

  test('ends when the time is over, or by a signal, with what it has', async () => {
    const limits = { executions: Number.MAX_SAFE_INTEGER, seconds: 0.2 };
    const timed = await spread(safe, limits, new ThisThread(findScenario));
    expect(timed).toMatchObject({ verdict: 'undecided', exhausted: false });
    expect(timed.executions).toBeGreaterThan(0);
    const controller = new AbortController();
    const stop = (range: Range): number => {
      if (range.first > 0) controller.abort();
      return 0;
    };
    const { signal } = controller;
    const stopped = await spread(safe, { ...forEver, signal }, new Slow(1, stop));
    expect(stopped.executions).toBe(STRETCH);
  });
});

describe('a range that fails', () => {
  test('is named, and never passed over', async () => {
    const limits = { executions: 4 * STRETCH, seconds: Infinity };
    await expect(spread(safe, limits, new Failing(STRETCH))).rejects.toThrow(
      'executions 250 to 499 of program/readers (pct, seed 1) are unknown: the thread fell over',
    );
  });

  test('does not hide what a later one found', async () => {
    const asked = { ...question, scenario: 'program/lost-update' };
    await expect(spread(asked, forEver, new Failing(0))).rejects.toThrow(
      /a later one is broken: gntrace replay gnt1\.program\/lost-update/,
    );
  });

  test('is of no account behind a finding', async () => {
    const expected = plain({ ...question, scenario: 'program/lost-update' }, STRETCH);
    const asked = { ...question, scenario: 'program/lost-update' };
    expect(await spread(asked, forEver, new Failing(STRETCH))).toEqual(expected);
  });
});
