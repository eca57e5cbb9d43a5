/** The forms in which a race can leave the tool, by name. */
import { kernelReport } from '../kernel.ts';
import type { RaceRecord } from '../race.ts';
import { raceTable } from '../table.ts';
import { chromeTrace } from './chrome.ts';
import { githubAnnotations } from './github.ts';
import { junitXml } from './junit.ts';
import { operationLines } from './ndjson.ts';
import { shivizLog } from './shiviz.ts';

/** Columns of a table that goes to a file. */
const WIDTH = 100;

type Format = (race: RaceRecord) => string;

const FORMATS: Readonly<Record<string, Format>> = {
  text: (race) => joined(raceTable(race, { width: WIDTH, all: false, ascii: true })),
  kernel: (race) => joined(kernelReport(race)),
  json: (race) => `${JSON.stringify(race)}\n`,
  ndjson: operationLines,
  chrome: chromeTrace,
  shiviz: shivizLog,
  junit: (race) => junitXml([junitCase(race)]),
  github: (race) =>
    githubAnnotations(race)
      .map((line) => `${line}\n`)
      .join(''),
};

/** Their names. */
export const FORMAT_NAMES: readonly string[] = Object.keys(FORMATS);

/** The race in a form. @param format - one of FORMAT_NAMES. */
export function exported(race: RaceRecord, format: string): string {
  return (FORMATS[format] as Format)(race);
}

function junitCase(race: RaceRecord) {
  const { scenario, design, memory, strategy, verdict, stats } = race;
  return { scenario, design, memory, strategy, verdict, seconds: stats?.seconds ?? 0, race };
}

function joined(lines: readonly { readonly text: string }[]): string {
  return lines.map(({ text }) => `${text}\n`).join('');
}
