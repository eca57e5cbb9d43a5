/**
 * Goal: every lookup finds what was put there, and the sequences of keys are what they are said to.
 * Method: each machine small, one and several VMAs, all keys, in the fibers edition; frequencies of
 * drawn keys against the distribution.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ZIPF_EXPONENT, entriesOf, zipfRanks } from '../../bench/keys.ts';
import { LOOKUPS, fieldPlaces, lookupOf } from '../../bench/lookups.ts';
import { CHUNK, benchConfig, benchTables, vcpuOfReader } from '../../bench/machine.ts';
import { populate } from '../../bench/populate.ts';
import { BenchKey } from '../../bench/tables.ts';
import { Page } from '../../src/linux/mm/page.ts';
import { ConfigError, createMachine } from '../../src/shared/layout.ts';
import { Prng } from '../../src/threads/prng.ts';

const ENTRIES = 100;

function shapeOf(lookup: (typeof LOOKUPS)[number]['name'], vmas: number) {
  return { lookup, entries: ENTRIES, vmas, readers: 1, keys: CHUNK };
}

describe('a lookup', () => {
  test.each(LOOKUPS)('$name finds every entry in several VMAs', ({ name }) => {
    const shape = shapeOf(name, 7);
    const { words } = createMachine(benchTables, benchConfig(shape));
    const { keys, results } = populate(shape);
    const first = BenchKey.value.at2(0, 0);
    words.set(keys, first);
    const { threads } = lookupOf(name);
    let sum = 0;
    for (let i = 0; i < ENTRIES; i++) {
      expect(threads(vcpuOfReader(0), first + i, 1)).toBe(results[i]);
      sum = (sum + (results[i] as number)) | 0;
    }
    expect(threads(vcpuOfReader(0), first, ENTRIES)).toBe(sum);
  });

  test('of a page gives back the reference that it took', () => {
    const shape = shapeOf('gup-fast-4', 1);
    const { words } = createMachine(benchTables, benchConfig(shape));
    const { keys, results } = populate(shape);
    words.set(keys, BenchKey.value.at2(0, 0));
    const before = Array.from(results, (pg) => words[Page.refcount.at(pg)]);
    lookupOf('gup-fast-4').threads(vcpuOfReader(0), BenchKey.value.at2(0, 0), ENTRIES);
    expect(Array.from(results, (pg) => words[Page.refcount.at(pg)])).toEqual(before);
  });

  test('has a place for every field of its machine', () => {
    const machine = createMachine(benchTables, benchConfig(shapeOf('gup-fast-4', 1)));
    expect(fieldPlaces(machine)['d%.page[%].refcount']).toEqual({
      word: Page.refcount.word,
      stride: 16,
      outer: Page.refcount.outer,
      count: Page.refcount.count,
    });
  });

  test.each([
    { entries: 0, readers: 1, keys: CHUNK },
    { entries: 2 ** 23, readers: 1, keys: CHUNK },
    { entries: 10, readers: 0, keys: CHUNK },
    { entries: 10, readers: 15, keys: CHUNK },
    { entries: 10, readers: 1, keys: CHUNK + 1 },
  ])('is refused a machine of $entries entries, $readers readers, $keys keys', (sizes) => {
    expect(() => benchConfig({ lookup: 'p2m', vmas: 1, ...sizes })).toThrow(ConfigError);
  });
});

describe('keys', () => {
  test('stay below the count and come from the seed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('uniform' as const, 'zipf' as const),
        fc.integer({ min: 1, max: 2 ** 22 }),
        fc.integer(),
        (distribution, count, seed) => {
          const draw = entriesOf(distribution, new Prng(seed), count);
          const again = entriesOf(distribution, new Prng(seed), count);
          for (let i = 0; i < 50; i++) {
            const entry = draw();
            expect(Number.isInteger(entry) && entry >= 0 && entry < count).toBe(true);
            expect(again()).toBe(entry);
          }
        },
      ),
    );
  });

  test('of rank k come with the share of 1 / k^0.99', () => {
    const count = 1000;
    const draws = 200_000;
    const seen = new Float64Array(count);
    const draw = zipfRanks(new Prng(1), count);
    for (let i = 0; i < draws; i++) seen[draw()]! += 1;
    const weights = Array.from({ length: count }, (_, k) => (k + 1) ** -ZIPF_EXPONENT);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const rank of [0, 1, 2, 9, 99]) {
      const expected = (draws * (weights[rank] as number)) / total;
      const deviation = Math.abs((seen[rank] as number) - expected) / Math.sqrt(expected);
      expect(deviation).toBeLessThan(5);
    }
    const tail = seen.slice(500).reduce((sum, n) => sum + n, 0) / draws;
    const share = weights.slice(500).reduce((sum, weight) => sum + weight, 0) / total;
    expect(Math.abs(tail - share)).toBeLessThan(0.005);
  });

  test('of a uniform distribution are equally likely', () => {
    const count = 64;
    const seen = new Float64Array(count);
    const draw = entriesOf('uniform', new Prng(7), count);
    for (let i = 0; i < 64_000; i++) seen[draw()]! += 1;
    for (const n of seen) expect(Math.abs(n - 1000) / Math.sqrt(1000)).toBeLessThan(5);
  });
});
