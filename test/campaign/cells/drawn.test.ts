/**
 * Goal: a cell of a strategy that draws is cut into shards that cover each execution once, the same
 * on every machine, whichever of them are done already.
 * Method: shards with made-up results, in parts, and made anew; sizes by steps.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellMemory, Shard } from '../../../src/campaign/cells/cell.ts';
import { doneShard } from '../../../src/campaign/cells/cell.ts';
import type { Portioning } from '../../../src/campaign/cells/drawn.ts';
import { DrawnCell, EVERYTHING } from '../../../src/campaign/cells/drawn.ts';
import type { DrawWork } from '../../../src/campaign/work.ts';
import { NOTHING } from '../../../src/campaign/work.ts';
import { cell } from '../here.ts';

const nothing: CellMemory = { verdict: 'open', done: new Map(), search: null, left: new Map() };
/** So that a shard behind the pilot has 1250 executions. */
const STEPS = 4800;

function workOf({ work }: Shard): DrawWork {
  return work as DrawWork;
}

function end(shard: Shard): { result: typeof NOTHING } {
  const { executions } = workOf(shard);
  return { result: { ...NOTHING, executions, steps: executions * STEPS } };
}

/** All shards of a cell, or of a part of it. */
function shardsOf(executions: number, part: Portioning = EVERYTHING): Shard[] {
  const of = new DrawnCell(cell({ executions }), part, nothing);
  const shards: Shard[] = [];
  for (let shard = of.next(); shard !== null; shard = of.next()) {
    shards.push(shard);
    of.done(shard, end(shard));
  }
  return shards;
}

describe('a cell that draws', () => {
  test('covers each execution once, behind a pilot that sizes the rest', () => {
    const ranges = shardsOf(4000).map((shard) => [workOf(shard).first, workOf(shard).executions]);
    expect(ranges).toEqual([
      [0, 250],
      [250, 1250],
      [1500, 1250],
      [2750, 1250],
    ]);
    expect(shardsOf(100).map((shard) => workOf(shard).executions)).toEqual([100]);
  });

  test('gives nothing but the pilot until that is done', () => {
    const of = new DrawnCell(cell({ executions: 4000 }), EVERYTHING, nothing);
    const pilot = of.next() as Shard;
    expect(of.next()).toBeNull();
    of.putBack(pilot);
    expect(of.next()).toEqual(pilot);
    of.done(pilot, end(pilot));
    expect(of.next()?.number).toBe(1);
  });

  test('is cut by parts into the same shards; the pilot is everybody’s', () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.integer({ min: 1, max: 5 }), (executions, of) => {
        const all = shardsOf(executions + 1);
        const parts = Array.from({ length: of }, (_, index) =>
          shardsOf(executions + 1, { index, of }),
        );
        const byNumber = new Map(parts.flat().map((shard) => [shard.number, shard]));
        expect([...byNumber.values()].sort((a, b) => a.number - b.number)).toEqual(all);
        expect(parts.flat()).toHaveLength(all.length + of - 1);
      }),
      { numRuns: 30 },
    );
  });

  test('goes on with what is not done, whatever is', () => {
    const all = shardsOf(20_000);
    fc.assert(
      fc.property(fc.subarray(all), (some) => {
        const done = new Map(some.map((shard) => [shard.number, doneShard(end(shard))]));
        const of = new DrawnCell(cell({ executions: 20_000 }), EVERYTHING, { ...nothing, done });
        const rest: Shard[] = [];
        for (let shard = of.next(); shard !== null; shard = of.next()) {
          rest.push(shard);
          of.done(shard, end(shard));
        }
        const numbers = [...some, ...rest].map(({ number }) => number).sort((a, b) => a - b);
        expect(numbers).toEqual(all.map(({ number }) => number));
        expect(of.verdict).toBe('undecided');
        expect(of.progress).toBe(1);
      }),
    );
  });

  test('without a bound has no end, and no progress', () => {
    const of = new DrawnCell(cell({ executions: null }), EVERYTHING, nothing);
    const pilot = of.next() as Shard;
    of.done(pilot, end(pilot));
    expect(of.progress).toBeNull();
    expect(of.ready).toBe(true);
    expect(of.verdict).toBe('open');
  });
});
