/**
 * Goal: the page of a race opens from disk, in a real browser, and shows what the record says.
 * Method: a race of the corpus, written as a page, stepped through with keys; what is on the
 * screen against the record, without complaints of the browser and without a request.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { valueText } from '../../src/report/race.ts';
import { racePage } from '../../src/report/race-page.ts';
import type { Opened } from './chromium.ts';
import { Chromium, hasChromium } from './chromium.ts';
import { brokenSeed, pageDataOf } from './races.ts';

describe.skipIf(!hasChromium())('the page of a race', () => {
  const chromium = new Chromium();
  const seed = brokenSeed('race/split-and-gup', 'm2p-override');
  const data = pageDataOf(seed);
  const { race } = data;
  const html = racePage(data);
  let opened: Opened;

  beforeAll(async () => {
    opened = await chromium.open(html);
  });
  beforeEach(async () => {
    await press('Escape', 'x', '1');
    for (const [button, key, wanted] of usual) {
      const pressed = opened.page.getByRole('button', { name: button, pressed: !wanted });
      if ((await pressed.count()) > 0) await press(key);
    }
    await goTo(race.conflict?.[1] ?? 0);
  });
  afterAll(() => chromium.close());

  /** Number of the selected step, from 1. */
  async function selected(): Promise<number> {
    return Number(await opened.page.locator('.step.selected .no').textContent());
  }

  async function goTo(step: number): Promise<void> {
    await opened.page.evaluate(`location.hash = '#s${step + 1}'`);
    await opened.page.waitForSelector(`#s${step + 1}.selected`);
    await opened.page.evaluate(frames);
  }

  async function press(...keys: string[]): Promise<void> {
    for (const key of keys) await opened.page.keyboard.press(key);
    await opened.page.evaluate(frames);
  }

  function changes(of: number) {
    return ({ object, before, after, effect }: (typeof race.steps)[number]): boolean =>
      object === of && effect === 'writes' && before !== after;
  }

  test('opens with the verdict, the two accesses and the command', async () => {
    const head = await opened.page.locator('header').innerText();
    expect(head).toContain(`broken ${race.invariant}`);
    expect(head).toContain(race.scenario);
    expect(head).toContain(`gntrace replay ${seed}`);
    for (const i of race.conflict ?? []) expect(head).toContain(`step ${i + 1}`);
    expect(await opened.page.title()).toBe(`${race.invariant}: ${race.scenario}`);
    expect(await selected()).toBe((race.conflict?.[1] ?? 0) + 1);
  });

  test('shows every step, and steps and jumps by keys', async () => {
    await press('m', 'Home');
    expect(await selected()).toBe(1);
    await press('ArrowDown', 'j');
    expect(await selected()).toBe(3);
    await press('k');
    expect(await selected()).toBe(2);
    await press('s');
    expect(await selected()).toBe((race.switches[0]?.before ?? 0) + 1);
    await press('r');
    expect(await selected()).toBe((race.conflict?.[0] ?? 0) + 1);
    await press('r');
    expect(await selected()).toBe((race.conflict?.[1] ?? 0) + 1);
    await press('End');
    expect(await selected()).toBe(race.steps.length);
    const hash = (): Promise<unknown> => opened.page.evaluate('location.hash');
    await expect.poll(hash).toBe(`#s${race.steps.length}`);
  });

  test('finds who wrote a word last, as the record has it', async () => {
    const reads = race.steps.findIndex(
      ({ object, before, after }, i) =>
        before === after && race.steps.slice(0, i).some(changes(race.steps[i]?.object ?? object)),
    );
    const { object = -1 } = race.steps[reads] ?? {};
    await goTo(reads);
    await press('W');
    const writer = race.steps.slice(0, reads).findLastIndex(changes(object));
    expect(await selected()).toBe(writer + 1);
  });

  test('rows and words agree with the record at every step', async () => {
    await press('m', '1', 'Home');
    const seen = (await opened.page.evaluate(walk)) as Seen[];
    expect(seen).toHaveLength(Math.ceil(race.steps.length / STRIDE));
    // Words that actors keep for themselves change without a step; some are read by steps.
    const stepped = new Set(
      race.steps.map(({ object }) => race.objects[object]).filter((o) => o?.unseen !== true),
    );
    const objects = new Map(race.objects.map((object) => [object.name, object]));
    const words = new Map(
      race.objects.flatMap((o) => (stepped.has(o) ? [[o.name, o.initial] as const] : [])),
    );
    let compared = 0;
    for (const [i, step] of race.steps.entries()) {
      const name = race.objects[step.object]?.name;
      if (name !== undefined) words.set(name, step.after);
      if (i % STRIDE !== 0) continue;
      const { row = '', state = [] } = seen[i / STRIDE] ?? {};
      if (name !== undefined) expect(row).toContain(name);
      for (const [word, text] of state) {
        const value = words.get(word);
        if (value === undefined) continue;
        expect(`${i} ${word} ${text}`).toBe(`${i} ${word} ${valueText(objects.get(word), value)}`);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(race.steps.length);
  });

  test('draws an arrow for each edge of the selected step and for the race', async () => {
    await press('m');
    const [first, then] = race.conflict ?? [0, 0];
    const edge = race.edges.find(([, to]) => to !== then);
    if (edge === undefined) throw new Error('no edge');
    await goTo(edge[1]);
    const drawn = (await opened.page.evaluate(arrows)) as string[];
    const wanted = race.edges
      .filter(([from, to]) => from === edge[1] || to === edge[1])
      .map(([from, to, kind]) => `${from} ${to} ${kind}`);
    expect(drawn.sort()).toEqual([...wanted, `${first} ${then} race`].sort());
    await press('a');
    expect(((await opened.page.evaluate(arrows)) as string[]).length).toBeGreaterThan(drawn.length);
  });

  test('shows the source of the step with its line marked, and the call stack', async () => {
    const step = race.conflict?.[0] ?? 0;
    await press('r');
    const stack = race.stacks[race.steps[step]?.stack ?? -1] ?? [];
    const place = race.places[stack[0] ?? -1];
    expect(await opened.page.locator('.source h2').innerText()).toContain(place?.fn);
    const line = opened.page.locator('.line[aria-current] .number');
    expect(await line.textContent()).toBe(`${place?.line}`);
    expect(await opened.page.locator('.stack li').count()).toBe(stack.length);
  });

  test('draws grants, maptrack, address spaces and frames as what they are', async () => {
    await press('2');
    const machine = opened.page.locator('.machine');
    const text = await machine.innerText();
    for (const part of [
      'grants',
      'maptrack',
      'mm[0]',
      'vma[0]',
      'machine frames',
      'permit_access',
    ]) {
      expect(text).toContain(part);
    }
    expect(await machine.locator('.table .entry').count()).toBeGreaterThan(0);
    expect(await machine.locator('.pin').count()).toBeGreaterThan(0);
  });

  test('filters by word and actor, and shows all again', async () => {
    const named = race.objects[race.steps[race.conflict?.[0] ?? 0]?.object ?? -1]?.name ?? '';
    await press('m', '/');
    await opened.page.keyboard.type(named);
    await press('Escape');
    // The selected step stays in sight.
    const hidden = race.steps.filter(
      ({ object }, i) => race.objects[object]?.name !== named && i !== race.conflict?.[1],
    );
    const output = opened.page.locator('output');
    expect(await output.innerText()).toContain(`, ${hidden.length} folded`);
    await press('x');
    expect(await output.innerText()).not.toContain('folded');
  });

  test('goes on without a complaint of the browser and without a request', async () => {
    const again = await chromium.open(html, { hash: '#s11' });
    expect(await again.page.locator('.step.selected .no').textContent()).toBe('11');
    expect(again.requests).toHaveLength(1);
    expect(opened.complaints).toEqual([]);
    expect(opened.requests).toHaveLength(1);
  });

  test('keeps the function beside the operation where a single actor acts', async () => {
    const alone = pageDataOf(brokenSeed('race/one-frame-twice', 'm2p-override'));
    expect(new Set(alone.race.steps.map(({ actor }) => actor)).size).toBe(1);
    const { page } = await chromium.open(racePage(alone));
    const row = page.locator('.step.selected');
    const operation = await row.getByRole('gridcell').first().boundingBox();
    const place = await row.getByRole('gridcell').last().boundingBox();
    const end = (operation?.x ?? 0) + (operation?.width ?? 0);
    expect(operation?.width).toBeGreaterThan(200);
    expect(place?.x).toBeGreaterThanOrEqual(end - 1);
  });

  test('is a readable table where scripts are off', async () => {
    const { page } = await chromium.open(html, { scripts: false });
    const text = await page.locator('body').innerText();
    expect(text).toContain('Scripts are off');
    const matters = race.steps.filter((step, i) => step.matters || race.conflict?.includes(i));
    expect(await page.locator('tbody tr').count()).toBe(matters.length);
    expect(text).toContain(race.message);
  });
});

