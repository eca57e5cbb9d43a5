/**
 * Races of many findings as a page: a row for each race with its shortest seed, a link where it
 * has a page of its own. Works without scripts, from disk, in light and dark, on a narrow screen.
 */
import type { Html } from './html.ts';
import { html, page, urlOf } from './html.ts';
import type { FoundRace } from './findings.ts';
import { rateText } from './findings.ts';

export interface FindingsPage {
  /** Where they were found. */
  readonly title: string;
  readonly findings: number;
  readonly races: readonly FoundRace[];
}

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#c9ccd1, #44484f);
  --head: light-dark(#f2f3f5, #24272b); }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem; color: light-dark(#1b1d20, #e6e7e9);
  background: light-dark(#ffffff, #1a1c1f); }
h1 { font-size: 1.4rem; } a { color: light-dark(#0b57a4, #8ab8f0); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .4rem .6rem; text-align: left;
  vertical-align: top; }
thead th { background: var(--head); }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
tbody th { font-weight: 600; min-width: 16rem; }
tbody th p { font-weight: 400; margin: .3rem 0 0; }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.1rem; }
`;

/** The page's text. */
export function findingsPage({ title, findings, races }: FindingsPage): string {
  const body = html`<main>
    <h1>Races: ${title}</h1>
    <p>${findings} findings of ${races.length} races, each with its shortest seed.</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Races">
      <table>
        <thead>
          <tr>
            <th scope="col">Race</th>
            <th scope="col">Findings</th>
            <th scope="col">Rate</th>
            <th scope="col">Preemptions</th>
            <th scope="col">Steps</th>
            <th scope="col">Where</th>
            <th scope="col">Replay</th>
          </tr>
        </thead>
        <tbody>
          ${races.map(rowOf)}
        </tbody>
      </table>
    </div>
  </main>`;
  return page(`Races: ${title}`, { style: STYLE }, body);
}

function rowOf({ fingerprint, message, findings, rate, where, shortest }: FoundRace): Html {
  const { page: link, preemptions, steps, replay } = shortest;
  const name =
    link === null ? html`${fingerprint}` : html`<a href="${urlOf(link)}">${fingerprint}</a>`;
  return html`<tr>
    <th scope="row">
      ${name}
      <p>${message}</p>
    </th>
    <td class="number">${findings}</td>
    <td class="number">${rateText(rate)}</td>
    <td class="number">${preemptions}</td>
    <td class="number">${steps}</td>
    <td>
      <ul>
        ${where.map((text) => html`<li>${text}</li>`)}
      </ul>
    </td>
    <td><code>${replay}</code></td>
  </tr>`;
}
