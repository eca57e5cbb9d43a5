/**
 * `gntrace bench check`: every lookup beside a writer at full speed with the oracle listening in
 * every thread. Sums of all chunks are verified as in every run; besides, the oracle's stamps tell
 * of a frame or a page table that is reached without a right to it. Rates are not measured here.
 *
 * No reader may wait for others longer than WAIT_MS. Each lookup is a call and timed. There are as
 * many threads as cores, so that on an idle host all run at once; what a busy host takes from them
 * is subtracted (waits.ts), and known only by bounds. The time is cut into slices: one is late if a
 * wait was too long for certain, and in time if none can have been. A slice that is neither is
 * dropped and another one taken: a lookup that starves does so beside a quiet host too. So is the
 * first one that is late, for not all that a host does is counted: a thread may wait for a page of
 * memory, or its garbage collection for a thread of the engine that has no core. Undecided is what
 * needs more than TRIES times the slices that were asked for.
 */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { LiveLine, print } from '../../src/cli/output.ts';
import {
  EXIT_CLEAN,
  EXIT_FINDING,
  EXIT_UNDECIDED,
  oneOf,
  positiveNumber,
} from '../../src/cli/usage.ts';
import { Crew } from '../crew.ts';
import type { LookupName } from '../lookup-names.ts';
import { LOOKUP_NAMES } from '../lookup-names.ts';
import type { Shape } from '../machine.ts';
import { CHUNK } from '../machine.ts';
import { aligned } from '../table.ts';
import type { Waits } from '../waits.ts';

const ENTRIES = 1024;
const CHUNKS = 4;
/** No reader may wait longer. */
const WAIT_MS = 10;
const SLICE_MS = 250;
const TRIES = 3;
/** Slices that are late before the lookup is. */
const LATE_SLICES = 2;
/** More readers than that find nothing else. */
const MOST_READERS = 3;
/** Before anything is timed, so that compilers have done their work. */
const WARM_UP_MS = 300;

/** What a lookup's readers met. */
export interface Checked extends Waits {
  readonly lookup: LookupName;
  readonly readers: number;
  readonly lookups: number;
  readonly writerTurns: number;
  /** Wrong sums, refused changes, failed assertions, findings of the oracle. */
  readonly wrong: number;
  readonly retries: number;
  /** Did no reader wait too long? null: the host took so much that nobody can tell. */
  readonly inTime: boolean | null;
}

/** The longest of several waits. */
function longestOf(all: readonly Waits[]): Waits {
  const { longestMs, heldUpMs } = all.reduce((most, waits) =>
    waits.longestMs > most.longestMs ? waits : most,
  );
  const atLeastMs = Math.max(...all.map((waits) => waits.atLeastMs));
  const atMostMs = Math.max(...all.map((waits) => waits.atMostMs));
  return { longestMs, heldUpMs, atLeastMs, atMostMs };
}

/** @returns whether no wait was too long; null if the bounds do not tell. */
export function judge({ atLeastMs, atMostMs }: Waits): boolean | null {
  if (atMostMs <= WAIT_MS) return true;
  return atLeastMs > WAIT_MS ? false : null;
}

/** The exit status for all lookups. */
export function statusOf(rows: readonly Checked[]): number {
  if (rows.some(({ wrong, inTime }) => wrong > 0 || inTime === false)) return EXIT_FINDING;
  return rows.some(({ inTime }) => inTime === null) ? EXIT_UNDECIDED : EXIT_CLEAN;
}

/** The machine of a check: with the writer, a thread for each core. */
export function shapeOf(lookup: LookupName): Shape {
  const readers = Math.min(MOST_READERS, Math.max(1, availableParallelism() - 1));
  return { lookup, entries: ENTRIES, vmas: 1, readers, keys: CHUNKS * CHUNK, oracle: true };
}

/** The keys of a check. */
export const plan = {
  seed: 1,
  sequences: [{ distribution: 'uniform', sharing: 'shared' }],
} as const;

/** All readers and the writer for a while. @param crew - of shapeOf(lookup). */
export async function watchReaders(crew: Crew, ms: number): Promise<Checked> {
  const { lookup, readers: count } = crew.shape;
  // The variant whose accesses the oracle is told of.
  const reading = {
    variant: 'threads',
    batch: 1,
    firstChunk: 0,
    chunks: CHUNKS,
    changes: 0,
  } as const;
  const readings = Array.from({ length: count }, () => reading);
  const { readers, writer } = await crew.watch({ readings, writer: true, ms });
  const all = [...readers, ...(writer === null ? [] : [writer])];
  const waits = longestOf(readers.map((did) => did.waits));
  return {
    lookup,
    readers: count,
    lookups: readers.reduce((sum, did) => sum + did.lookups, 0),
    writerTurns: writer?.turns ?? 0,
    wrong: all.reduce((sum, did) => sum + did.wrong, 0),
    retries: readers.reduce((sum, did) => sum + did.retries, 0),
    ...waits,
    inTime: judge(waits),
  };
}

