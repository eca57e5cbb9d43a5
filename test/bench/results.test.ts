/**
 * Goal: a report is read back as it was written, compared cell by cell, and shown as text.
 * Method: reports made by hand; a name that would be a tag.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compare } from '../../bench/compare.ts';
import { pageOf } from '../../bench/page.ts';
import type { Result } from '../../bench/results.ts';
import { readReport, reportOf } from '../../bench/results.ts';
import { axesOf } from '../../bench/suites/lookups.ts';
import { stationsOf } from '../../bench/suites/cells.ts';

const directory = mkdtempSync(join(tmpdir(), 'gntrace-bench-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function result(lookup: string, samples: number[]): Result {
  return {
    suite: 'lookups',
    lookup,
    variant: 'ts',
    entries: 1024,
    vmas: 1,
    distribution: 'uniform',
    sharing: 'disjoint',
    batch: 16,
    readers: 1,
    writer: 0,
    changes: 0,
    opsPerSecond: samples[0] as number,
    spread: 0,
    samples,
    retries: 0,
    writerTurnsPerSecond: 0,
    longestMs: 0,
    wrong: 0,
    shareOfNative: null,
    timesOneReader: null,
    latencyNs: null,
  };
}

const around = (value: number): number[] => Array.from({ length: 9 }, (_, i) => value + i);

describe('a report', () => {
  test('is read back as it was written', () => {
    const report = reportOf([result('p2m', around(100))], 0.01, 3);
    const file = join(directory, 'report.json');
    writeFileSync(file, JSON.stringify(report));
    expect(readReport(file)).toEqual(report);
  });

  test.each(['{', '{}', '{"schema":"gntrace-bench/1"}'])('is refused if it is none: %s', (text) => {
    const file = join(directory, 'none.json');
    writeFileSync(file, text);
    expect(() => readReport(file)).toThrow('--compare');
  });

  test('is compared cell by cell, and differs only where samples do', () => {
    const earlier = reportOf([result('p2m', around(100)), result('m2p', around(100))], 0, 1);
    const now = reportOf(
      [result('p2m', around(200)), result('m2p', around(100.5)), result('maptrack', [1])],
      0,
      1,
    );
    const rows = compare(earlier, now);
    expect(rows.map((row) => [row.result.lookup, row.differs])).toEqual([
      ['p2m', true],
      ['m2p', false],
    ]);
    expect(rows[0]?.ratio).toBeCloseTo(204 / 104, 9);
  });

  test('shows names as text, in the page and in its data', () => {
    const name = '</script><img src=x onerror=alert(1)>';
    const page = pageOf(reportOf([result(name, [1])], 0, 1));
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img');
    expect(page).toContain("default-src 'none'");
  });
});

describe('the cells', () => {
  test('are one axis at a time, or every combination', () => {
    const axes = axesOf({ lookup: 'p2m', entries: '16,32', seconds: '1', seed: '1' });
    const star = stationsOf(axes, false);
    expect(star.map(({ entries }) => entries)).toEqual([16, 32]);
    expect(star[1]?.cells).toHaveLength(1);
    const all = stationsOf(axes, true);
    const { distributions, sharings, batches, readers, writers, changes } = axes;
    const product = [distributions, sharings, batches, readers, writers, changes].reduce(
      (n, axis) => n * axis.length,
      1,
    );
    expect(all.every(({ cells }) => cells.length === product)).toBe(true);
  });

  test.each([
    [{ mix: '97/4' }, '--mix'],
    [{ writer: '2' }, '--writer'],
    [{ entries: '2^23' }, '--entries'],
    [{ lookup: 'p2n' }, 'did you mean p2m'],
    [{ readers: '15' }, '--readers'],
  ])('are refused with one line for %j', (raw, message) => {
    expect(() => axesOf({ seconds: '1', seed: '1', ...raw })).toThrow(message);
  });
});
