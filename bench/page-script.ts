/**
 * What runs in the page: curves of every lookup over the axes that were measured, and percentiles
 * of latency. The function is put into the page as text, so it uses nothing from outside itself.
 */
import type { Result } from './results.ts';

/** What the function uses of a browser. */
interface Element {
  textContent: string | null;
  append(child: Element): void;
}
declare const document: {
  createElement(tag: string): Element;
  getElementById(id: string): Element | null;
};
declare const uPlot: new (options: unknown, data: unknown, target: Element) => unknown;

/** Draws into #charts. */
export function drawCharts(results: readonly Result[]): void {
  const colours = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf', '#8c564b'];
  type Axis = 'readers' | 'entries' | 'batch' | 'changes';
  const axes: Axis[] = ['readers', 'entries', 'batch', 'changes'];
  const place = document.getElementById('charts') as Element;

  const chart = (
    title: string,
    x: number[],
    names: string[],
    series: (number | null)[][],
    axis: string,
    unit: string,
  ): void => {
    const box = document.createElement('section');
    const heading = document.createElement('h3');
    heading.textContent = title;
    box.append(heading);
    place.append(box);
    const options = {
      width: 420,
      height: 260,
      scales: { x: { time: false }, y: { range: [0, null] } },
      axes: [{ label: axis }, { label: unit, size: 70 }],
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
    void new uPlot(options, [x, ...series], box);
  };

  const seriesOf = (rows: readonly Result[], axis: Axis): void => {
    const name = (r: Result): string => {
      const parts = [r.variant];
      for (const other of axes) {
        if (other !== axis && new Set(rows.map((row) => row[other])).size > 1) {
          parts.push(`${other} ${r[other]}`);
        }
      }
      if (r.writer === 1) parts.push('writer');
      if (r.distribution === 'zipf') parts.push('zipf');
      if (r.sharing === 'shared') parts.push('shared');
      if (r.vmas > 1) parts.push(`${r.vmas} VMAs`);
      return parts.join(', ');
    };
    const x = [...new Set(rows.map((r) => r[axis]))].sort((a, b) => a - b);
    const names = [...new Set(rows.map((r) => name(r)))];
    const values = names.map((label) =>
      x.map((at) => {
        const found = rows.find((r) => name(r) === label && r[axis] === at);
        return found === undefined ? null : found.opsPerSecond / 1e6;
      }),
    );
    const kept = names.map((_, i) => (values[i] ?? []).filter((v) => v !== null).length > 1);
    const shown = axis === 'entries' || axis === 'batch' ? x.map((v) => Math.log2(v)) : x;
    const label = shown === x ? axis : `log2 ${axis}`;
    if (!kept.includes(true)) return;
    chart(
      `${rows[0]?.lookup ?? ''} by ${axis}`,
      shown,
      names.filter((_, i) => kept[i]),
      values.filter((_, i) => kept[i]),
      label,
      'million a second',
    );
  };

  for (const lookup of new Set(results.map((r) => r.lookup))) {
    const rows = results.filter((r) => r.lookup === lookup);
    for (const axis of axes) {
      if (new Set(rows.map((r) => r[axis])).size > 1) seriesOf(rows, axis);
    }
    const timed = rows.filter((r) => r.latencyNs !== null);
    if (timed.length === 0) continue;
    const percentiles = timed.map(({ latencyNs: l }) =>
      l === null ? [] : [l.p50, l.p99, l.p999].map((ns) => ns / 1000),
    );
    chart(
      `${lookup}: latency`,
      [1, 2, 3],
      timed.map((r) => `${r.variant}, ${r.batch} pages${r.writer === 1 ? ', writer' : ''}`),
      percentiles,
      '1: p50, 2: p99, 3: p99.9',
      'microseconds',
    );
  }
}
