/**
 * Findings of a directory: records (`race.json`), trace files of seeds, and lines of findings that
 * campaigns write. Seeds are replayed for what they do not say themselves.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { SeedError, formatSeed } from '../explore/seed.ts';
import { parseTraceFile } from '../explore/trace-file.ts';
import type { Finding } from '../report/findings.ts';
import { RACE_SCHEMA } from '../report/race.ts';
import type { RaceRecord } from '../report/race.ts';
import { recordOf } from './race-text.ts';
import { seededProgram } from './seeded.ts';
import { UsageError } from './usage.ts';

/** A file that could not be used. */
export interface Unread {
  readonly file: string;
  readonly why: string;
}

export interface Findings {
  readonly findings: readonly Finding[];
  readonly unread: readonly Unread[];
}

const Stats = v.nullable(v.object({ rate: v.optional(v.number()) }));
const Kept = {
  fingerprint: v.string(),
  invariant: v.string(),
  message: v.string(),
  scenario: v.string(),
  design: v.string(),
  memory: v.string(),
  seed: v.string(),
};
/** What is read of a record. */
const RecordFile = v.object({
  ...Kept,
  schema: v.literal(RACE_SCHEMA),
  verdict: v.literal('broken'),
  replay: v.string(),
  preemptions: v.number(),
  steps: v.array(v.unknown()),
  stats: Stats,
});
const Small = { seed: v.string(), steps: v.number(), preemptions: v.number() };
/** What is read of a campaign's line. */
const FindingLine = v.object({
  ...Kept,
  ...Small,
  t: v.literal('finding'),
  times: v.optional(v.number(), 1),
  shrunk: v.optional(v.nullable(v.object({ ...Small, fingerprint: v.string() }))),
});

/** Reads all findings below a directory. @param onFile - told before each file. */
export function readFindings(dir: string, onFile: (file: string) => void): Findings {
  const findings: Finding[] = [];
  const unread: Unread[] = [];
  for (const file of filesBelow(dir)) {
    onFile(file);
    try {
      findings.push(...read(dir, file));
    } catch (error) {
      unread.push({ file, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { findings, unread };
}

function filesBelow(dir: string): string[] {
  try {
    const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
    return files.filter((file) => /\.(json|ndjson|trace)$/.test(file)).toSorted();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`cannot read ${dir}: ${why}`);
  }
}

function read(dir: string, file: string): Finding[] {
  const text = readFileSync(join(dir, file), 'utf8');
  const beside = file.replace(/\.[^.]*$/, '.html');
  const page = existsSync(join(dir, beside)) ? beside : null;
  if (file.endsWith('.ndjson')) return text.split('\n').flatMap((line) => lineOf(line, file));
  if (file.endsWith('.trace')) return traceOf(text, file, page);
  return recordFile(text, file, page);
}

/** A JSON file; one that is no record of a race is none of ours. */
function recordFile(text: string, file: string, page: string | null): Finding[] {
  const data = JSON.parse(text) as { readonly schema?: unknown; readonly verdict?: unknown } | null;
  if (data?.schema !== RACE_SCHEMA || data.verdict === 'safe') return [];
  const { steps, stats, preemptions, ...kept } = v.parse(RecordFile, data);
  const rate = stats?.rate ?? null;
  return [{ ...kept, steps: steps.length, preemptions, times: 1, rate, file, page }];
}

/** A seed is replayed to see what it shows. */
function traceOf(text: string, file: string, page: string | null): Finding[] {
  try {
    const seed = formatSeed(parseTraceFile(text));
    const found = foundBy(recordOf(seededProgram(seed)), file, page);
    return found === null ? [] : [found];
  } catch (error) {
    throw error instanceof SeedError ? new UsageError(error.message) : error;
  }
}

/** @returns null if nothing broke. */
function foundBy(race: RaceRecord, file: string, page: string | null): Finding | null {
  const { fingerprint, invariant, message, scenario, design, memory, seed, replay } = race;
  if (fingerprint === null || invariant === null || message === null) return null;
  const { preemptions, steps } = race;
  const told = { fingerprint, invariant, message, scenario, design, memory, seed, replay };
  return { ...told, preemptions, steps: steps.length, times: 1, rate: null, file, page };
}

/** A line of a campaign; other kinds of lines are none of ours, and a crash may cut the last. */
function lineOf(line: string, file: string): Finding[] {
  let data: { readonly t?: unknown } | null = null;
  try {
    data = JSON.parse(line) as { readonly t?: unknown } | null;
  } catch {
    return [];
  }
  if (data?.t !== 'finding') return [];
  const { t: _, shrunk, ...kept } = v.parse(FindingLine, data);
  const small = { ...kept, ...shrunk };
  const replay = `gntrace replay ${small.seed}`;
  return [{ ...small, replay, rate: null, file, page: null }];
}
