/** `gntrace bench lookups`: how fast each way to find a page is, alone and beside others. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { LiveLine } from '../../src/cli/output.ts';
import { UsageError, oneOf, positiveNumber, seedNumber, wholeNumber } from '../../src/cli/usage.ts';
import { Crew } from '../crew.ts';
import { DISTRIBUTIONS } from '../keys.ts';
import type { Distribution } from '../keys.ts';
import { LOOKUP_NAMES } from '../lookup-names.ts';
import type { LookupName } from '../lookup-names.ts';
import { VARIANTS } from '../lookups.ts';
import type { VariantName } from '../lookups.ts';
import { CHUNK, MOST_ENTRIES, MOST_READERS } from '../machine.ts';
import { NativeLookup, nativeSkipped } from '../native.ts';
import { NoiseMeter } from '../noise.ts';
import type { Output } from '../output.ts';
import { withOutput } from '../output.ts';
import type { Result } from '../results.ts';
import type { Plan, Sharing } from '../sequences.ts';
import { SHARINGS } from '../sequences.ts';
import { lookupTable } from '../table.ts';
import type { Axes, Station } from './cells.ts';
import { stationsOf } from './cells.ts';
import type { Effort } from './measure.ts';
import { Measurement } from './measure.ts';

/** Keys of each sequence: enough to leave the caches with the largest machines. */
const FEWEST_KEYS = 2 ** 14;
const MOST_KEYS = 2 ** 20;
/** `threads` is asked for by name. */
const USUAL_VARIANTS: readonly VariantName[] = ['ts', 'wasm', 'native'];
const ROUNDS = 9;
const WARMUPS = 8;
const QUICK: Effort = { sliceMs: 15, rounds: 3, warmups: 3 };
const LONGEST_SLICE_MS = 1000;
const SHORTEST_SLICE_MS = 10;

interface RawOptions {
  readonly lookup?: string;
  readonly variant?: string;
  readonly entries?: string;
  readonly vmas?: string;
  readonly distribution?: string;
  readonly pages?: string;
  readonly batch?: string;
  readonly readers?: string;
  readonly writer?: string;
  readonly mix?: string;
  readonly cross?: boolean;
  readonly quick?: boolean;
  readonly seconds: string;
  readonly seed: string;
}

function listOf<T>(
  text: string | undefined,
  usual: readonly T[],
  read: (part: string) => T,
): readonly T[] {
  return text === undefined ? usual : text.split(',').map((part) => read(part.trim()));
}

/** A number of entries: 16384 or 2^14. */
export function readEntries(text: string): number {
  const exponent = /^2\^(\d+)$/.exec(text)?.[1];
  const value = exponent === undefined ? wholeNumber(text, '--entries', 1) : 2 ** Number(exponent);
  if (value <= MOST_ENTRIES) return value;
  throw new UsageError(`--entries can be at most 2^22, not ${text}`);
}

function readMix(text: string): number {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const changes = Number(match?.[2] ?? NaN);
  if (match !== null && Number(match[1]) + changes === 100 && changes <= 50) return changes;
  throw new UsageError(`--mix is lookups/changes in a hundred, e.g. 98/2, not "${text}"`);
}

function between(text: string, what: string, most: number): number {
  const value = wholeNumber(text, what, 1);
  if (value <= most) return value;
  throw new UsageError(`${what} can be at most ${most}, not ${text}`);
}

function readWriter(text: string): number {
  const value = wholeNumber(text, '--writer', 0);
  if (value <= 1) return value;
  throw new UsageError(`--writer is 0 or 1, not ${text}`);
}

/** The axes that the options ask for. */
export function axesOf(raw: RawOptions): Axes {
  const quick = raw.quick === true;
  const cores = Math.min(MOST_READERS, Math.max(2, availableParallelism()));
  const upToCores = [1, 2, 4, 8, MOST_READERS].filter((n) => n <= cores);
  return {
    lookups: listOf(
      raw.lookup,
      LOOKUP_NAMES,
      (s) => oneOf(s, LOOKUP_NAMES, 'lookup') as LookupName,
    ),
    variants: listOf(
      raw.variant,
      USUAL_VARIANTS,
      (s) => oneOf(s, VARIANTS, 'variant') as VariantName,
    ),
    entries: listOf(raw.entries, quick ? [2 ** 14] : [2 ** 14, 2 ** 10, 2 ** 18], readEntries),
    vmas: listOf(raw.vmas, quick ? [1] : [1, 256], (s) => wholeNumber(s, '--vmas', 1)),
    distributions: listOf(
      raw.distribution,
      quick ? ['uniform'] : DISTRIBUTIONS,
      (s) => oneOf(s, DISTRIBUTIONS, 'distribution') as Distribution,
    ),
    sharings: listOf(
      raw.pages,
      quick ? ['disjoint'] : SHARINGS,
      (s) => oneOf(s, SHARINGS, 'sharing') as Sharing,
    ),
    batches: listOf(raw.batch, quick ? [CHUNK] : [CHUNK, 16, 1], (s) =>
      between(s, '--batch', CHUNK),
    ),
    readers: listOf(raw.readers, upToCores, (s) => between(s, '--readers', MOST_READERS)),
    writers: listOf(raw.writer, [0, 1], readWriter),
    changes: listOf(raw.mix, quick ? [0] : [0, 2, 10, 50], readMix),
  };
}

