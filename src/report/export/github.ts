/**
 * A race as annotations of GitHub Actions (workflow commands): an error on the access at which it
 * broke, a notice on the other one; and a row for the step's summary. GitHub shows ten annotations
 * of a kind a step, so a race has one of each.
 */
import { stepText } from '../cells.ts';
import { titleOf } from '../kernel.ts';
import { marksOf, printable } from '../lines.ts';
import type { RaceRecord, RaceStep } from '../race.ts';
import { placesOfStack } from '../race.ts';

/** The commands, a line each; empty if nothing broke. */
export function githubAnnotations(race: RaceRecord): string[] {
  const { conflict, steps, message, invariant, replay } = race;
  if (invariant === null || message === null) return [];
  const [first, last] = conflict ?? [null, steps.length - 1];
  const title = titleOf(race);
  const error = command('error', race, last, title, `${message}\n${replay}`);
  if (first === null) return [error];
  const step = steps[first] as RaceStep;
  const who = race.actors[step.actor]?.name ?? '';
  const text = `the other access, by ${who}: ${stepText(race, step, marksOf(false))}`;
  return [error, command('notice', race, first, title, text)];
}

/** A table for $GITHUB_STEP_SUMMARY. */
export function githubSummary(races: readonly RaceRecord[]): string {
  const rows = races.map(
    (race) =>
      `| ${cell(race.scenario)} | ${cell(race.design)} | ${cell(race.memory)} | ` +
      `${cell(titleOf(race))} | ${code(race.replay)} |`,
  );
  return [
    '| scenario | design | memory | what broke | replay |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function command(
  kind: 'error' | 'notice',
  race: RaceRecord,
  step: number,
  title: string,
  text: string,
): string {
  const place = placesOfStack(race, race.steps[step]?.stack ?? -1)[0];
  const at = place === undefined ? '' : `file=${property(place.file)},line=${place.line},col=1,`;
  return `::${kind} ${at}title=${property(title)}::${data(text)}`;
}

/** Data of a command: what would end the line is escaped. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** A property of a command: what separates properties is escaped too. */
function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** A cell of a Markdown table: no markup, no HTML, one line. */
function cell(text: string): string {
  return printable(text, false)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_{}[\]()#+!|~-]/g, (sign) => `\\${sign}`);
}

/** Code in a table: the seed is to be copied as it is. */
function code(text: string): string {
  const safe = printable(text, false)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('|', '&#124;');
  return `<code>${safe}</code>`;
}
