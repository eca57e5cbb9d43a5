/**
 * Goal: stores of parts of a campaign, put together in any order and any number of times, hold what
 * one store of all of it holds; stores of other plans or code are refused.
 * Method: a campaign in three parts and in one; a merge of what is only half done.
 */
import { describe, expect, test } from 'vitest';
import { mergeStores } from '../../../src/campaign/store/merge.ts';
import { StoreReader } from '../../../src/campaign/store/reader.ts';
import { StoreWriter } from '../../../src/campaign/store/writer.ts';
import { Here, cell, folder, outcomeOf, record, runIn } from '../here.ts';

const cells = [
  cell({ executions: 3000 }),
  cell({ strategy: 'random', executions: 900 }),
  cell({ scenario: 'program/lastzero', param: 6, strategy: 'optimal', executions: null }),
];

async function partsOf(of: number): Promise<string[]> {
  const dirs: string[] = [];
  for (let index = 0; index < of; index++) {
    const dir = folder();
    const { store } = await runIn(dir, cells, new Here(), { part: { index, of } });
    await store.close();
    dirs.push(dir);
  }
  return dirs;
}

/** Pairs that were seen once are told apart by shard, and so is the order of sightings. */
async function told(dir: string): Promise<object> {
  const store = StoreWriter.goOn(dir);
  const outcome = outcomeOf(store);
  await store.close();
  return outcome;
}

describe('merging', () => {
  test('comes to what one store holds, in any order and any number of times', async () => {
    const whole = await runIn(folder(), cells, new Here());
    const expected = outcomeOf(whole.store);
    await whole.store.close();
    const parts = await partsOf(3);
    const into = folder();
    const first = await mergeStores(parts, into);
    expect(await told(into)).toEqual(expected);
    const again = await mergeStores(parts.toReversed(), into);
    expect(again).toEqual({ added: 0, known: first.added + first.known });
    expect(await told(into)).toEqual(expected);
    const other = folder();
    for (const dir of parts.toReversed()) await mergeStores([dir], other);
    expect(await told(other)).toEqual(expected);
  });

  test('of parts that are not all there leaves the rest to be done', async () => {
    const [first] = (await partsOf(2)) as [string];
    const into = folder();
    await mergeStores([first], into);
    const { store } = await runIn(into, cells, new Here());
    const whole = await runIn(folder(), cells, new Here());
    expect(outcomeOf(store)).toEqual(outcomeOf(whole.store));
    await store.close();
    await whole.store.close();
  });

  test('refuses stores of other plans', async () => {
    const [first] = (await partsOf(1)) as [string];
    const other = folder();
    const plan = { ...record(cells), plan: 'other' };
    await StoreWriter.create(other, plan, { index: 0, of: 1 }).close();
    await expect(mergeStores([first, other], folder())).rejects.toThrow('plan other');
    await expect(mergeStores([first], other)).rejects.toThrow('plan other');
  });
});

describe('a store', () => {
  test('is read while it is written, and says who writes it', async () => {
    const dir = folder();
    const writer = StoreWriter.create(dir, record(cells), { index: 0, of: 1 });
    const reader = StoreReader.open(dir);
    expect(reader.writer?.pid).toBe(process.pid);
    expect(reader.campaign.name).toBe('test');
    await writer.close();
    await reader.close();
  });

  test('that is not there is not made by reading', () => {
    expect(() => StoreReader.open(folder())).toThrow('no store');
  });
});
