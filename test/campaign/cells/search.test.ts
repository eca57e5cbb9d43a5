/**
 * Goal: a search in rounds covers what one search covers, whoever runs its shards in which order,
 * and wherever it was put down and taken up again; it says what it may say, and no more.
 * Method: published programs against one plain run; random orders of what ends; a cell made anew
 * from what was written down after every shard.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellMemory, CellName, Shard, ShardEnd } from '../../../src/campaign/cells/cell.ts';
import { doneShard } from '../../../src/campaign/cells/cell.ts';
import type { DoneShard, SearchState } from '../../../src/campaign/cells/cell.ts';
import { SearchCell } from '../../../src/campaign/cells/search.ts';
import { WorkRunner } from '../../../src/campaign/run-work.ts';
import type { Left } from '../../../src/campaign/work.ts';
import { findScenario } from '../../../src/cli/scenarios.ts';
import { check } from '../../../src/explore/check.ts';
import { cell } from '../here.ts';

const runner = new WorkRunner(findScenario);
const nothing: CellMemory = { verdict: 'open', done: new Map(), search: null, left: new Map() };

function search(scenario: string, param: number, strategy: CellName['strategy']): CellName {
  return cell({ scenario, param, strategy, executions: null });
}

function run({ work }: Shard): ShardEnd {
  return { result: runner.run(work, new Int32Array(2)) };
}

interface Course {
  readonly verdict: string;
  readonly executions: number;
  readonly shards: number;
}

/** What a store would hold. */
class Kept {
  readonly done = new Map<number, DoneShard>();
  private search: SearchState | null = null;
  private left = new Map<number, Left>();
  private verdict: CellMemory['verdict'] = 'open';

  keep(of: SearchCell, shard: Shard, end: ShardEnd): void {
    const { search: state, verdict } = of.done(shard, end);
    this.done.set(shard.number, doneShard(end));
    this.verdict = verdict;
    const left = 'result' in end ? end.result.left : null;
    if (left !== null) this.left.set(shard.number, left);
    if (state === null) return;
    this.search = structuredClone(state);
    this.left.clear();
  }

  memory(): CellMemory {
    const { verdict, done, search: state, left } = this;
    return structuredClone({ verdict, done, search: state, left });
  }

  course(): Course {
    const executions = [...this.done.values()].reduce((sum, one) => sum + one.executions, 0);
    return { verdict: this.verdict, executions, shards: this.done.size };
  }
}

/** @param pick - which of those that are in flight ends next. @param anew - after every shard. */
function courseOf(asked: CellName, pick: (count: number) => number, anew: boolean): Course {
  const kept = new Kept();
  let of = new SearchCell(asked, true, nothing);
  let inFlight: Shard[] = [];
  for (;;) {
    for (let shard = of.next(); shard !== null; shard = of.next()) inFlight.push(shard);
    if (inFlight.length === 0) return kept.course();
    const [shard] = inFlight.splice(pick(inFlight.length), 1) as [Shard];
    kept.keep(of, shard, run(shard));
    if (!anew) continue;
    of = new SearchCell(asked, true, kept.memory());
    inFlight = [];
  }
}

const programs: readonly [string, number, CellName['strategy']][] = [
  ['program/lastzero', 7, 'optimal'],
  ['program/lastzero', 5, 'dpor'],
  ['program/casw', 3, 'dfs'],
  ['program/indexer', 13, 'optimal'],
];

describe('a search in rounds', () => {
  test.each(programs)('covers %s (%d) by %s as one search does', (scenario, param, strategy) => {
    const asked = search(scenario, param, strategy);
    const { verdict, executions, shards } = courseOf(asked, () => 0, false);
    const prepared = findScenario(scenario).prepare({ design: '', param });
    const plain = check({ ...prepared, strategy, executions: 1e6 });
    expect({ verdict, executions }).toEqual({ verdict: 'safe', executions: plain.executions });
    expect(shards).toBeGreaterThan(1);
  });

  test('takes the same course in whatever order its shards end, however often made anew', () => {
    const asked = search('program/lastzero', 7, 'optimal');
    const expected = courseOf(asked, () => 0, false);
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), fc.boolean(), (stream, anew) => {
        const pick = (count: number): number => (stream.next().value ?? 0) % count;
        expect(courseOf(asked, pick, anew)).toEqual(expected);
      }),
      { numRuns: 8 },
    );
  });

  test('ends with its bound, and says that it is undecided', () => {
    const asked = { ...search('program/lastzero', 7, 'optimal'), executions: 50 };
    const course = courseOf(asked, () => 0, false);
    expect(course).toMatchObject({ verdict: 'undecided', executions: 50 });
    expect(courseOf(asked, (count) => count - 1, true)).toEqual(course);
  });

  test('ends with the round in which something breaks', () => {
    const asked = search('program/bakery-wrong', 2, 'optimal');
    expect(courseOf(asked, () => 0, false).verdict).toBe('broken');
  });

  test('of which a shard failed proves nothing', () => {
    const of = new SearchCell(search('program/lastzero', 5, 'optimal'), true, nothing);
    const shard = of.next() as Shard;
    of.done(shard, { failure: { reason: 'hung', message: '', begun: 1 } });
    expect(of.verdict).toBe('failed');
    expect(of.next()).toBeNull();
  });
});
