/**
 * Goal: pairs are told apart by whether one shard or several have shown them, and come back from
 * what is kept as they were.
 * Method: shards of random pairs against a count by hand.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeenPairs } from '../../../src/campaign/store/pairs.ts';

const shards = fc.array(fc.uniqueArray(fc.nat(40), { maxLength: 20 }), { maxLength: 8 });

test('pairs are counted by shards, and kept in a word each', () => {
  fc.assert(
    fc.property(shards, (all) => {
      const seen = new SeenPairs();
      const times = new Map<number, number>();
      for (const pairs of all) {
        const fresh = pairs.some((pair) => (times.get(pair) ?? 0) < 2);
        expect(seen.add(pairs)).toBe(fresh);
        for (const pair of pairs) times.set(pair, (times.get(pair) ?? 0) + 1);
      }
      const kept = new SeenPairs(seen.words());
      for (const one of [seen, kept]) {
        expect(one.count).toBe(times.size);
        expect(one.once).toBe([...times.values()].filter((count) => count === 1).length);
      }
      expect(kept.words()).toEqual(seen.words());
      expect(kept.union(seen)).toBe(false);
      expect(new SeenPairs().union(seen)).toBe(times.size > 0);
    }),
  );
});
