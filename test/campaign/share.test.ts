/**
 * Goal: an exhaustive search that is shared out comes to the verdict and the totals of one thread,
 * however it is cut into portions; what could not be run is never passed over.
 * Method: portions of very few executions, taken in turns by two and three workers in this thread,
 * against one plain check and the published counts.
 */
import { describe, expect, test } from 'vitest';
import type { Runner } from '../../src/campaign/pool.ts';
import { ThisThread } from '../../src/campaign/pool.ts';
import { shareOut } from '../../src/campaign/share.ts';
import { findScenario } from '../../src/cli/scenarios.ts';
import type { CheckResult } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import type { Portion, Portioned } from '../../src/explore/portion.ts';
import type { Question } from '../../src/explore/range.ts';
import type { Scenario } from '../../src/explore/scenario.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Op } from '../../src/shared/op.ts';
import { choose, fetchAdd, writeOnce } from '../../src/shared/operations.ts';
import { defineTable } from '../../src/shared/table.ts';

const all = { executions: Number.MAX_SAFE_INTEGER, seconds: Infinity };

function asked(
  name: string,
  param: number,
  strategy: Question['strategy'],
  memory = 'sc',
): Question {
  const scenario = `program/${name}`;
  return { scenario, design: '', param, memory: memory as 'sc', strategy, seed: 1, depth: 3 };
}

const Word = defineTable('word[%]', ['words'], { value: '[ALL] contended' });

/** Two actors choose a word each, and what they do with it. */
const chooser: Scenario = {
  name: 'test/chooser',
  about: 'What an actor does depends on what it chose.',
  designs: [],
  prepare() {
    const machine = createMachine([Word], { words: 2 });
    function* body(): Op<void> {
      const word = Word.value.at(yield* choose(2));
      if ((yield* choose(3)) === 0) yield* fetchAdd(word, 1);
      else yield* writeOnce(word, 7);
    }
    const actors = ['a', 'b'].map((name) => ({ name, body }));
    return { machine, actors };
  },
};

function find(name: string): Scenario {
  return name === chooser.name ? chooser : findScenario(name);
}

/** One run without portions. */
function plain(question: Question): CheckResult {
  const { memory, strategy, seed, depth, ...subject } = question;
  const prepared = find(question.scenario).prepare(subject);
  return check({ ...prepared, memory, strategy, seed, depth, ...all, subject });
}

/** Runs portions here, of at most so many executions. */
class Sharp implements Runner {
  readonly workers: number;
  portions = 0;
  private readonly most: number;
  private readonly thread = new ThisThread(find);

  constructor(workers: number, most: number) {
    this.workers = workers;
    this.most = most;
  }

  run(): Promise<CheckResult> {
    throw new Error('no ranges here');
  }

  async share(portion: Portion): Promise<Portioned> {
    this.portions++;
    const executions = Math.min(portion.executions, this.most);
    return this.thread.share({ ...portion, executions });
  }

  async close(): Promise<void> {}
}

const programs = [
  ['lastzero', 7],
  ['readers', 6],
  ['indexer', 13],
  ['filesystem', 16],
  ['coa', 3],
  ['casw', 4],
  ['inc', 3],
  ['peterson', 1],
  ['ticket-lock', 3],
  ['treiber-stack', 1],
  ['mcs-lock', 2],
  ['locked-increment', 3],
] as const;

describe.each(['optimal', 'dpor'] as const)('%s', (strategy) => {
  for (const [name, param] of programs) {
    for (const memory of ['sc', 'tso']) {
      test(`${name}(${param}) under ${memory} has the totals of one thread`, async () => {
        const question = asked(name, param, strategy, memory);
        const { blocked, steps, ...one } = plain(question);
        for (const [workers, most] of [
          [1, 1],
          [2, 3],
          [3, 7],
        ] as const) {
          const runner = new Sharp(workers, most);
          const { blocked: _, steps: taken, ...several } = await shareOut(question, all, runner);
          expect(several).toEqual(one);
          if (one.executions > most) expect(runner.portions).toBeGreaterThan(1);
          if (strategy === 'optimal') expect([_, taken]).toEqual([blocked, steps]);
        }
      });
    }
  }
});

test.each([
  ['optimal', 'sc'],
  ['optimal', 'tso'],
  ['dpor', 'sc'],
  ['dpor', 'tso'],
  ['dfs', 'sc'],
] as const)('%s under %s: choices of data are all made', async (strategy, memory) => {
  const question = { ...asked('', 0, strategy, memory), scenario: chooser.name };
  const one = plain(question);
  // There are 6 · 6 ways to choose; who meets at one word goes in two orders.
  if (strategy === 'dfs') expect(one.executions).toBeGreaterThan(54);
  else expect(one.executions).toBe(54);
  expect(one.verdict).toBe('safe');
  if (strategy === 'optimal') expect(one.blocked).toBe(0);
  const runner = new Sharp(3, 2000);
  expect(await shareOut(question, all, runner)).toEqual(one);
  expect(runner.portions).toBeGreaterThan(1);
});

test('dfs: every interleaving once', async () => {
  for (const memory of ['sc', 'tso']) {
    const question = asked('binc', 2, 'dfs', memory);
    const one = plain(question);
    expect(await shareOut(question, all, new Sharp(3, 4))).toEqual(one);
  }
});

describe('a shared search', () => {
  test.each(['dfs', 'dpor', 'optimal'] as const)('%s finds what is broken', async (strategy) => {
    const question = asked('peterson-wrong', 1, strategy);
    const result = await shareOut(question, all, new Sharp(2, 2));
    expect(result.verdict).toBe('broken');
    expect(result.finding?.seed).toMatch(/^gnt1\./);
  });

  test('ends at its limit of executions', async () => {
    const limits = { executions: 100, seconds: Infinity };
    const result = await shareOut(asked('lastzero', 10, 'optimal'), limits, new Sharp(2, 9));
    expect(result).toMatchObject({ executions: 100, verdict: 'undecided', exhausted: false });
  });

  test('ends when the time is over', async () => {
    const limits = { executions: Number.MAX_SAFE_INTEGER, seconds: 0.2 };
    const result = await shareOut(asked('lastzero', 17, 'optimal'), limits, new Sharp(2, 1e9));
    expect(result).toMatchObject({ verdict: 'undecided', exhausted: false });
    expect(result.executions).toBeGreaterThan(0);
  });

  test('says what is unknown when a thread falls over', async () => {
    class Falling extends Sharp {
      override async share(portion: Portion): Promise<Portioned> {
        if (this.portions === 3) throw new Error('the thread fell over');
        return super.share(portion);
      }
    }
    await expect(
      shareOut(asked('lastzero', 10, 'optimal'), all, new Falling(2, 9)),
    ).rejects.toThrow('a part of program/lastzero (optimal) is unknown: the thread fell over');
  });
});