function planOf(axes: Axes, seed: number): Plan {
  const { distributions, sharings } = axes;
  return {
    seed,
    sequences: distributions.flatMap((distribution) =>
      sharings.map((sharing) => ({ distribution, sharing })),
    ),
  };
}

/** Slices that fill the time, if all machines took none to make. */
function effortOf(stations: readonly Station[], variants: number, seconds: number): Effort {
  const cells = stations.reduce((sum, station) => sum + station.cells.length, 0) * variants;
  const slice = (seconds * 1000) / (cells * (ROUNDS + 3));
  const sliceMs = Math.min(LONGEST_SLICE_MS, Math.max(SHORTEST_SLICE_MS, slice));
  return { sliceMs, rounds: ROUNDS, warmups: WARMUPS };
}

/** Measures one machine. */
async function measureStation(
  station: Station,
  axes: Axes,
  plan: Plan,
  effort: Effort,
  noise: NoiseMeter,
  onRun: (done: number) => void,
): Promise<Result[]> {
  const perSequence = Math.min(MOST_KEYS, Math.max(FEWEST_KEYS, station.entries));
  const { lookup, entries, vmas } = station;
  const readers = Math.max(...axes.readers);
  const keys = perSequence * plan.sequences.length;
  const crew = await Crew.start({ lookup, entries, vmas, readers, keys }, plan);
  const native = axes.variants.includes('native') ? await NativeLookup.start(crew) : null;
  try {
    const { variants } = axes;
    return await new Measurement(crew, native, station, variants, plan, effort, noise, onRun).run();
  } finally {
    await native?.end();
    await crew.end();
  }
}

async function run(raw: RawOptions, output: Output): Promise<void> {
  const axes = axesOf(raw);
  const stations = stationsOf(axes, raw.cross === true);
  const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
  const effort = raw.quick === true ? QUICK : effortOf(stations, axes.variants.length, seconds);
  const plan = planOf(axes, Number(BigInt.asIntN(32, seedNumber(raw.seed))));
  if (axes.variants.includes('native')) {
    const skipped = await nativeSkipped();
    if (skipped !== '') output.note(`native: ${skipped}; shares of C are not shown`);
  }
  const live = new LiveLine();
  const noise = new NoiseMeter();
  const began = performance.now();
  const results: Result[] = [];
  for (const [i, station] of stations.entries()) {
    const onRun = (done: number): void => {
      const share = (i + done) / stations.length;
      const spent = (performance.now() - began) / 1000;
      const left = share > 0 ? (spent / share) * (1 - share) : 0;
      const { lookup, entries } = station;
      live.show(
        `${lookup}, ${entries} entries: ${(share * 100).toFixed(0)} %, ${left.toFixed(0)} s left`,
      );
    };
    onRun(0);
    results.push(...(await measureStation(station, axes, plan, effort, noise, onRun)));
  }
  live.clear();
  output.report(results, noise.noise(), (performance.now() - began) / 1000, lookupTable);
}

/** The command. */
export function lookupsCommand(): Command {
  const command = new Command('lookups')
    .description('every way to find the page behind an address, frame or handle')
    .option('--lookup <names>', `which: ${LOOKUP_NAMES.join(', ')} (default: all)`)
    .option('--variant <names>', `how: ${VARIANTS.join(', ')} (default: all but threads)`)
    .option('--entries <list>', 'entries, up to 2^22 (default: 2^14,2^10,2^18)')
    .option('--vmas <list>', 'VMAs that the entries of vma-pages lie in (default: 1,256)')
    .option('--distribution <list>', `of the keys: ${DISTRIBUTIONS.join(', ')}`)
    .option('--pages <list>', `what several readers look up: ${SHARINGS.join(', ')}`)
    .option('--batch <list>', 'lookups a call; 1: a call each (default: 1024,16,1)')
    .option('--readers <list>', 'reader threads (default: 1 to the cores)')
    .option('--writer <list>', 'threads that unmap, map and split meanwhile: 0, 1 (default: both)')
    .option('--mix <list>', 'lookups/changes of the readers (default: 100/0,98/2,90/10,50/50)')
    .option('--cross', 'every combination; else one axis at a time, from the first value of each')
    .option('--seconds <s>', 'time for all of it, machines not counted', '120')
    .option('--quick', 'a few milliseconds each, fewer axes')
    .option('--seed <n>', 'of the keys', '1');
  return withOutput(command, run);
}
