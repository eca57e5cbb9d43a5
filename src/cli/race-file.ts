/** `--html FILE`: a replayed seed as a page. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { imageOf } from '../report/image.ts';
import { sourcesOf } from '../report/page-source.ts';
import type { RaceRecord } from '../report/race.ts';
import { racePage } from '../report/race-page.ts';
import { print } from './output.ts';
import { writeText } from './race-export.ts';
import { recordOf } from './race-text.ts';
import type { Seeded } from './seeded.ts';
import { seededProgram } from './seeded.ts';

/** Adds `--html`. */
export function withHtmlOption(command: Command): Command {
  return command.option('--html <file>', 'write the race as a page that stands alone');
}

/** The page of a race. The words of its machine must be as every execution finds them. */
export function racePageOf({ options, seed }: Seeded, race: RaceRecord): string {
  return racePage({ race, image: imageOf(options, seed), sources: sourcesOf(race.places) });
}

/** Writes a page. @param quiet - says nothing of it. */
export function writePage(file: string, page: string, quiet: boolean): void {
  const path = resolve(file);
  writeText(path, page);
  if (!quiet) print(`  page    ${path}`);
}

/** Writes the page of a finding. */
export function writeSeedPage(file: string, seed: string, quiet: boolean): void {
  const seeded = seededProgram(seed);
  writePage(file, racePageOf(seeded, recordOf(seeded)), quiet);
}
