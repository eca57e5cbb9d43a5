/**
 * Goal: work that kills its thread, fills its memory or hangs is run twice and then told as what it
 * did, and the pool goes on; a thread that somebody ends costs nothing but its time; in a campaign
 * each of these is a finding of its own.
 * Method: a module that misbehaves on purpose; threads ended from outside amid a campaign.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { cell, folder, outcomeOf, runIn } from './here.ts';
import { drawing } from './children.ts';
import type { Outcome, Work } from '../../src/campaign/work.ts';
import { WorkPool } from '../../src/campaign/work-pool.ts';

const MISBEHAVING = 'test/threads/worlds/misbehaving';
const limits = { workers: 2, hangSeconds: 3, megabytes: 24 };

function work(scenario: string): Work {
  const { executions: _executions, ...question } = cell({ scenario });
  return { kind: 'draw', question, first: 0, executions: 1 };
}

describe('a pool', () => {
  test('tells what work did to its thread, and goes on', async () => {
    const pool = new WorkPool(MISBEHAVING, limits);
    try {
      const outcomes = await Promise.all(
        ['exit', 'throw', 'hang', 'fill', 'well'].map((name) => pool.run(name, work(name))),
      );
      expect(outcomes).toEqual([
        { failure: expect.objectContaining({ reason: 'crashed', begun: 7 }) },
        { failure: { reason: 'failed', message: 'no such thing', begun: 7 } },
        { failure: expect.objectContaining({ reason: 'hung', begun: 7 }) },
        { failure: expect.objectContaining({ reason: 'out of memory', begun: 7 }) },
        expect.objectContaining({ result: expect.objectContaining({ executions: 1 }) }),
      ]);
      expect(await pool.run('again', work('well'))).toHaveProperty('result');
    } finally {
      await pool.close();
    }
  });

  test('makes a finding of it in a campaign, with how to see it again', async () => {
    const pool = new WorkPool(MISBEHAVING, limits);
    const cells = ['exit', 'hang', 'well'].map((scenario) => cell({ scenario, executions: 1000 }));
    const { store } = await runIn(folder(), cells, pool);
    await pool.close();
    const found = [...store.sightings()].sort((a, b) => (a.scenario < b.scenario ? -1 : 1));
    expect(found.map(({ scenario, invariant }) => [scenario, invariant])).toEqual([
      ['exit', 'worker crashed'],
      ['hang', 'worker hung'],
    ]);
    expect(found[0]?.seed).toMatch(/^gntrace explore exit .*--seed 1 .*--first 0 --executions 7$/);
    expect([0, 1, 2].map((index) => store.cell(index).failed > 0)).toEqual([true, true, false]);
    expect(store.cell(2).verdict).toBe('undecided');
    await store.close();
  });
});

/** Knows what it runs. */
class Watched extends WorkPool {
  readonly inFlight = new Map<string, Promise<Outcome>>();

  override run(key: string, asked: Work): Promise<Outcome> {
    const outcome = super.run(key, asked).finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, outcome);
    return outcome;
  }
}

describe('a campaign', () => {
  test('whose threads are ended one after the other comes to the same', async () => {
    const cells = [1, 2, 3].flatMap((seed) => [
      cell({ seed, executions: 40_000 }),
      cell({ scenario: 'program/lastzero', param: 9, strategy: 'optimal', seed, executions: null }),
    ]);
    const usual = { workers: 2, hangSeconds: 60, megabytes: 512 };
    const pool = new WorkPool('src/cli/campaign-task', usual);
    const undisturbed = await runIn(folder(), cells, pool);
    await pool.close();
    const watched = new Watched('src/cli/campaign-task', usual);
    const run = runIn(folder(), cells, watched);
    const ended = new AbortController();
    void run.finally(() => ended.abort());
    const draw = drawing(1);
    let kills = 0;
    while (!ended.signal.aborted && kills < 4) {
      await sleep(300 + draw(400));
      // Work that is hit twice is a finding, and rightly so: each is hit once.
      const hit = [...watched.inFlight.values()];
      if (hit.length === 0) continue;
      await watched.kill(draw(2));
      kills++;
      await Promise.all(hit);
    }
    const { store } = await run;
    await watched.close();
    expect(kills).toBeGreaterThan(0);
    expect(outcomeOf(store)).toEqual(outcomeOf(undisturbed.store));
    await store.close();
    await undisturbed.store.close();
  });
});
