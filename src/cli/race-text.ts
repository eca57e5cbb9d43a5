/** A replayed seed as a table on this terminal. */
import { kernelMeaning } from '../decode/meaning.ts';
import { placesOf } from '../report/places.ts';
import type { RaceRecord } from '../report/race.ts';
import { recordOf as record } from '../report/record.ts';
import { raceTable } from '../report/table.ts';
import { print } from './output.ts';
import type { Seeded } from './seeded.ts';
import { formatSeed } from '../explore/seed.ts';
import { version } from './version.ts';

/** Where there is no terminal to ask. */
const USUAL_WIDTH = 100;

/** The record of what a seed's schedule does. */
export function recordOf({ seed, scenario, options }: Seeded): RaceRecord {
  const text = formatSeed(seed);
  const subject = {
    scenario: scenario.name,
    design: seed.design,
    param: seed.param,
    memory: seed.memory,
    strategy: seed.strategy,
    seed: text,
    replay: `gntrace replay ${text}`,
  };
  const tool = { version: version(), code: null, commit: null, runtime: process.version };
  return record(options, seed, placesOf, {
    tool,
    subject,
    meaning: kernelMeaning(options.machine),
    stats: null,
  });
}

/** Prints the table. @param all - every step. @param ascii - nothing beyond ASCII. */
export function printRace(race: RaceRecord, all: boolean, ascii: boolean): void {
  const columns = process.stdout.isTTY ? process.stdout.columns : Number(process.env['COLUMNS']);
  const width = columns >= 40 ? columns : USUAL_WIDTH;
  for (const line of raceTable(race, { width, all, ascii: ascii || !knowsUnicode() })) print(line);
}

/** Does the environment say that the terminal shows UTF-8? */
function knowsUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || 'utf-8');
}
