/**
 * Goal: medians, spreads and the significance of a difference are what textbooks say.
 * Method: properties; the published table of the U test; its exact form against its limit.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mannWhitney, median, quantile, spread } from '../../bench/statistics.ts';

const values = fc.array(fc.integer({ min: 1, max: 1e6 }), {
  minLength: 1,
  maxLength: 40,
});

describe('the median', () => {
  test('has half of the values on each side, in any order', () => {
    fc.assert(
      fc.property(values, (list) => {
        const middle = median(list);
        expect(list.filter((value) => value < middle).length).toBeLessThanOrEqual(list.length / 2);
        expect(list.filter((value) => value > middle).length).toBeLessThanOrEqual(list.length / 2);
        expect(median(list.toReversed())).toBe(middle);
      }),
    );
  });

  test('is between the quartiles, and those within the values', () => {
    fc.assert(
      fc.property(values, (list) => {
        const all = [0, 0.25, 0.5, 0.75, 1].map((share) => quantile(list, share));
        expect(all.toSorted((a, b) => a - b)).toEqual(all);
        expect(all[0]).toBe(Math.min(...list));
        expect(all[4]).toBe(Math.max(...list));
      }),
    );
  });

  test('of nothing is no number', () => {
    expect(median([])).toBeNaN();
  });
});

describe('the spread', () => {
  test('is 0 for equal values and does not change with the unit', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 100, noNaN: true }), (list, unit) => {
        const scaled = list.map((value) => value * unit);
        expect(Math.abs(spread(scaled) - spread(list))).toBeLessThan(1e-6 * (1 + spread(list)));
        expect(spread(list.map(() => 7))).toBe(0);
        expect(spread(list)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('the U test', () => {
  test('gives the published probabilities', () => {
    // All of the first below all of the second: 2 of the C(n + m, n) orders are as extreme.
    expect(mannWhitney([1, 2, 3], [4, 5, 6])).toBeCloseTo(2 / 20, 12);
    expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10])).toBeCloseTo(2 / 252, 12);
    // U = 2 at n = m = 5: 4 orders of 252 have U <= 2 on one side.
    expect(mannWhitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10])).toBeCloseTo(8 / 252, 12);
  });

  test('is symmetric, between 0 and 1, and asks only for order', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const p = mannWhitney(a, b);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(mannWhitney(b, a)).toBeCloseTo(p, 9);
        const log = (list: number[]) => list.map((value) => Math.log(value));
        expect(mannWhitney(log(a), log(b))).toBeCloseTo(p, 9);
      }),
    );
  });

  test('sees no difference between a set and itself, and a clear one', () => {
    const list = Array.from({ length: 30 }, (_, i) => i);
    expect(mannWhitney(list, list)).toBeGreaterThan(0.9);
    expect(
      mannWhitney(
        list,
        list.map((value) => value + 25),
      ),
    ).toBeLessThan(1e-6);
    expect(mannWhitney([], list)).toBe(1);
  });

  test('comes to the same by counting and by the normal distribution', () => {
    const a = Array.from({ length: 20 }, (_, i) => i * 2);
    const b = Array.from({ length: 20 }, (_, i) => i * 2 + 9);
    const counted = mannWhitney(a, b);
    // A tie leaves counting out, and moves the probability little.
    const limit = mannWhitney(a, [8, ...b.slice(1)]);
    expect(Math.abs(counted - limit)).toBeLessThan(0.02);
  });
});
