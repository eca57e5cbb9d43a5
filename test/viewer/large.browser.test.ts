/**
 * Goal: a trace of 100,000 operations opens soon, with elements for rows in sight only; the page of
 * a shrunk race is smaller than 400 KB. Method: a race repeated until it is that long.
 */
import { afterAll, describe, expect, test } from 'vitest';
import type { PageData } from '../../src/report/page-data.ts';
import { racePage } from '../../src/report/race-page.ts';
import { Chromium, hasChromium } from './chromium.ts';
import { brokenSeed, pageDataOf, shrinkSeed } from './races.ts';

const OPERATIONS = 100_000;
/** On a machine that does much else; 3 s is what a reader waits on a quiet one. */
const OPEN_WITHIN_SECONDS = 15;
const MOST_ROWS = 120;

/** A race over and over, until it has so many operations. */
function longRace(): PageData {
  const { race, image, sources } = pageDataOf(brokenSeed('race/unmap-in-use', 'm2p-override'));
  const { steps, switches } = race;
  const times = Math.ceil(OPERATIONS / steps.length);
  const all = Array.from({ length: times }, (_, i) => i * steps.length);
  return {
    race: {
      ...race,
      steps: all.flatMap(() => steps),
      switches: all.flatMap((at) =>
        switches.map((turn) => ({ ...turn, before: turn.before + at })),
      ),
    },
    image,
    sources,
  };
}

describe('the page of a shrunk race', () => {
  test.each([
    ['race/unmap-in-use', 'm2p-override'],
    ['race/split-and-gup', 'm2p-override'],
    ['race/x2-double-put', 'before'],
    ['race/partial-munmap', 'vm-foreign'],
  ])('is smaller than 400 KB: %s %s', (scenario, design) => {
    const page = racePage(pageDataOf(shrinkSeed(brokenSeed(scenario, design))));
    expect(Buffer.byteLength(page)).toBeLessThan(400_000);
  });
});

describe.skipIf(!hasChromium())('a trace of 100,000 operations', () => {
  const chromium = new Chromium();
  afterAll(() => chromium.close());

  test('opens soon, and has elements for rows in sight only', async () => {
    const data = longRace();
    expect(data.race.steps.length).toBeGreaterThanOrEqual(OPERATIONS);
    const { page, complaints } = await chromium.open(racePage(data));
    const rows = (): Promise<number> => page.locator('.space [role=row]').count();
    const ready = (await page.evaluate('gntrace.readyAfter')) as number;
    expect(ready / 1000).toBeLessThan(OPEN_WITHIN_SECONDS);
    await page.keyboard.press('m');
    expect(await rows()).toBeLessThan(MOST_ROWS);
    expect(await page.locator('[role=grid]').getAttribute('aria-rowcount')).toBe(
      `${data.race.steps.length + data.race.switches.length + 1}`,
    );
    for (const at of [0, 1_000_000, 2_500_000]) {
      await page.evaluate(`document.querySelector('.timeline').scrollTop = ${at}`);
      await page.evaluate('new Promise(requestAnimationFrame)');
      expect(await rows()).toBeLessThan(MOST_ROWS);
      expect(await rows()).toBeGreaterThan(20);
    }
    await page.keyboard.press('End');
    const last = await page.locator('.step.selected .no').innerText();
    expect(last).toBe(`${data.race.steps.length}`);
    expect(complaints).toEqual([]);
  });
});
