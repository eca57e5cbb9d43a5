/**
 * A race as a page: one file, nothing fetched. The script draws the record that is embedded; a
 * reader without scripts, and paper, get the header and the table that stand in the markup.
 */
import { Html, html, page } from './html.ts';
import type { PageData } from './page-data.ts';
import { embedded, embeddedPart, partOf } from './page-parts.ts';
import type { RaceRecord, RaceStep } from './race.ts';
import { placesOfStack, valueText } from './race.ts';

/** Rows of the table in the markup; with more steps it has those that matter. */
const MOST_ROWS = 100;

/** The page. @param data - race, memory and sources. */
export function racePage(data: PageData): string {
  const { race } = data;
  const verdict = race.verdict === 'broken' ? (race.invariant ?? 'broken') : 'holds';
  const body = html`
    <noscript>${note()}</noscript>
    <div id="plain" class="plain">${plain(race)}</div>
    ${embedded('race', JSON.stringify(data))} ${embeddedPart('engine', 'engine.js')}
  `;
  const parts = { style: partOf('page.css'), script: partOf('page.js'), workers: true };
  return page(`${verdict}: ${race.scenario}`, parts, body);
}

function note(): Html {
  return html`<p class="plain">
    Scripts are off: this is the plain table. With scripts the page steps, draws and plays.
  </p>`;
}

/** All that matters as headings, paragraphs and a table. */
function plain(race: RaceRecord): Html {
  const { scenario, design, memory, message, rule, replay, actors, tool, words } = race;
  const under = [design, memory].filter((text) => text !== '').join(', ');
  const verdict = race.verdict === 'broken' ? `broken ${race.invariant ?? ''}` : 'nothing broke';
  return html`<h1>${scenario} [${under}]: ${verdict}</h1>
    ${message === null ? [] : [html`<p>${message}</p>`]}
    ${rule === null ? [] : [html`<p>${rule}</p>`]} ${words.length === 0 ? [] : [broken(race)]}
    <p>
      ${race.steps.length} steps, ${race.preemptions} preemptions, ${actors.length} actors. gntrace
      ${tool.version}, ${tool.runtime}.
    </p>
    <p><code>${replay}</code></p>
    <h2>Interleaving</h2>
    <div class="wide" tabindex="0" role="region" aria-label="Interleaving">${table(race)}</div>`;
}

function broken({ words }: RaceRecord): Html {
  return html`<p>Words that show it: ${words.join(', ')}</p>`;
}

function table(race: RaceRecord): Html {
  const all = race.steps.length <= MOST_ROWS;
  const shown = race.steps.flatMap((step, i) =>
    all || step.matters || race.conflict?.includes(i) === true ? i : [],
  );
  const rows = shown.slice(0, MOST_ROWS);
  const left = race.steps.length - rows.length;
  const turns = new Map(race.switches.map((turn) => [turn.before, turn]));
  return html`<table>
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">actor</th>
          <th scope="col">operation</th>
          <th scope="col">function, line</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((i) => {
          const turn = turns.get(i);
          const before =
            turn === undefined ? [] : [html`${nameOf(race, turn.from)} ${turn.reason}; `];
          return row(race, i, before);
        })}
      </tbody>
    </table>
    ${left === 0 ? [] : [html`<p>${left} steps that nobody else sees are left out.</p>`]}`;
}

function row(race: RaceRecord, i: number, before: readonly Html[]): Html {
  const step = race.steps[i] as RaceStep;
  const [place] = placesOfStack(race, step.stack);
  const where = place === undefined ? '' : `${place.fn} ${place.file}:${place.line}`;
  const decides = race.conflict?.includes(i) === true;
  const mark = decides ? ' (the race)' : '';
  const name = new Html(decides ? ' class="race"' : '');
  return html`<tr${name}>
    <th scope="row">${i + 1}</th>
    <td>${before}${nameOf(race, step.actor)}</td>
    <td>${operation(race, step)}${mark}</td>
    <td>${where}</td>
  </tr> `;
}

function operation(race: RaceRecord, { kind, object, before, after, result, effect }: RaceStep) {
  const of = race.objects[object];
  const verb = race.kinds[kind] ?? '';
  if (of === undefined) return verb;
  const say = (value: number): string => valueText(of, value);
  if (effect === 'buffers') return `${verb} ${of.name}, buffered`;
  if (before !== after) return `${verb} ${of.name} ${say(before)} ⇒ ${say(after)}`;
  return `${verb} ${of.name} → ${say(effect === 'writes' ? after : result)}`;
}

function nameOf({ actors }: RaceRecord, actor: number): string {
  return actors[actor]?.name ?? '';
}
