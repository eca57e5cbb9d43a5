/** Races that leave the tool: `--format`, `--export`, and the annotations of GitHub Actions. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { FORMAT_NAMES, exported } from '../report/export/formats.ts';
import { githubAnnotations, githubSummary } from '../report/export/github.ts';
import type { RaceRecord } from '../report/race.ts';
import { print } from './output.ts';
import { UsageError, oneOf } from './usage.ts';

/** A form and the file that takes it. */
export interface RaceExport {
  readonly format: string;
  readonly file: string;
}

/** Adds `--export`, which may be given several times. */
export function withExportOption(command: Command): Command {
  return command.option(
    '--export <form=file>',
    `write the race to a file, as ${FORMAT_NAMES.join(', ')}; e.g. chrome=race.trace.json`,
    (text: string, before: readonly RaceExport[]) => [...before, readExport(text)],
    [] as readonly RaceExport[],
  );
}

function readExport(text: string): RaceExport {
  const at = text.indexOf('=');
  const file = text.slice(at + 1);
  if (at < 1 || file === '') {
    throw new UsageError(`--export must be like chrome=race.trace.json, not "${text}"`);
  }
  return { format: oneOf(text.slice(0, at), FORMAT_NAMES, 'form'), file };
}

/** Writes a race to the files that were asked for. @param quiet - says nothing of it. */
export function exportRace(race: RaceRecord, exports: readonly RaceExport[], quiet: boolean): void {
  for (const { format, file } of exports) {
    writeText(file, exported(race, format));
    if (!quiet) print(`  ${format.padEnd(6)}  ${file}`);
  }
}

/** Writes a file; it being impossible is wrong use. */
export function writeText(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot write ${file}: ${why}`);
  }
}

/** In GitHub Actions: annotations in the log, and rows in the step's summary. */
export function annotate(races: readonly RaceRecord[]): void {
  const broken = races.filter(({ verdict }) => verdict === 'broken');
  if (process.env['GITHUB_ACTIONS'] !== 'true' || broken.length === 0) return;
  for (const race of broken) for (const line of githubAnnotations(race)) print(line);
  const summary = process.env['GITHUB_STEP_SUMMARY'] ?? '';
  if (summary !== '') appendFileSync(summary, githubSummary(broken));
}
