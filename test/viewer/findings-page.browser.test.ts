/**
 * Goal: the page of many findings opens from disk, within axe's rules, and its rows lead to races.
 * Method: one finding whose page is written as `report --html` writes it, followed by keyboard.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { withRacePages } from '../../src/cli/race-pages.ts';
import { findingsPage } from '../../src/report/findings-page.ts';
import { foundRaces } from '../../src/report/findings.ts';
import { violations } from './axe.ts';
import { Chromium, hasChromium } from './chromium.ts';
import { brokenSeed, pageDataOf } from './races.ts';

describe.skipIf(!hasChromium())('the page of findings', () => {
  const chromium = new Chromium();
  afterAll(() => chromium.close());

  test('leads to its races', async () => {
    const seed = brokenSeed('race/unmap-in-use', 'm2p-override');
    const { race } = pageDataOf(seed);
    const { invariant, message, fingerprint, scenario, design, memory, replay } = race;
    const told = { scenario, design, memory, seed, replay, preemptions: 1, steps: 9, times: 3 };
    const broke = { invariant: invariant ?? '', message: message ?? '' };
    const named = { fingerprint: fingerprint ?? '', rate: null, file: 'a.ndjson', page: null };
    const file = join(chromium.folder, 'races.html');
    const races = withRacePages(file, foundRaces([{ ...told, ...broke, ...named }]));
    writeFileSync(file, findingsPage({ title: 'found', findings: 1, races }));
    const opened = await chromium.visit(file);
    const { page, complaints } = opened;
    expect(await violations(opened)).toEqual([]);
    await page.getByRole('link', { name: named.fingerprint }).focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('html[data-ready]');
    expect(await page.locator('header').innerText()).toContain(`gntrace replay ${seed}`);
    expect(complaints).toEqual([]);
  });
});
