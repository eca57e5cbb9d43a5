/**
 * The matrix as a page: a table of questions by designs and one of past bugs. A broken cell
 * leads to the page of its race; every cell tells how it was decided and what replays it. Works
 * without scripts, by keyboard, in light and dark, and on a narrow screen.
 */
import type { Html } from './html.ts';
import { html, page, urlOf } from './html.ts';

export interface PageCell {
  readonly race: string;
  readonly design: string;
  readonly memory: string;
  readonly verdict: 'safe' | 'broken' | 'undecided';
  /** Of an undecided cell: every schedule with at most so many preemptions was covered. */
  readonly bound?: number;
  readonly executions: number;
  readonly strategy: string;
  readonly seconds: number;
  readonly seed?: string;
  readonly preemptions?: number;
  readonly invariant?: string;
  readonly message?: string;
  /** Of a broken cell: the page of its race, a relative path. */
  readonly page?: string;
}

export interface PageRace {
  readonly name: string;
  readonly about: string;
  readonly sources: readonly string[];
  readonly designs: readonly string[];
  readonly bug?: {
    readonly id: string;
    readonly title: string;
    readonly story: readonly string[];
    readonly fix: string;
    readonly fixedIn: string;
  };
}

export interface MatrixPage {
  /** Version of the code that the results are of. */
  readonly code: string;
  /** Designs in the order of their columns. */
  readonly designs: readonly string[];
  readonly races: readonly PageRace[];
  readonly cells: readonly PageCell[];
}

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#c9ccd1, #44484f);
  --safe: light-dark(#d9f0dd, #17402a); --broken: light-dark(#fadadd, #5a1f26);
  --open: light-dark(#eeeeee, #33363b); }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem; color: light-dark(#1b1d20, #e6e7e9);
  background: light-dark(#ffffff, #1a1c1f); }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .35rem .5rem; text-align: left;
  vertical-align: top; min-width: 7rem; }
th[scope=row] { min-width: 12rem; font-weight: 600; }
details { margin: 0 0 .2rem; } details p { margin: .3rem 0; max-width: 32rem; }
summary { cursor: pointer; }
summary, .cell > a { border-radius: 3px; padding: 0 .25rem; }
.cell { margin: 0 0 .2rem; } .cell > a { color: inherit; display: block; }
.cell summary { font-size: .85rem; }
summary:focus-visible, a:focus-visible { outline: 2px solid light-dark(#0b57d0, #a8c7fa); }
.safe { background: var(--safe); } .broken { background: var(--broken); }
.undecided { background: var(--open); }
code { font: 12px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.about { font-weight: 400; font-size: .85rem; max-width: 22rem; display: block; }
`;

/** The page. */
export function matrixPage({ code, designs, races, cells }: MatrixPage): string {
  const questions = races.filter(({ bug }) => bug === undefined);
  const past = races.filter(({ bug }) => bug !== undefined);
  const asked = designs.filter((name) => questions.some((race) => race.designs.includes(name)));
  const tables = [
    ...(questions.length === 0
      ? []
      : [table('Questions that decide between designs', asked, questions, cells)]),
    ...(past.length === 0 ? [] : [table('Bugs of the past', ['before', 'after'], past, cells)]),
  ];
  const body = html`<main>
    <h1>gntrace: the matrix</h1>
    <p>
      Each cell says whether a design stands a race: <strong>safe</strong> (every schedule was
      covered), <strong>broken</strong> (with a seed that replays it), or
      <strong>undecided</strong> (the time was spent). A broken cell opens its race; each tells how
      it was decided. Code version <code>${code}</code>.
    </p>
    ${tables}
  </main>`;
  return page('gntrace: the matrix', { style: STYLE }, body);
}

function table(
  caption: string,
  columns: readonly string[],
  races: readonly PageRace[],
  cells: readonly PageCell[],
): Html {
  const rows = races.map(
    (race) =>
      html`<tr>
        <th scope="row">${heading(race)}</th>
        ${columns.map((design) =>
          td(cells.filter((cell) => cell.race === race.name && cell.design === design)),
        )}
      </tr> `,
  );
  return html`<h2>${caption}</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <thead>
          <tr>
            <th scope="col">race</th>
            ${columns.map((name) => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

function heading({ name, about, sources, bug }: PageRace): Html {
  const story =
    bug === undefined
      ? []
      : [
          html`<details>
            <summary>${bug.id}: ${bug.title}</summary>
            <div class="about">
              <ol>
                ${bug.story.map((step) => html`<li>${step}</li>`)}
              </ol>
              <p>${bug.fix} ${bug.fixedIn}.</p>
            </div>
          </details>`,
        ];
  return html`<span id="${name}">${name}</span><span class="about">${about}</span>${story}<span
      class="about"
      >${sources.join('; ')}</span
    >`;
}

function td(cells: readonly PageCell[]): Html {
  if (cells.length === 0) return html`<td>not asked</td>`;
  return html`<td>${cells.map((cell) => cellOf(cell))}</td>`;
}

function cellOf(cell: PageCell): Html {
  const { verdict, memory, race, design, invariant, bound = 0, page: link } = cell;
  const open = bound > 0 ? `safe to ${bound} preemptions, else undecided` : verdict;
  const head = `${memory} ${verdict === 'broken' ? `broken ${invariant ?? ''}` : open}`;
  if (link === undefined) {
    return html`<details>
      <summary class="${verdict}">${head}</summary>
      ${how(cell)}
    </details>`;
  }
  const name = `${head}: ${race}, ${design}`;
  return html`<div class="cell">
    <a class="${verdict}" href="${urlOf(link)}" aria-label="${name}">${head}</a>
    <details>
      <summary aria-label="how: ${name}">how</summary>
      ${how(cell)}
    </details>
  </div>`;
}

function how({ executions, strategy, seconds, seed, message, preemptions = 0 }: PageCell): Html {
  const decided = html`<p>${strategy}, ${executions} executions, ${seconds.toFixed(1)} s</p>`;
  if (seed === undefined) return decided;
  return html`${decided}
    <p>${message ?? ''}</p>
    <p>${preemptions} preemptions</p>
    <p><code>gntrace replay ${seed}</code></p>`;
}
