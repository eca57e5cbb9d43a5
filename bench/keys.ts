/**
 * Sequences of keys, made beforehand: a lookup that is measured draws nothing.
 *
 * uniform   every entry is as likely as any other: the working set is all of them
 * zipf      the entry of rank k has the share of 1 / k^0.99, as in YCSB: a few are most of the
 *           load. Ranks are scattered over the entries, so that hot ones are no neighbours.
 *
 * Zipf numbers are drawn by rejection from the inverse of the integral of 1 / x^s (W. Hörmann,
 * G. Derflinger: Rejection-inversion to generate variates from monotone discrete distributions,
 * 1996): exact, without a table of the n shares.
 */
import type { Prng } from '../src/threads/prng.ts';

export const DISTRIBUTIONS = ['uniform', 'zipf'] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** Exponent of the Zipf distribution. */
export const ZIPF_EXPONENT = 0.99;

const GOLDEN_RATIO = 0x9e3779b1;

/** Draws numbers in [0, count). */
export type Draw = () => number;

function unit(prng: Prng): number {
  return prng.below(2 ** 31) / 2 ** 31;
}

/** The integral of x^-s from 1 to x, up to a constant. */
function integral(x: number, s: number): number {
  return x ** (1 - s) / (1 - s);
}

function inverseIntegral(y: number, s: number): number {
  return ((1 - s) * y) ** (1 / (1 - s));
}

/**
 * Ranks from 0, rank k with the share of 1 / (k + 1)^s.
 * @param count - ranks. @param exponent - s, above 0 and not 1.
 */
export function zipfRanks(prng: Prng, count: number, exponent = ZIPF_EXPONENT): Draw {
  const low = integral(1.5, exponent) - 1;
  const high = integral(count + 0.5, exponent);
  return () => {
    for (;;) {
      const y = high + unit(prng) * (low - high);
      const x = inverseIntegral(y, exponent);
      const k = Math.min(Math.max(Math.round(x), 1), count);
      if (y >= integral(k + 0.5, exponent) - k ** -exponent) return k - 1;
    }
  };
}

/** Scatters ranks over [0, count); two ranks may meet. */
function scatter(rank: number, count: number): number {
  return (Math.imul(rank, GOLDEN_RATIO) >>> 0) % count;
}

/** Draws entries of a distribution. @param count - entries. */
export function entriesOf(distribution: Distribution, prng: Prng, count: number): Draw {
  if (distribution === 'uniform') return () => prng.below(count);
  const rank = zipfRanks(prng, count);
  return () => scatter(rank(), count);
}
