/** Reports for people: aligned columns, numbers to the right. */
import { short } from '../src/cli/output.ts';
import type { Report, Result } from './results.ts';

/** Aligns rows; columns whose cells are all empty are left out. */
export function aligned(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const kept = header.map((_, i) => rows.some((row) => row[i] !== ''));
  const all = [header, ...rows].map((row) => row.filter((_, i) => kept[i]));
  const widths = (all[0] as string[]).map((_, i) =>
    Math.max(...all.map((row) => (row[i] as string).length)),
  );
  const numbers = (all[0] as string[]).map((_, i) =>
    all.slice(1).every((row) => /^[-±×<>\d]|^$/.test(row[i] as string)),
  );
  return all.map((row) =>
    row
      .map((cell, i) => {
        const width = widths[i] as number;
        return numbers[i] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** 2^14, or the number itself. */
export function power(value: number): string {
  const log = Math.log2(value);
  return Number.isInteger(log) && value >= 1024 ? `2^${log}` : String(value);
}

function rate(value: number): string {
  return value < 1e5 ? `${short(value)}/s` : `${(value / 1e6).toFixed(2)} M/s`;
}

function factor(value: number | null): string {
  return value === null ? '' : `× ${value.toFixed(2)}`;
}

/** A column that says nothing when all rows agree on the usual. */
function unlessAll(results: readonly Result[], usual: string, cell: (result: Result) => string) {
  const silent = results.every((result) => cell(result) === usual);
  return (result: Result): string => (silent ? '' : cell(result));
}

/** The table of lookups. */
export function lookupTable(results: readonly Result[]): string[] {
  const distribution = unlessAll(results, 'uniform', (result) => result.distribution);
  const sharing = unlessAll(results, 'disjoint', (result) => result.sharing);
  const vmas = unlessAll(results, '1', (result) => String(result.vmas));
  const changes = unlessAll(results, '100/0', ({ changes: c }) => `${100 - c}/${c}`);
  const rows = results.map((result) => [
    result.lookup,
    result.variant,
    power(result.entries),
    vmas(result),
    distribution(result),
    sharing(result),
    result.batch === 1 ? 'call' : String(result.batch),
    String(result.readers),
    result.writer === 0 ? '' : `${short(result.writerTurnsPerSecond)}/s`,
    changes(result),
    rate(result.opsPerSecond),
    `± ${percent(result.spread / 2)}`,
    factor(result.timesOneReader),
    result.shareOfNative === null ? '' : result.shareOfNative.toFixed(2),
    result.retries === 0 ? '' : result.retries.toPrecision(2),
    result.writer === 0 ? '' : `${result.longestMs.toFixed(1)} ms`,
  ]);
  const header = [
    'lookup',
    'variant',
    'entries',
    'VMAs',
    'keys',
    'pages',
    'batch',
    'readers',
    'writer',
    'mix',
    'lookups',
    'spread',
    '1 reader',
    'of C',
    'retries',
    'longest',
  ];
  return aligned(header, rows);
}

/** Where it was measured, in two lines. */
export function hostLines(where: Pick<Report, 'machine' | 'node' | 'seconds'>): string[] {
  const { machine, node, seconds } = where;
  const { cpu, cores, os, arch, loadAverage, noise } = machine;
  return [
    `${cpu}, ${cores} cores, ${os} ${arch}, Node ${node}`,
    `${seconds.toFixed(0)} s; load ${loadAverage.toFixed(1)}; ` +
      `a loop without memory varied by ${(noise * 100).toFixed(1)} %: read ratios, not times`,
  ];
}
