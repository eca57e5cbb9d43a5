/**
 * Goal: a campaign comes to the same totals and findings however its shards are spread, in whatever
 * order they end, and wherever it was broken off; what one command finds, a campaign finds.
 * Method: campaigns over small programs and a race in this thread, broken off at every place.
 */
import { describe, expect, test } from 'vitest';
import { fuzzCell, Here, cell, folder, outcomeOf, runIn } from './here.ts';
import type { Outcome, Work } from '../../src/campaign/work.ts';
import { StoreWriter } from '../../src/campaign/store/writer.ts';

const cells = [
  cell(),
  cell({ strategy: 'random', executions: 700 }),
  cell({ scenario: 'program/readers', param: 5, strategy: 'surw', executions: 800 }),
  cell({ scenario: 'program/lastzero', param: 6, strategy: 'optimal', executions: null }),
  cell({ scenario: 'program/casw', param: 3, strategy: 'dfs', executions: null }),
  fuzzCell,
];

async function undisturbed(): Promise<object> {
  const { store } = await runIn(folder(), cells, new Here());
  const outcome = outcomeOf(store);
  await store.close();
  return outcome;
}

/** Breaks off after so many pieces of work, in the middle of the next. */
class BreakingOff extends Here {
  private left: number;

  constructor(after: number) {
    super(3);
    this.left = after;
  }

  override async run(key: string, work: Work): Promise<Outcome> {
    if (this.left-- <= 0) throw new Error('broken off');
    return super.run(key, work);
  }
}

describe('a campaign', () => {
  test('finds what is wrong, exhausts what ends, and goes as far as it was asked', async () => {
    const { store, events } = await runIn(folder(), cells, new Here());
    const verdicts = cells.map((_, index) => store.cell(index).verdict);
    const wanted = ['broken', 'broken', 'undecided', 'safe', 'safe', 'undecided'];
    expect(verdicts).toEqual(wanted);
    expect(store.cell(0).executions).toBe(3000);
    expect(store.cell(1).executions).toBe(700);
    expect(store.cell(3).executions).toBe(144);
    const found = [...store.sightings()];
    expect(found.map(({ invariant }) => invariant)).toEqual(['outcome']);
    expect(events.filter(({ t }) => t === 'finding')).toHaveLength(found.length);
    expect(found[0]?.shrunk).not.toBeNull();
    await store.close();
  });

  test('comes to the same on one thread and on several', async () => {
    const { store } = await runIn(folder(), cells, new Here(1));
    expect(outcomeOf(store)).toEqual(await undisturbed());
    await store.close();
  });

  test('that was broken off again and again comes to the same', async () => {
    const dir = folder();
    for (let times = 0; ; times++) {
      expect(times).toBeLessThan(60);
      try {
        const { store } = await runIn(dir, cells, new BreakingOff(2 + (times % 3)));
        expect(times).toBeGreaterThan(3);
        expect(outcomeOf(store)).toEqual(await undisturbed());
        await store.close();
        return;
      } catch (error) {
        expect((error as Error).message).toBe('broken off');
        // What a kill leaves: nobody gives the store back.
        await StoreWriter.goOn(dir).close();
      }
    }
  });
});
