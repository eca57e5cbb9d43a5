/**
 * Goal: the matrix decides what is easy at once, gives what is hard more time in every round, puts
 * questions before the past, keeps to its budget, and never forgets or doubles a cell. Method: a
 * decider that says when it would decide, without a scenario behind it.
 */
import { expect, test } from 'vitest';
import type { Cell, CellName } from '../../../src/campaign/matrix/cell.ts';
import { selectCells } from '../../../src/campaign/matrix/cell.ts';
import type { Attempt } from '../../../src/campaign/matrix/decide.ts';
import { runMatrix } from '../../../src/campaign/matrix/run.ts';

const cell = (race: string): CellName => ({ race, design: 'vma-pages', memory: 'sc' });

/** Decides a cell when its slice reaches what it needs. */
function deciderOf(needs: Readonly<Record<string, number>>, workers: number) {
  const attempts: Attempt[] = [];
  return {
    attempts,
    workers,
    async run(attempt: Attempt): Promise<Cell> {
      attempts.push(attempt);
      const safe = attempt.seconds >= (needs[attempt.cell.race] ?? Infinity);
      await Promise.resolve();
      return {
        ...attempt.cell,
        verdict: safe ? 'safe' : 'undecided',
        exhausted: safe,
        executions: 1,
        strategy: 'optimal',
        seconds: 0,
      };
    },
  };
}

async function run(
  names: readonly string[],
  needs: Readonly<Record<string, number>>,
  workers = 1,
  seconds = 1000,
  past: readonly string[] = [],
) {
  const decider = deciderOf(needs, workers);
  const cells: Cell[] = [];
  let decided = 0;
  await runMatrix(
    names.map((name) => cell(name)),
    ({ race }) => past.includes(race),
    decider,
    { seconds, firstRound: 1, signal: new AbortController().signal },
    (result) => cells.push(result),
    (progress) => {
      decided = progress.decided;
    },
    () => {
      throw new Error('nothing fails here');
    },
  );
  const order = decider.attempts.map(({ cell: { race } }) => race);
  return { order, cells, decided, attempts: decider.attempts };
}

test('a hard cell comes again with twice the time when the easy ones are decided', async () => {
  const { order, decided, attempts } = await run(['hard', 'easy'], { hard: 4, easy: 1 });
  expect(order).toEqual(['hard', 'easy', 'hard', 'hard']);
  expect(attempts.map(({ seconds }) => seconds)).toEqual([1, 1, 2, 4]);
  expect(decided).toBe(2);
});

test('strategies that draw begin elsewhere in every round', async () => {
  const { attempts } = await run(['hard'], { hard: 4 });
  expect(new Set(attempts.map(({ seed }) => seed)).size).toBe(3);
});

test('a question has its second round before the past has its first', async () => {
  const { order } = await run(['old', 'question'], { old: 1, question: 2 }, 1, 1000, ['old']);
  expect(order).toEqual(['question', 'old', 'question']);
});

test('what stays undecided ends with the budget', async () => {
  const { order, cells, decided } = await run(['endless', 'easy'], { easy: 1 }, 1, 0.4);
  expect(order).toEqual([]);
  expect(cells).toEqual([]);
  expect(decided).toBe(0);
});

test('several workers share the cells', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const needs = { a: 1, b: 2, c: 1, d: 4, e: 1 };
  const { cells } = await run(names, needs, 3);
  const safe = cells.filter(({ verdict }) => verdict === 'safe').map(({ race }) => race);
  expect(safe.toSorted()).toEqual(names);
});

test('an interrupt hands out nothing more', async () => {
  const controller = new AbortController();
  controller.abort();
  const decider = deciderOf({ a: 1 }, 1);
  await runMatrix(
    [cell('a')],
    () => false,
    decider,
    { seconds: 10, firstRound: 1, signal: controller.signal },
    () => {},
    () => {},
    () => {},
  );
  expect(decider.attempts).toEqual([]);
});

test('a selection takes names, ids and memory models', () => {
  const both = selectCells({ only: ['X1'], memories: ['sc', 'tso'] });
  expect(both.map(({ design, memory }) => `${design} ${memory}`)).toEqual([
    'before sc',
    'after sc',
    'before tso',
    'after tso',
  ]);
  const one = selectCells({ only: ['race/unmap-in-use'], memories: ['sc'] });
  expect(new Set(one.map(({ race }) => race))).toEqual(new Set(['unmap-in-use']));
});

test('a cell that cannot be asked is told, and the others go on', async () => {
  const failures: string[] = [];
  const cells: string[] = [];
  const decider = {
    workers: 1,
    async run({ cell: name }: Attempt): Promise<Cell> {
      if (name.race === 'bad') throw new Error('a thread died');
      return deciderOf({ good: 0 }, 1).run({ cell: name, seconds: 1, seed: 1 });
    },
  };
  await runMatrix(
    [cell('bad'), cell('good')],
    () => false,
    decider,
    { seconds: 10, firstRound: 1, signal: new AbortController().signal },
    ({ race }) => cells.push(race),
    () => {},
    ({ race }, error) => failures.push(`${race}: ${String(error)}`),
  );
  expect(failures).toEqual(['bad: Error: a thread died']);
  expect(cells).toEqual(['good']);
});
