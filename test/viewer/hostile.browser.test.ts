/**
 * Goal: names, words and notes are data. A scenario whose name is markup stays text in every view,
 * and the page stays inside its limits: no violation for axe, in light and dark, wide and narrow.
 * Method: a record with hostile names, shown; axe-core run in the page.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { racePage } from '../../src/report/race-page.ts';
import type { PageData } from '../../src/report/page-data.ts';
import { violations } from './axe.ts';
import type { Sight } from './chromium.ts';
import { Chromium, hasChromium } from './chromium.ts';
import { brokenSeed, pageDataOf } from './races.ts';

const HOSTILE = '<img src=x onerror="document.title=1">';

/** The same race with names that are markup. */
function hostile({ race, image, sources }: PageData): PageData {
  const bad = <T extends { name: string }>(named: T): T => ({
    ...named,
    name: HOSTILE + named.name,
  });
  return {
    race: {
      ...race,
      scenario: `race/${HOSTILE}`,
      message: `${race.invariant}: </script><script>${HOSTILE}`,
      rule: HOSTILE,
      actors: race.actors.map((actor) => ({ ...bad(actor), role: HOSTILE })),
      objects: race.objects.map((object) => ({ ...bad(object), doc: HOSTILE })),
      places: race.places.map((place) => ({ ...place, fn: HOSTILE })),
      steps: race.steps.map((step) => ({ ...step, notes: [HOSTILE] })),
    },
    image: { ...image, tables: image.tables.map(bad) },
    sources: sources.map((piece) => ({ ...piece, lines: piece.lines.map(() => HOSTILE) })),
  };
}

describe.skipIf(!hasChromium())('a page', () => {
  const chromium = new Chromium();
  const data = pageDataOf(brokenSeed('race/unmap-in-use', 'm2p-override'));
  afterAll(() => chromium.close());

  test('shows hostile names as text, in every panel', async () => {
    const opened = await chromium.open(racePage(hostile(data)));
    const { page } = opened;
    for (const key of ['m', '1', '2', '3', 'Home', 'c', 'a', '?', 'Escape']) {
      await page.keyboard.press(key);
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.locator('script').count()).toBe(3);
    }
    expect(await page.title()).toContain('<img');
    expect(await page.locator('h1').first().innerText()).toContain(HOSTILE);
    expect(opened.complaints).toEqual([]);
    expect(opened.requests).toHaveLength(1);
  });

  test('shows hostile names as text where scripts are off', async () => {
    const { page, requests } = await chromium.open(racePage(hostile(data)), { scripts: false });
    expect(await page.locator('body').innerText()).toContain(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
    expect(requests).toHaveLength(1);
  });

  const sights: readonly Sight[] = [
    { scheme: 'light' },
    { scheme: 'dark', width: 390, height: 844 },
  ];
  test.each(sights)('has no violation for axe: %j', async (sight) => {
    const opened = await chromium.open(racePage(data), sight);
    const { page } = opened;
    expect(await violations(opened)).toEqual([]);
    await page.keyboard.press('3');
    await page.locator('.candidate').first().waitFor();
    expect(await violations(opened)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });
});
