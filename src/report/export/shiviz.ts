/**
 * A race as a log for ShiViz, which draws it as a space-time diagram: two lines an event, its text
 * and the vector clock of its actor. The first line is the regular expression that ShiViz asks for.
 */
import { stepText } from '../cells.ts';
import { clocksOf } from '../edges.ts';
import { marksOf, printable } from '../lines.ts';
import type { RaceRecord } from '../race.ts';

const PATTERN = String.raw`(?<event>.*)\n(?<host>\S*) (?<clock>{.*})`;

/** The log's text. Clocks follow the order that the actors make by locks, release and acquire. */
export function shivizLog(race: RaceRecord): string {
  const { steps, actors } = race;
  const hosts = actors.map(
    ({ name }, i) => `${printable(name, true).replaceAll(/\s+/g, '_')}#${i}`,
  );
  const clocks = clocksOf(race);
  const marks = marksOf(true);
  const lines = steps.flatMap((step, i) => {
    const row = clocks.subarray(i * actors.length, (i + 1) * actors.length);
    const seen = hosts.flatMap((host, a): [string, number][] =>
      row[a] === 0 ? [] : [[host, row[a] as number]],
    );
    const event = printable(`${i + 1} ${stepText(race, step, marks)}`, true);
    return [event, `${hosts[step.actor]} ${JSON.stringify(Object.fromEntries(seen))}`];
  });
  return [PATTERN, '', ...lines, ''].join('\n');
}
