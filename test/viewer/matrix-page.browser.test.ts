/**
 * Goal: the page of the matrix opens from disk, and a broken cell leads to the page of its race, by
 * keyboard too. Method: the cells of one question and three designs, two of them broken, written as
 * `--html` writes them; the links followed in a real browser.
 */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import type { Cell } from '../../src/campaign/matrix/cell.ts';
import { writeMatrixPage } from '../../src/cli/matrix-file.ts';
import { violations } from './axe.ts';
import { Chromium, hasChromium } from './chromium.ts';
import { brokenSeed } from './races.ts';

const race = 'unmap-in-use';
const decided = { race, memory: 'sc', executions: 1, seconds: 1 } as const;

function broken(design: string, invariant: string): Cell {
  const seed = brokenSeed(`race/${race}`, design);
  const how = { verdict: 'broken', exhausted: false, strategy: 'pct', preemptions: 2 } as const;
  return { ...decided, ...how, design, invariant, message: `${invariant}: said`, seed };
}

/** Presses the key until the focus is on such an element. */
async function tabTo(element: string, page: Page): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('Tab');
    if ((await page.locator(`${element}:focus`).count()) > 0) return;
  }
  throw new Error(`no ${element} gets the focus`);
}

describe.skipIf(!hasChromium())('the page of the matrix', () => {
  const chromium = new Chromium();
  const file = join(chromium.folder, 'out of #1', 'matrix.html');
  const folder = join(chromium.folder, 'out of #1', 'matrix-races');
  const m2p = broken('m2p-override', 'I8');
  const cells: readonly Cell[] = [
    m2p,
    { ...decided, design: 'vma-pages', verdict: 'safe', exhausted: true, strategy: 'optimal' },
    broken('find-normal-page', 'I9'),
  ];
  const pageOf = ({ seed = '' }: Cell): string => join(folder, `${seed.slice(-8)}.html`);
  writeMatrixPage(file, cells, cells, true);
  afterAll(() => chromium.close());

  test('opens from disk, and the keyboard leads through broken cells to their races', async () => {
    const { page, complaints, requests } = await chromium.visit(file);
    const links = page.locator('td a');
    expect(await links.allInnerTexts()).toEqual(['sc broken I8', 'sc broken I9']);
    expect(await page.locator('td', { hasText: 'sc safe' }).locator('a').count()).toBe(0);
    await tabTo('a', page);
    expect(await links.first().evaluate('document.activeElement.textContent')).toBe('sc broken I8');
    await page.keyboard.press('Enter');
    await page.waitForSelector('html[data-ready]');
    const head = await page.locator('header').innerText();
    expect(head).toContain(`race/${race}`);
    expect(head).toContain(`gntrace replay ${m2p.seed}`);
    await page.goBack();
    await page.getByRole('link', { name: 'find-normal-page' }).click();
    await page.waitForSelector('html[data-ready]');
    expect(await page.title()).toBe(`I9: race/${race}`);
    expect(complaints).toEqual([]);
    expect(requests.every((url) => url.startsWith('file:'))).toBe(true);
  });

  test('tells by keyboard how a cell was decided', async () => {
    const { page } = await chromium.visit(file);
    const command = page.getByText(`gntrace replay ${m2p.seed}`);
    expect(await command.isVisible()).toBe(false);
    await tabTo('summary', page);
    await page.keyboard.press('Enter');
    expect(await command.isVisible()).toBe(true);
  });

  test.each([{ scheme: 'light' }, { scheme: 'dark', width: 390, height: 844 }] as const)(
    'has no violation for axe: %j',
    async (sight) => {
      const opened = await chromium.visit(file, sight);
      for (const one of await opened.page.locator('summary').all()) await one.click();
      expect(await violations(opened)).toEqual([]);
      expect(await opened.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(
        true,
      );
    },
  );

  test('is written beside races that are written once, and anew by another edition', () => {
    const written = (): number => statSync(pageOf(m2p)).ino;
    const before = written();
    writeFileSync(join(folder, 'mine.html'), '');
    writeMatrixPage(file, cells, cells, true);
    expect(written()).toBe(before);
    writeFileSync(pageOf({ ...m2p, seed: 'gnt1.00000000' }), '');
    writeFileSync(join(folder, 'edition'), 'another');
    writeMatrixPage(file, cells, cells, true);
    expect(statSync(pageOf(m2p)).size).toBeGreaterThan(100_000);
    const wanted = cells.flatMap((cell) => (cell.seed === undefined ? [] : pageOf(cell)));
    expect(wanted.every((path) => existsSync(path))).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(
      [...wanted.map((path) => path.slice(-13)), 'edition', 'mine.html'].toSorted(),
    );
  });
});
