/** Races on this terminal: what commands print of a finding, and the options that say how. */
import type { Command } from 'commander';
import type { Line, LineStyle } from '../report/lines.ts';
import { placesOf } from '../report/places.ts';
import type { RaceRecord, RaceStats } from '../report/race.ts';
import { recordOf as record } from '../report/record.ts';
import { raceTable } from '../report/table.ts';
import { bold, dim, print, red, yellow } from './output.ts';
import { pasteable } from './saved.ts';
import { recordContext } from './seed-record.ts';
import type { Seeded } from './seeded.ts';
import { seededProgram } from './seeded.ts';
import { thisTool } from './version.ts';

/** Where there is no terminal to ask. */
const USUAL_WIDTH = 100;
const NARROWEST = 40;

/** How a race is printed. */
export interface RaceView {
  /** Every operation, not only those that matter. */
  readonly all?: boolean;
  /** Nothing beyond ASCII. */
  readonly ascii?: boolean;
}

/** Adds the options of RaceView. */
export function withViewOptions(command: Command): Command {
  return command
    .option('--all', 'show every operation, not only those that matter')
    .option('--ascii', 'show nothing beyond ASCII');
}

/**
 * The record of what a seed's schedule does.
 * @param file - where the seed is, if it is not pasted. @param stats - how it was found.
 */
export function recordOf(
  seeded: Seeded,
  file?: string,
  stats: RaceStats | null = null,
): RaceRecord {
  const { options, seed } = seeded;
  return record(options, seed, placesOf, recordContext(seeded, { tool: thisTool(), stats, file }));
}

/**
 * The record of a finding. The machine of the seed's scenario is attached afterwards.
 * @param file - of `--save`; a seed that is too long for a command line goes to a file anyhow.
 */
export function findingRecord(
  seed: string,
  file: string | undefined,
  stats: RaceStats | null,
): RaceRecord {
  return recordOf(seededProgram(seed), pasteable(seed, file), stats);
}

/** Prints a finding and the commands that go on from there. @param shrunk - nothing is smaller. */
export function printFinding(race: RaceRecord, view: RaceView, shrunk: boolean): void {
  printRace(race, view);
  print(`  replay  ${race.replay}`);
  if (!shrunk) print(`  shrink  ${race.replay.replace('gntrace replay', 'gntrace shrink')}`);
}

/** Prints the table. */
export function printRace(race: RaceRecord, { all = false, ascii = false }: RaceView): void {
  printLines(raceTable(race, { ...terminal(ascii), all }));
}

/** What can be shown. @param ascii - nothing beyond ASCII is wanted. */
export function terminal(ascii: boolean): { readonly width: number; readonly ascii: boolean } {
  return { width: columns(), ascii: ascii || !knowsUnicode() };
}

export function printLines(lines: readonly Line[]): void {
  for (const { text, style } of lines) print(PAINT[style](text));
}

const PAINT: Readonly<Record<LineStyle, (text: string) => string>> = {
  title: bold,
  race: red,
  switch: yellow,
  quiet: dim,
  plain: (text) => text,
};

/** Columns of the terminal; COLUMNS says it for a pipe. */
function columns(): number {
  const { stdout, env } = process;
  const told = stdout.isTTY ? stdout.columns : Number(env['COLUMNS']);
  return told >= NARROWEST ? told : USUAL_WIDTH;
}

/** Does the environment say that the terminal shows UTF-8? */
function knowsUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || 'utf-8');
}