/** Adds slices up. @param told - those whose waits are believed. */
function sumOf(slices: readonly Checked[], told: readonly Checked[]): Checked {
  const add = (of: (slice: Checked) => number): number =>
    slices.reduce((sum, slice) => sum + of(slice), 0);
  return {
    ...(slices[0] as Checked),
    lookups: add((slice) => slice.lookups),
    writerTurns: add((slice) => slice.writerTurns),
    wrong: add((slice) => slice.wrong),
    retries: add((slice) => slice.retries),
    ...longestOf(told),
  };
}

/** Takes slices until enough of them are decided. @param wanted - how many are enough. */
export async function decide(wanted: number, take: () => Promise<Checked>): Promise<Checked> {
  const slices: Checked[] = [];
  while (slices.length < TRIES * wanted) {
    slices.push(await take());
    const late = slices.filter(({ inTime }) => inTime === false);
    if (late.length === LATE_SLICES) return { ...sumOf(slices, late), inTime: false };
    const decided = slices.filter(({ inTime }) => inTime === true);
    if (decided.length === wanted) return { ...sumOf(slices, decided), inTime: true };
  }
  return { ...sumOf(slices, slices), inTime: null };
}

/** Checks a lookup for so many seconds of which it can be said. */
export async function checkLookup(lookup: LookupName, seconds: number): Promise<Checked> {
  const crew = await Crew.start(shapeOf(lookup), plan);
  try {
    const warm = await watchReaders(crew, WARM_UP_MS);
    const slices = Math.ceil((seconds * 1000) / SLICE_MS);
    const ms = (seconds * 1000) / slices;
    const checked = await decide(slices, () => watchReaders(crew, ms));
    return { ...checked, wrong: checked.wrong + warm.wrong };
  } finally {
    await crew.end();
  }
}

const HEADER = [
  'lookup',
  'lookups',
  'changes',
  'wrong',
  'retries',
  'longest',
  'by the host',
  'waited',
  '',
];

function milliseconds(ms: number | null): string {
  return ms === null ? '?' : `${ms.toFixed(ms < 1 ? 3 : 1)} ms`;
}

function rowOf(row: Checked): string[] {
  const { atLeastMs, atMostMs, inTime } = row;
  const waited =
    inTime === null
      ? `${atLeastMs.toFixed(1)} … ${milliseconds(atMostMs)}`
      : milliseconds(inTime ? atMostMs : atLeastMs);
  return [
    row.lookup,
    String(row.lookups),
    String(row.writerTurns),
    String(row.wrong),
    String(row.retries),
    milliseconds(row.longestMs),
    milliseconds(row.heldUpMs),
    waited,
    inTime === null ? 'undecided' : inTime ? 'in time' : 'late',
  ];
}

interface RawOptions {
  readonly lookup?: string;
  readonly seconds: string;
  readonly json?: boolean;
}

/** The command. @param exit - takes the exit status: 1 if anything was wrong or late. */
export function checkCommand(exit: (status: number) => void): Command {
  return new Command('check')
    .description('every lookup beside a writer, with the oracle listening')
    .option('--lookup <names>', 'which (default: all)')
    .option('--seconds <s>', 'time for each', '2')
    .option('--json', 'print one JSON object instead of text')
    .action(async (raw: RawOptions) => {
      const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
      const names =
        raw.lookup?.split(',').map((name) => oneOf(name, LOOKUP_NAMES, 'lookup') as LookupName) ??
        LOOKUP_NAMES;
      const live = new LiveLine();
      const rows: Checked[] = [];
      for (const name of names) {
        live.show(`${name}: ${rows.length + 1} of ${names.length}`);
        rows.push(await checkLookup(name, seconds));
      }
      live.clear();
      if (raw.json === true) {
        const schema = 'gntrace-bench-check/2';
        print(JSON.stringify({ schema, seconds, waitMs: WAIT_MS, results: rows }));
      } else {
        for (const line of aligned(HEADER, rows.map(rowOf))) print(line);
        print(
          `longest: one lookup; by the host: as long it held the reader or the writer up; ` +
            `waited: for the writer, at most ${WAIT_MS} ms are in time`,
        );
      }
      exit(statusOf(rows));
    });
}
