/**
 * Goal: play in a real browser runs the engine of the command line: what is chosen there, gntrace
 * replays. Method: a race, another actor chosen by mouse and keys, taken back, a link followed; the
 * seed that the page shows is replayed by the command.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { racePage } from '../../src/report/race-page.ts';
import type { RaceRecord } from '../../src/report/race.ts';
import type { Opened } from './chromium.ts';
import { Chromium, hasChromium } from './chromium.ts';
import { brokenSeed, pageDataOf } from './races.ts';

const run = promisify(execFile);
const gntrace = fileURLToPath(new URL('../../dist/fibers/src/cli/main.js', import.meta.url));

describe.skipIf(!hasChromium())('play', () => {
  const chromium = new Chromium();
  const data = pageDataOf(brokenSeed('race/unmap-in-use', 'm2p-override'));
  const { race } = data;
  const html = racePage(data);
  /** Where the other side was let in. */
  const fork = race.switches[0]?.before ?? 0;
  let opened: Opened;

  beforeAll(async () => {
    opened = await chromium.open(html, { hash: `#s${fork + 1}` });
    await opened.page.keyboard.press('3');
  }, 60_000);
  afterAll(() => chromium.close());

  /** The command that the panel shows. */
  async function seed(): Promise<string> {
    const text = await opened.page.locator('.play .copy-box code').innerText();
    return text.replace('gntrace replay ', '');
  }

  async function verdict(): Promise<string> {
    return opened.page.locator('.play .verdict').innerText();
  }

  test('tells what comes of each actor that could go', async () => {
    const other = opened.page.locator('.candidate:not(.goes)').first();
    await expect.poll(() => other.innerText()).toMatch(/breaks|nothing breaks/);
    expect(await opened.page.locator('.candidate.goes').innerText()).toContain('goes here');
    expect(await seed()).toBe(race.seed);
    expect(await verdict()).toContain('as recorded');
  });

  test('another choice gives the trace that gntrace replays from its seed', async () => {
    const other = opened.page.locator('button.candidate').first();
    const promised = (await other.innerText()).includes('nothing breaks');
    await other.click();
    await expect.poll(seed).not.toBe(race.seed);
    const played = await seed();
    expect((await verdict()).includes('nothing breaks')).toBe(promised);
    const shown = await opened.page.locator('.step.selected .no').innerText();
    expect(shown).toBe(`${fork + 1}`);
    const told = await replayed(played);
    const { steps } = pageDataOf(played).race;
    expect(told.steps).toBe(steps.length);
    expect(told.verdict === 'broken').toBe(!promised);
    expect(await rows(opened)).toEqual(steps.map((step) => lineOf(pageDataRace(played), step)));
  });

  test('takes back what was played', async () => {
    await opened.page.keyboard.press('Escape');
    await opened.page.keyboard.press('u');
    await expect.poll(seed).toBe(race.seed);
    expect(await verdict()).toContain('as recorded');
  });

  test('a link with a seed shows that execution', async () => {
    await opened.page.locator('button.candidate').first().click();
    await expect.poll(seed).not.toBe(race.seed);
    const played = await seed();
    const hash = (): Promise<unknown> => opened.page.evaluate('location.hash');
    await expect.poll(hash).toContain(played);
    const again = await chromium.open(html, { hash: String(await hash()) });
    await again.page.keyboard.press('3');
    const command = again.page.locator('.play .copy-box code');
    await expect.poll(() => command.innerText()).toBe(`gntrace replay ${played}`);
    expect(again.complaints).toEqual([]);
  });

  test('draws how likely it is to break from each step on', async () => {
    await opened.page.getByRole('button', { name: 'how likely' }).click();
    const said = opened.page.locator('.said');
    await expect.poll(() => said.innerText(), { timeout: 20_000 }).toMatch(/executions break|odds/);
  });

  test('without a complaint and without a request', () => {
    expect(opened.complaints).toEqual([]);
    expect(opened.requests).toHaveLength(1);
  });

  const cache = new Map<string, RaceRecord>();
  function pageDataRace(text: string): RaceRecord {
    const known = cache.get(text) ?? pageDataOf(text).race;
    cache.set(text, known);
    return known;
  }
});

/** What `gntrace replay` says of a seed. */
async function replayed(seed: string): Promise<{ steps: number; verdict: string }> {
  const args = [gntrace, 'replay', seed, '--json'];
  // Exit status 1: it breaks.
  const { stdout } = await run(process.execPath, args).catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as { steps: number; verdict: string };
}

/** Of each step: actor, word, function and line, as the record has them. */
function lineOf(race: RaceRecord, step: RaceRecord['steps'][number]): string {
  const place = race.places[race.stacks[step.stack]?.[0] ?? -1];
  const where = place === undefined ? '' : `${place.fn} ${place.file}:${place.line}`;
  const word = race.objects[step.object]?.name ?? '';
  return `${race.actors[step.actor]?.name}|${word}|${step.before}|${step.after}|${where}`;
}

/** The same of the steps that the page has. */
async function rows({ page }: Opened): Promise<string[]> {
  const told = (await page.evaluate('gntrace.record()')) as RaceRecord;
  return told.steps.map((step) => lineOf(told, step));
}
