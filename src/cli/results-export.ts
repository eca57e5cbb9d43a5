/** Findings and cells of a store for other tools. */
import { join } from 'node:path';
import type { CellRecord, SightingRecord } from '../campaign/store/records.ts';
import { StoreReader } from '../campaign/store/reader.ts';
import type { JUnitCase } from '../report/export/junit.ts';
import { junitXml } from '../report/export/junit.ts';
import { githubAnnotations, githubSummary } from '../report/export/github.ts';
import type { Finding } from '../report/findings.ts';
import { foundRaces } from '../report/findings.ts';
import { findingsPage } from '../report/findings-page.ts';
import type { RaceRecord } from '../report/race.ts';
import { asUsage } from './campaign-store.ts';
import { cellsOf } from './campaign-text.ts';
import { print } from './output.ts';
import { writeText } from './race-export.ts';
import { withRacePages } from './race-pages.ts';
import { recordOf } from './race-text.ts';
import type { Listed } from './results-json.ts';
import { cellJson, findingJson, listFindings, replayCommand, timesOfAll } from './results-json.ts';
import { seededProgram } from './seeded.ts';
import { UsageError } from './usage.ts';

export interface ExportOptions {
  readonly ndjson?: string;
  readonly html?: string;
  readonly junit?: string;
  readonly github?: boolean;
}

/** Writes what the options ask for; lines of JSON to stdout if they ask for nothing. */
export async function exportResults(dir: string, asked: ExportOptions): Promise<void> {
  const store = asUsage(() => StoreReader.open(dir));
  try {
    const { ndjson, html, junit, github } = asked;
    const others = html !== undefined || junit !== undefined || github === true;
    if (ndjson !== undefined || !others) writeLines(store, ndjson ?? '-');
    if (html !== undefined) writePage(store, html);
    if (junit !== undefined) writeText(junit, junitXml(casesOf(store)));
    if (github === true) writeAnnotations(store);
  } finally {
    await store.close();
  }
}

function told(t: string, what: object): string {
  return JSON.stringify({ v: 1, t, ...what });
}

function writeLines(store: StoreReader, file: string): void {
  const { id, name, code, plan, startedMs } = store.campaign;
  const lines = [
    told('campaign', { id, name, code, plan, startedMs }),
    ...cellsOf(store).map(({ cell, record, pairs, findings }) =>
      told('cell', cellJson(cell, record, pairs, findings)),
    ),
    ...listFindings(store).map(({ finding, same }) => told('finding', findingJson(finding, same))),
  ];
  if (file === '-') for (const line of lines) print(line);
  else writeText(file, `${lines.join('\n')}\n`);
}

/** The race of a finding; null if it has none, or if this code is another one. */
function raceOf({ seed, shrunk }: SightingRecord): RaceRecord | null {
  if (seed.startsWith('gntrace ')) return null;
  try {
    return recordOf(seededProgram(shrunk?.seed ?? seed));
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

function writePage(store: StoreReader, dir: string): void {
  const findings = listFindings(store).map(pageFinding);
  const title = store.campaign.name;
  const file = join(dir, 'index.html');
  const races = withRacePages(file, foundRaces(findings));
  writeText(file, findingsPage({ title, findings: findings.length, races }));
}

function pageFinding({ finding, same }: Listed): Finding {
  const { shrunk, invariant, scenario, design, memory, id } = finding;
  const { fingerprint, message, seed, steps, preemptions } = shrunk ?? finding;
  const replay = replayCommand(finding);
  const times = timesOfAll(finding, same);
  const about = { scenario, design, memory, seed, replay, steps, preemptions, times };
  return { fingerprint, invariant, message, ...about, rate: null, file: id, page: null };
}

/** A test case for each cell; a broken one tells its simplest race. */
function casesOf(store: StoreReader): JUnitCase[] {
  const findings = listFindings(store);
  return cellsOf(store).map(({ cell, record }, index) => {
    const { scenario, design, memory, strategy } = cell;
    const seen = findings.find((one) => isSeenBy(one, index));
    const race = seen === undefined ? null : raceOf(seen.finding);
    return {
      scenario,
      design,
      memory,
      strategy,
      verdict: verdictOf(record, seen !== undefined),
      seconds: record.milliseconds / 1000,
      executions: record.executions,
      ...(race !== null && { race }),
    };
  });
}

function isSeenBy({ finding, same }: Listed, index: number): boolean {
  return [finding, ...same].some(({ seen }) => seen.some(({ cell }) => cell === index));
}

function verdictOf({ verdict, failed }: CellRecord, found: boolean): JUnitCase['verdict'] {
  if (found || failed > 0) return 'broken';
  return verdict === 'safe' ? 'safe' : 'undecided';
}

function writeAnnotations(store: StoreReader): void {
  const races = listFindings(store).flatMap(({ finding }) => raceOf(finding) ?? []);
  for (const race of races) for (const line of githubAnnotations(race)) print(line);
  if (races.length > 0) print(githubSummary(races));
}