/** How the page begins. */
const usual = [
  ['only what matters', 'm', true],
  ['all arrows', 'a', false],
  ['shade unrelated', 'd', false],
] as const;

interface Seen {
  readonly row: string;
  /** Word, value. */
  readonly state: readonly (readonly [string, string])[];
}

/** Every so many steps are looked at. */
const STRIDE = 7;

/** The panels follow the timeline by a frame. */
const frames = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`;

/** What is in sight at every step, gone through by keys. */
const walk = `(async () => {
  const seen = [];
  for (;;) {
    await ${frames};
    const row = document.querySelector('.step.selected');
    const state = [...document.querySelectorAll('.words tbody tr')].map((tr) => [
      tr.querySelector('th').firstChild.textContent,
      (tr.querySelector('strong') ?? tr.querySelector('td')).textContent,
    ]);
    seen.push({ row: row.textContent, state });
    for (let i = 0; i < ${STRIDE}; i++) {
      document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown' }));
    }
    const at = Number(document.querySelector('.step.selected .no').textContent);
    if (at % ${STRIDE} !== 1) return seen;
    if (document.querySelector('.step.selected') === row) return seen;
  }
})()`;

/** `from to kind` of each arrow. */
const arrows = `[...document.querySelectorAll('.arrow')].map(({ dataset }) =>
  [dataset.from, dataset.to, dataset.kind].join(' '))`;
