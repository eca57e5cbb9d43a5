/**
 * What runs in the page: curves of every lookup over the axes that were measured, and percentiles
 * of latency. The functions are put into the page as text, so they use nothing but each other.
 */
import type { Result } from './results.ts';

/** What the functions use of a browser. */
interface Element {
  textContent: string | null;
  append(child: Element): void;
}
declare const document: {
  createElement(tag: string): Element;
  getElementById(id: string): Element | null;
  readonly documentElement: { readonly dataset: Record<string, string> };
};
declare const innerWidth: number;
declare const uPlot: new (options: unknown, data: unknown, target: Element) => unknown;

type Axis = 'readers' | 'entries' | 'batch' | 'changes';

/** A plot: a title, what stands along both axes, and a row of values for each name. */
interface Plot {
  readonly title: string;
  readonly axis: string;
  readonly unit: string;
  readonly x: readonly number[];
  readonly names: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
}

/** Appends a plot to #charts. */
function chart({ title, axis, unit, x, names, values }: Plot): void {
  const colours = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf', '#8c564b'];
  // Legible on white and on black.
  const grey = '#808080';
  const grid = { stroke: '#80808040' };
  const box = document.createElement('section');
  const heading = document.createElement('h2');
  heading.textContent = title;
  box.append(heading);
  document.getElementById('charts')?.append(box);
  const options = {
    width: Math.min(420, innerWidth - 48),
    height: 260,
    scales: { x: { time: false }, y: { range: [0, null] } },
    axes: [
      { label: axis, stroke: grey, grid },
      { label: unit, size: 70, stroke: grey, grid },
    ],
    series: [
      { label: axis },
      ...names.map((label, i) => ({
        label,
        stroke: colours[i % colours.length],
        width: 2,
        points: { show: true },
        spanGaps: true,
      })),
    ],
  };
  void new uPlot(options, [x, ...values], box);
}

/** What tells a row from the others of its lookup, but for the axis. */
function seriesName(row: Result, rows: readonly Result[], axis: Axis): string {
  const parts: string[] = [row.variant];
  for (const other of ['readers', 'entries', 'batch', 'changes'] as const) {
    if (other !== axis && new Set(rows.map((r) => r[other])).size > 1) {
      parts.push(`${other} ${row[other]}`);
    }
  }
  if (row.writer === 1) parts.push('writer');
  if (row.distribution === 'zipf') parts.push('zipf');
  if (row.sharing === 'shared') parts.push('shared');
  if (row.vmas > 1) parts.push(`${row.vmas} VMAs`);
  return parts.join(', ');
}

/** Lookups a second over an axis: a curve for each series with two points or more. */
function drawCurves(rows: readonly Result[], axis: Axis): void {
  const nameOf = (row: Result): string => seriesName(row, rows, axis);
  const x = [...new Set(rows.map((row) => row[axis]))].sort((a, b) => a - b);
  const all = [...new Set(rows.map(nameOf))];
  const valuesOf = (name: string): (number | null)[] =>
    x.map((at) => {
      const found = rows.find((row) => nameOf(row) === name && row[axis] === at);
      return found === undefined ? null : found.opsPerSecond / 1e6;
    });
  const names = all.filter((name) => valuesOf(name).filter((v) => v !== null).length > 1);
  if (names.length === 0) return;
  const byPowers = axis === 'entries' || axis === 'batch';
  chart({
    title: `${rows[0]?.lookup ?? ''} by ${axis}`,
    axis: byPowers ? `log2 ${axis}` : axis,
    unit: 'million a second',
    x: byPowers ? x.map((at) => Math.log2(at)) : x,
    names,
    values: names.map(valuesOf),
  });
}

/** Percentiles of latency. */
function drawLatency(lookup: string, rows: readonly Result[]): void {
  chart({
    title: `${lookup}: latency`,
    axis: '1: p50, 2: p99, 3: p99.9',
    unit: 'microseconds',
    x: [1, 2, 3],
    names: rows.map((row) => {
      return `${row.variant}, ${row.batch} pages${row.writer === 1 ? ', writer' : ''}`;
    }),
    values: rows.map(({ latencyNs: l }) =>
      l === null ? [] : [l.p50, l.p99, l.p999].map((ns) => ns / 1000),
    ),
  });
}

/** Draws into #charts. */
function drawCharts(results: readonly Result[]): void {
  for (const lookup of new Set(results.map((row) => row.lookup))) {
    const rows = results.filter((row) => row.lookup === lookup);
    for (const axis of ['readers', 'entries', 'batch', 'changes'] as const) {
      if (new Set(rows.map((row) => row[axis])).size > 1) drawCurves(rows, axis);
    }
    const timed = rows.filter((row) => row.latencyNs !== null);
    if (timed.length > 0) drawLatency(lookup, timed);
  }
  document.documentElement.dataset['ready'] = '';
}

/** The functions as the text of a script that draws what `data` evaluates to. */
export function pageScript(data: string): string {
  const functions = [chart, seriesName, drawCurves, drawLatency, drawCharts];
  return `${functions.join('\n')}\ndrawCharts(${data});`;
}
