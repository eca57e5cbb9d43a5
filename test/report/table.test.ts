/**
 * Goal: a race reads the same on every terminal: lanes where there is room, a flat form below,
 * never wider than asked, the race and the reason of each switch marked in words. Method: one
 * small race at every width; golden.test.ts has real ones.
 */
import { expect, test } from 'vitest';
import { raceTable } from '../../src/report/table.ts';
import { WRITE } from '../../src/shared/kinds.ts';
import { Page, narration, recorded, step } from './small-race.ts';

const race = recorded();
const lines = (width: number, all = false, ascii = true): string[] =>
  raceTable(race, { width, all, ascii }).map(({ text }) => text);

test('no line is wider than the terminal, whatever its width', () => {
  for (let width = 40; width <= 200; width += 7) {
    for (const line of [...lines(width), ...lines(width, true, false)]) {
      expect(line.length).toBeLessThanOrEqual(width);
    }
  }
});

test('the deciding pair is the last conflict on a word that shows the finding', () => {
  expect(race.conflict).toEqual([3, 6]);
  expect(lines(100).filter((line) => line.includes('!!') && !line.includes('legend'))).toHaveLength(
    3,
  );
});

test('where one side forgot to look, its last step is the other half of the pair', () => {
  const blind = { ...narration, steps: narration.steps.slice(2, 5), switches: [] };
  const last = step(1, WRITE, Page.private.at2(0, 1), [0, 1], 13);
  const forgot = recorded({ ...blind, steps: [...blind.steps, last] });
  expect(forgot.conflict).toEqual([1, 3]);
});

test('steps that nobody else sees are left out, and --all shows them', () => {
  const short = lines(100).join('\n');
  expect(short).not.toContain('smp_mb');
  expect(short).toContain('that nobody else sees are left out');
  expect(lines(100, true).join('\n')).toContain('smp_mb');
});

test('ASCII is ASCII', () => {
  // oxlint-disable-next-line no-control-regex
  expect(lines(100).join('')).toMatch(/^[\x20-\x7e]*$/);
});

test('reasons of switches are words', () => {
  const text = lines(100).join('\n');
  expect(text).toContain('preempted');
  expect(text).toContain('finished');
});
