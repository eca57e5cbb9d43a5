/**
 * Goal: what people see of real races stays as good as it is: a race of Xen, one with store
 * buffers, a lost wake-up, a circle of locks and a livelock, on narrow, usual and wide terminals.
 * Method: golden files in golden/. Line numbers of the simulated code are left out of them. After
 * a change that is meant, refresh them and read the difference:
 *
 *   npx vitest run test/report/golden.test.ts --update
 */
import { describe, expect, test } from 'vitest';
import { kernelReport } from '../../src/report/kernel.ts';
import type { RaceRecord } from '../../src/report/race.ts';
import { raceTable } from '../../src/report/table.ts';
import { findRace, foundIn } from './real-races.ts';
import { opposite } from './stuck-programs.ts';

const WIDTHS = [60, 100, 160];

const races: readonly (readonly [string, () => RaceRecord])[] = [
  ['x6-copy-status', () => findRace('race/x6-copy-status', 'before', 'sc')],
  ['x4-steal-handle-tso', () => findRace('race/x4-steal-handle', 'before', 'tso')],
  ['l26-lost-wake-up', () => findRace('race/l26-lost-wake-up', 'before', 'sc')],
  ['treiber-stack', () => findRace('program/treiber-stack-wrong', '', 'tso')],
  ['locks-deadlock', () => foundIn(opposite('waits'), { scenario: 'test/locks', design: '' })],
  ['locks-livelock', () => foundIn(opposite('tries'), { scenario: 'test/tries', design: '' })],
];

/** Lines of simulated code move without a race being told otherwise. */
function withoutLines(race: RaceRecord): RaceRecord {
  return { ...race, places: race.places.map((place) => ({ ...place, line: 1 })) };
}

describe.each(races)('%s', (name, find) => {
  const race = withoutLines(find());

  test.each(WIDTHS)('reads as the golden file at %i columns', async (width) => {
    const lines = raceTable(race, { width, all: false, ascii: true }).map(({ text }) => text);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${name}-${width}.txt`);
  });

  test('reads as the golden file in the kernel’s form', async () => {
    const lines = kernelReport(race).map(({ text }) => text);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${name}-kernel.txt`);
  });

  test('fits every width, in ASCII where that is asked for', () => {
    for (let width = 40; width <= 200; width += 23) {
      for (const all of [false, true]) {
        for (const { text } of raceTable(race, { width, all, ascii: true })) {
          expect(text.length).toBeLessThanOrEqual(width);
          expect(text).toMatch(/^[ -~]*$/);
        }
        for (const { text } of raceTable(race, { width, all, ascii: false })) {
          expect(text.length).toBeLessThanOrEqual(width);
        }
      }
    }
  });
});
