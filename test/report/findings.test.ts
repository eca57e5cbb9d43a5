/**
 * Goal: many findings read as few races, each with its shortest seed, on terminals and as a page,
 * and names in them stay data. Method: findings made by hand, with names that try to be markup.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findingsPage } from '../../src/report/findings-page.ts';
import { findingsTable } from '../../src/report/findings-text.ts';
import type { Finding } from '../../src/report/findings.ts';
import { foundRaces } from '../../src/report/findings.ts';
import { marksOf } from '../../src/report/lines.ts';

const evil = '<img src=x onerror="alert(1)">';

function finding(part: Partial<Finding>): Finding {
  return {
    fingerprint: 'I8: d*.page[*].refcount @ get | put',
    invariant: 'I8',
    message: 'I8: in use',
    scenario: 'race/a',
    design: 'm2p-override',
    memory: 'sc',
    seed: 'gnt1.a',
    replay: 'gntrace replay gnt1.a',
    steps: 10,
    preemptions: 1,
    times: 1,
    rate: null,
    file: 'a.json',
    page: null,
    ...part,
  };
}

test('findings of one race are one, with the shortest seed, most seen first', () => {
  const races = foundRaces([
    finding({ steps: 20 }),
    finding({ fingerprint: 'I9 @ f', times: 1 }),
    finding({ memory: 'tso', preemptions: 0, steps: 30, seed: 'gnt1.b', times: 5, rate: 0.25 }),
    finding({ preemptions: 0, steps: 40, rate: 0.5 }),
  ]);
  expect(
    races.map(({ fingerprint, findings, times }) => [fingerprint[1], findings, times]),
  ).toEqual([
    ['8', 3, 7],
    ['9', 1, 1],
  ]);
  expect(races[0]).toMatchObject({
    rate: 0.5,
    where: ['race/a m2p-override sc', 'race/a m2p-override tso'],
    shortest: { seed: 'gnt1.b' },
  });
});

test('no finding is lost or counted twice, whatever their order', () => {
  const some = fc.record({ kind: fc.nat(3), steps: fc.nat(9), preemptions: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 20 }), (parts) => {
      const all = parts.map(({ kind, ...part }, i) =>
        finding({ fingerprint: `f${kind}`, seed: `s${String(i).padStart(2, '0')}`, ...part }),
      );
      const races = foundRaces(all);
      expect(races.reduce((sum, { findings }) => sum + findings, 0)).toBe(all.length);
      expect(foundRaces(all.toReversed())).toEqual(races);
      for (const { shortest, fingerprint } of races) {
        for (const other of all.filter((one) => one.fingerprint === fingerprint)) {
          expect(other.preemptions).toBeGreaterThanOrEqual(shortest.preemptions);
        }
      }
    }),
  );
});

test('the table fits, but for the commands, which are whole', () => {
  const long = `gntrace replay gnt1.${'x'.repeat(300)}`;
  const races = foundRaces([finding({ replay: long, message: 'word '.repeat(60) }), finding({})]);
  for (const width of [60, 100, 160]) {
    const lines = findingsTable(races, { width, ascii: true }, marksOf(true));
    for (const { text } of lines) {
      if (!text.includes('gntrace replay')) expect(text.length).toBeLessThanOrEqual(width);
    }
    expect(lines.some(({ text }) => text.endsWith(long))).toBe(races[0]?.shortest.replay === long);
  }
});

test('on the page, names are data and links lead to files only', () => {
  const page = findingsPage({
    title: evil,
    findings: 1,
    races: foundRaces([
      finding({ fingerprint: evil, message: evil, scenario: evil, page: 'javascript:x/"a.html' }),
    ]),
  });
  expect(page).not.toContain('<img');
  expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
  expect(page).toContain('href="./javascript%3Ax/%22a.html"');
  expect(page).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|style="/);
});
