/** A replayed seed as a table on this terminal. */
import { narrate } from '../report/narrate.ts';
import { raceRecord } from '../report/race.ts';
import type { RaceRecord } from '../report/race.ts';
import { raceTable } from '../report/table.ts';
import { print } from './output.ts';
import type { Seeded } from './seeded.ts';
import { formatSeed } from '../explore/seed.ts';

/** Where there is no terminal to ask. */
const USUAL_WIDTH = 100;

/** The record of what a seed's schedule does. */
export function recordOf({ seed, scenario, options }: Seeded): RaceRecord {
  const subject = {
    scenario: scenario.name,
    design: seed.design,
    memory: seed.memory,
    seed: formatSeed(seed),
    actors: options.actors.map(({ name }) => name),
  };
  return raceRecord(subject, narrate(options, seed));
}

/** Prints the table. @param all - every step. @param ascii - nothing beyond ASCII. */
export function printRace(record: RaceRecord, all: boolean, ascii: boolean): void {
  const columns = process.stdout.isTTY ? process.stdout.columns : Number(process.env['COLUMNS']);
  const width = columns >= 40 ? columns : USUAL_WIDTH;
  for (const line of raceTable(record, { width, all, ascii: ascii || !knowsUnicode() }))
    print(line);
}

/** Does the environment say that the terminal shows UTF-8? */
function knowsUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || 'utf-8');
}
