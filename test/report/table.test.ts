/**
 * Goal: a race reads the same on every terminal: lanes where there is room, a flat form below,
 * never wider than asked, the race and the reason of each switch marked in words. Method: golden
 * texts of one small race at 60, 100 and 160 columns, and properties at every width.
 */
import { describe, expect, test } from 'vitest';
import type { NarratedStep, Narration } from '../../src/report/narrate.ts';
import { raceRecord } from '../../src/report/race.ts';
import { raceTable } from '../../src/report/table.ts';
import { AWAIT_EQUAL, FETCH_ADD, READ, SMP_MB, WRITE } from '../../src/shared/kinds.ts';

const unmap = 'src/linux/drivers/unmap.ts';

function step(
  actor: number,
  kind: number,
  name: string,
  before: number,
  after: number,
  line: number,
): NarratedStep {
  const word = name === '' ? 0 : name.length;
  const places = [{ fn: actor === 0 ? 'getUserPages' : 'unmapRefs', file: unmap, line }];
  const writes = before !== after;
  return { actor, flush: false, kind, word, name, before, after, result: before, writes, places };
}

const narration: Narration = {
  steps: [
    step(1, READ, 'd0.page[15].refcount', 1, 1, 10),
    step(1, AWAIT_EQUAL, 'd0.lock', 0, 0, 11),
    step(0, READ, 'private', 7, 7, 40),
    step(0, FETCH_ADD, 'd0.page[15].refcount', 1, 2, 41),
    step(0, SMP_MB, '', 0, 0, 42),
    step(0, READ, 'after', 3, 3, 43),
    step(1, WRITE, 'd0.page[15].refcount', 2, 0, 12),
  ],
  switches: [
    { before: 2, from: 1, to: 0, reason: 'preempted' },
    { before: 6, from: 0, to: 1, reason: 'finished' },
  ],
  complaint: {
    invariant: 'I8',
    message: 'I8: a page was unmapped while somebody held it (d0.page[15].refcount)',
    words: ['d0.page[15].refcount'],
  },
  preemptions: 1,
};
const subject = {
  scenario: 'race/unmap',
  design: 'm2p-override',
  memory: 'sc',
  seed: 'gnt1.x',
  actors: ['d0v0 gup', 'd0v1 unmap'],
};
const race = raceRecord(subject, narration);
const lines = (width: number, all = false, ascii = true): string[] =>
  raceTable(race, { width, all, ascii });

describe.each([60, 100, 160])('at %i columns', (width) => {
  test('the table is the golden one', () => {
    expect(lines(width).join('\n')).toMatchSnapshot();
  });
});

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
  const last = step(1, WRITE, 'other', 0, 1, 13);
  const forgot = raceRecord(subject, { ...blind, steps: [...blind.steps, last] });
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
