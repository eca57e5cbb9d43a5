/**
 * Goal: the page of a benchmark opens from disk, draws its curves, fetches nothing, keeps its
 * policy and has no violation for axe; the name of a lookup stays text wherever it is shown.
 * Method: results written by hand, two variants over one axis and a row with latencies; the name
 * of one lookup is markup.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { pageOf } from '../../bench/page.ts';
import type { Result } from '../../bench/results.ts';
import { reportOf } from '../../bench/results.ts';
import { violations } from '../viewer/axe.ts';
import { Chromium, hasChromium } from '../viewer/chromium.ts';

const HOSTILE = '<img src=x onerror="document.title=1">';

function result(over: Partial<Result>): Result {
  return {
    suite: 'lookups',
    lookup: 'gup-fast-4',
    variant: 'wasm',
    entries: 2 ** 14,
    vmas: 1,
    distribution: 'uniform',
    sharing: 'disjoint',
    batch: 16,
    readers: 1,
    writer: 0,
    changes: 0,
    opsPerSecond: 6e7,
    spread: 0.02,
    samples: [6e7],
    retries: 0,
    writerTurnsPerSecond: 0,
    longestMs: 1,
    wrong: 0,
    shareOfNative: 0.8,
    timesOneReader: null,
    latencyNs: null,
    ...over,
  };
}

/** Rates of a variant for 1, 2 and 4 readers. */
function curve(over: Partial<Result>): Result[] {
  return [1, 2, 4].map((readers) => result({ readers, opsPerSecond: readers * 3e7, ...over }));
}

const results: readonly Result[] = [
  ...curve({}),
  ...curve({ variant: 'ts' }),
  ...curve({ lookup: HOSTILE }),
  result({ lookup: 'maptrack', latencyNs: { p50: 900, p99: 2000, p999: 5000, max: 9000 } }),
];

/** How many pixels of each canvas are not empty. */
const DRAWN = `[...document.querySelectorAll('canvas')].map((canvas) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  return data.filter((value, i) => i % 4 === 3 && value !== 0).length;
})`;

describe.skipIf(!hasChromium())('the page of a benchmark', () => {
  const chromium = new Chromium();
  const html = pageOf(reportOf(results, 0.01, 3));
  afterAll(() => chromium.close());

  test('opens from disk, draws every curve and fetches nothing', async () => {
    const { page, complaints, requests } = await chromium.open(html);
    expect(await page.locator('h2').allInnerTexts()).toEqual([
      'gup-fast-4 by readers',
      `${HOSTILE} by readers`,
      'maptrack: latency',
      'Every cell',
    ]);
    const legend = page.locator('section').first().locator('.u-legend .u-label');
    expect(await legend.allInnerTexts()).toEqual(['readers', 'wasm', 'ts']);
    const drawn = (await page.evaluate(DRAWN)) as number[];
    expect(drawn).toHaveLength(3);
    for (const pixels of drawn) expect(pixels).toBeGreaterThan(1000);
    expect(complaints).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test('runs no script but its own', async () => {
    const { page } = await chromium.open(html);
    const said = await page.evaluate(`new Promise((resolve) => {
      addEventListener('securitypolicyviolation', (event) => resolve(event.violatedDirective));
      const script = document.createElement('script');
      script.textContent = 'document.title = 1';
      document.body.append(script);
    })`);
    expect(said).toBe('script-src-elem');
    expect(await page.title()).toBe('gntrace bench');
  });

  test('shows the name of a lookup as text, in its table and over its curves', async () => {
    const { page } = await chromium.open(html);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('td', { hasText: HOSTILE }).count()).toBe(3);
    expect(await page.locator('h2', { hasText: HOSTILE }).count()).toBe(1);
    expect(await page.title()).toBe('gntrace bench');
  });

  test.each([{ scheme: 'light' }, { scheme: 'dark', width: 390, height: 844 }] as const)(
    'has no violation for axe and fits: %j',
    async (sight) => {
      const opened = await chromium.open(html, sight);
      expect(await violations(opened)).toEqual([]);
      expect(await opened.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(
        true,
      );
    },
  );
});
