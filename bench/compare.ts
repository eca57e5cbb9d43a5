/**
 * Two runs side by side: for each cell that both have, the ratio of the medians and whether the
 * samples differ by more than chance (Mann-Whitney U, two-sided). With many cells some differ by
 * chance alone; so the level is shared out among them (Holm's procedure), and what is called
 * different is so with an error of 5 % over the whole table.
 */
import type { Report, Result } from './results.ts';
import { cellOf } from './results.ts';
import { mannWhitney, median } from './statistics.ts';
import { aligned, power } from './table.ts';

const LEVEL = 0.05;

/** A cell of both runs. */
export interface Compared {
  readonly result: Result;
  /** New median over old. */
  readonly ratio: number;
  readonly p: number;
  readonly differs: boolean;
}

/** Compares the cells that both runs have, in the order of the new one. */
export function compare(earlier: Report, now: Report): Compared[] {
  const before = new Map(earlier.results.map((result) => [cellOf(result), result]));
  const both = now.results.flatMap((result) => {
    const old = before.get(cellOf(result));
    if (old === undefined) return [];
    const ratio = median(result.samples) / median(old.samples);
    return [{ result, ratio, p: mannWhitney(result.samples, old.samples) }];
  });
  const ranked = both.map(({ p }, i) => ({ p, i })).sort((a, b) => a.p - b.p);
  const different = new Set<number>();
  for (const [rank, { p, i }] of ranked.entries()) {
    if (p > LEVEL / (ranked.length - rank)) break;
    different.add(i);
  }
  return both.map((row, i) => ({ ...row, differs: different.has(i) }));
}

/** The comparison as text. */
export function compareReports(earlier: Report, now: Report): string[] {
  const rows = compare(earlier, now);
  if (rows.length === 0) return ['no cell is in both runs'];
  const lines = aligned(
    ['lookup', 'variant', 'entries', 'batch', 'readers', 'writer', 'new / old', 'p', ''],
    rows.map(({ result, ratio, p, differs }) => [
      result.lookup,
      result.variant,
      power(result.entries),
      String(result.batch),
      String(result.readers),
      String(result.writer),
      `× ${ratio.toFixed(2)}`,
      p.toPrecision(2),
      differs ? (ratio > 1 ? 'faster' : 'slower') : '',
    ]),
  );
  const host =
    earlier.machine.cpu === now.machine.cpu && earlier.node === now.node
      ? []
      : [`the earlier run was on ${earlier.machine.cpu}, Node ${earlier.node}`];
  return [
    ...lines,
    `${rows.filter(({ differs }) => differs).length} of ${rows.length} cells differ ` +
      '(Mann-Whitney, 5 % over all cells by Holm)',
    ...host,
  ];
}
