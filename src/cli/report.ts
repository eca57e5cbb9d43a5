/** `gntrace report`: the races among many findings, each with its shortest seed. */
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import type { FoundRace } from '../report/findings.ts';
import { FINDINGS_SCHEMA, foundRaces } from '../report/findings.ts';
import { findingsPage } from '../report/findings-page.ts';
import { findingsTable } from '../report/findings-text.ts';
import { marksOf } from '../report/lines.ts';
import type { Findings } from './findings-dir.ts';
import { readFindings } from './findings-dir.ts';
import { LiveLine, bold, complain, print } from './output.ts';
import { writeText } from './race-export.ts';
import { withRacePages } from './race-pages.ts';
import { printLines, terminal } from './race-text.ts';
import { EXIT_CLEAN, EXIT_FINDING } from './usage.ts';

interface RawOptions {
  readonly ascii?: boolean;
  readonly html?: string;
  readonly json?: boolean;
}

/** The command. @param exit - takes the exit status. */
export function reportCommand(exit: (status: number) => void): Command {
  return new Command('report')
    .description('list the races among many findings, each with its shortest seed')
    .argument('<dir>', 'records (race.json), trace files, and findings of campaigns (NDJSON)')
    .option('--html <file>', 'write them as a page that links to the pages of races')
    .option('--ascii', 'show nothing beyond ASCII')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText('after', '\nExit status: 0 no finding, 1 findings, 2 wrong use, 3 tool failed.')
    .action((dir: string, raw: RawOptions) => {
      const all = readAll(dir);
      const races = foundRaces(all.findings);
      if (raw.json === true) print(JSON.stringify(jsonOf(dir, all, races)));
      else describe(dir, all, races, raw.ascii === true);
      if (raw.html !== undefined) writePage(raw.html, dir, all, races, raw.json !== true);
      for (const { file, why } of all.unread) complain(`${file}: ${why}`);
      exit(races.length === 0 ? EXIT_CLEAN : EXIT_FINDING);
    });
}

/** Reads; a line on the terminal says how far it has come. */
function readAll(dir: string): Findings {
  const line = new LiveLine();
  let files = 0;
  try {
    return readFindings(dir, (file) => line.show(`${++files} files, ${file}`));
  } finally {
    line.clear();
  }
}

function jsonOf(dir: string, { findings, unread }: Findings, races: readonly FoundRace[]): object {
  return { schema: FINDINGS_SCHEMA, dir, findings: findings.length, races, unread };
}

function describe(
  dir: string,
  { findings }: Findings,
  races: readonly FoundRace[],
  ascii: boolean,
): void {
  if (races.length === 0) {
    print(`${bold(dir)}  no findings`);
    return;
  }
  print(`${bold(dir)}  ${findings.length} findings, ${races.length} races`);
  const view = terminal(ascii);
  printLines(findingsTable(races, view, marksOf(view.ascii)));
}

/** Writes the page; links lead from where it lies to the pages of races, written if missing. */
function writePage(
  file: string,
  dir: string,
  { findings }: Findings,
  races: readonly FoundRace[],
  say: boolean,
): void {
  const linked = races.map((race) => {
    const { page } = race.shortest;
    if (page === null) return race;
    const from = relative(dirname(resolve(file)), resolve(join(dir, page)));
    return { ...race, shortest: { ...race.shortest, page: from } };
  });
  const title = basename(resolve(dir));
  writeText(
    file,
    findingsPage({ title, findings: findings.length, races: withRacePages(file, linked) }),
  );
  if (say) print(`\nas a page: ${file}`);
}
