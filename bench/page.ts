/**
 * A report as a page: one file that opens from disk, fetches nothing and may not: its policy names
 * the two scripts and the style by their hashes. Names are data: in the table they are text, for
 * the scripts they are JSON in which no tag can end.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { html, text } from '../src/report/html.ts';
import { pageScript } from './page-script.ts';
import type { Report } from './results.ts';
import { hostLines, power } from './table.ts';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; }
.charts > section { min-width: 0; max-width: 100%; }
h2, p { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 0.2rem 0.6rem; border-bottom: 1px solid #8884; text-align: right; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
`;

function hashOf(content: string): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}

/** uPlot as a script that sets a global, and its style. */
function plotter(): { script: string; style: string } {
  const { resolve } = createRequire(import.meta.url);
  const script = readFileSync(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8');
  return { script, style: readFileSync(resolve('uplot/dist/uPlot.min.css'), 'utf8') };
}

function rows(report: Report) {
  return report.results.map((r) => {
    const latency = r.latencyNs;
    const share = r.shareOfNative === null ? '' : r.shareOfNative.toFixed(2);
    const cells = [
      r.lookup,
      r.variant,
      power(r.entries),
      String(r.batch),
      String(r.readers),
      r.writer === 0 ? '' : 'yes',
      `${100 - r.changes}/${r.changes}`,
      `${(r.opsPerSecond / 1e6).toFixed(3)} M/s`,
      `± ${((r.spread / 2) * 100).toFixed(0)} %`,
      share,
      latency === null ? '' : `${(latency.p50 / 1000).toFixed(1)} µs`,
      latency === null ? '' : `${(latency.p99 / 1000).toFixed(1)} µs`,
    ];
    return html`<tr>
      ${cells.map((cell) => html`<td>${cell}</td>`)}
    </tr>`;
  });
}

const HEADER = [
  'lookup',
  'variant',
  'entries',
  'batch',
  'readers',
  'writer',
  'mix',
  'a second',
  'spread',
  'of C',
  'p50',
  'p99',
];

/** The page of a report. */
export function pageOf(report: Report): string {
  const { script, style } = plotter();
  const draw = pageScript(`JSON.parse(document.getElementById('data').textContent)`);
  const styles = style + STYLE;
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(styles)}`,
    `script-src ${hashOf(script)} ${hashOf(draw)}`,
    "base-uri 'none'",
  ].join('; ');
  const data = JSON.stringify(report.results).replaceAll('<', String.raw`\u003c`);
  const body = html`<h1>gntrace bench</h1>
    ${hostLines(report).map((line) => html`<p>${line}</p>`)}
    <div class="charts" id="charts"></div>
    <h2>Every cell</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="Every cell">
      <table>
        <thead>
          <tr>
            ${HEADER.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows(report)}
        </tbody>
      </table>
    </div>`;
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n` +
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n' +
    `<title>${text('gntrace bench').markup}</title>\n<style>${styles}</style>\n</head>\n<body>\n` +
    `<main>${body.markup}</main>\n<script type="application/json" id="data">${data}</script>\n` +
    `<script>${script}</script>\n<script>${draw}</script>\n</body>\n</html>\n`
  );
}
