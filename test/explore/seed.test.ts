/**
 * Goal: a seed says all that a replay needs, and nothing but a whole seed is taken for one.
 * Method: round trips of random seeds, and every way of damaging one.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Seed } from '../../src/explore/seed.ts';
import { formatSeed, parseSeed, SeedError } from '../../src/explore/seed.ts';

const seeds = fc.record({
  scenario: fc.string(),
  design: fc.string(),
  param: fc.nat(),
  memory: fc.constantFrom('sc' as const, 'tso' as const),
  workload: fc.integer(),
  strategy: fc.string(),
  schedule: fc.array(fc.nat(70)),
  choices: fc.array(fc.nat(9)),
});
const sample: Seed = {
  scenario: 'program/lastzero',
  design: 'vma-pages',
  param: 5,
  memory: 'tso',
  workload: 7,
  strategy: 'pct',
  schedule: [0, 0, 0, 1, 0, 27, 60, 60],
  choices: [2, 0],
};

test('what is written is read again', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(parseSeed(formatSeed(seed))).toEqual(seed);
    }),
  );
});

test('actors that are left out have a field of their own, and only then', () => {
  const text = formatSeed({ ...sample, without: [1, 27, 60] });
  expect(text).toMatch(/\.a3baB_60_2\.2-0\.bB_60_\.\w{8}$/);
  expect(parseSeed(text)).toEqual({ ...sample, without: [1, 27, 60] });
  expect(formatSeed({ ...sample, without: [] })).toBe(formatSeed(sample));
});

test('a seed is one readable line without anything that a shell would touch', () => {
  const text = formatSeed(sample);
  expect(text).toMatch(
    /^gnt1\.program\/lastzero\.vma-pages\.5\.tso\.7\.pct\.a3baB_60_2\.2-0\.\w{8}$/,
  );
  fc.assert(
    fc.property(seeds, (seed) => {
      expect(formatSeed(seed)).not.toMatch(/[\s"'`$\\<>|;&#]/);
    }),
  );
});

describe('what is no seed', () => {
  test('any changed character is noticed', () => {
    const text = formatSeed(sample);
    for (let i = 0; i < text.length; i++) {
      const changed = text[i] === '1' ? '2' : '1';
      expect(() => parseSeed(text.slice(0, i) + changed + text.slice(i + 1))).toThrow(SeedError);
    }
  });
  test('any part of a seed is noticed', () => {
    const text = formatSeed(sample);
    for (let i = 0; i < text.length; i++) {
      expect(() => parseSeed(text.slice(0, i))).toThrow(SeedError);
    }
  });
  test.each([
    ['', /no gntrace seed/],
    ['hello', /no gntrace seed/],
    ['gnt2.whatever', /version 2/],
    ['gnt1.cut', /cut off/],
    [`${formatSeed(sample)}0`, /checksum/],
  ])('%s: the message is one line', (text, message) => {
    expect(() => parseSeed(text)).toThrow(message);
    expect(() => parseSeed(text)).toThrow(/^[^\n]+$/);
  });
});
