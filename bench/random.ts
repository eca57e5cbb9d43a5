/**
 * A long random campaign of the compiled lookups: random-alone.ts, random-beside.ts.
 *
 *   npm run bench:random -- --seconds 10 --lookup gup-fast-4,p2m --seed 1
 *
 * `--seconds` is for each lookup, half of it alone and half beside a writer. What is drawn comes
 * from the seed; how far a run gets, and what a writer meets, does not. Ends with 0, with 1 if
 * anything differed, with 2 if it was called in a wrong way.
 */
import { parseArgs } from 'node:util';
import { LiveLine, complain, print, short } from '../src/cli/output.ts';
import {
  EXIT_CLEAN,
  EXIT_FINDING,
  EXIT_USAGE,
  UsageError,
  oneOf,
  positiveNumber,
  wholeNumber,
} from '../src/cli/usage.ts';
import { editionFile } from '../src/threads/crew.ts';
import { Prng, actorSeed } from '../src/threads/prng.ts';
import type { LookupName } from './lookup-names.ts';
import { LOOKUP_NAMES } from './lookup-names.ts';
import type * as Alone from './random-alone.ts';
import { compareBeside } from './random-beside.ts';
import { COMPARED, Tally } from './random-inputs.ts';
import { aligned } from './table.ts';

const DAY = 86_400;

/** It calls the functions of the threads edition. */
const { compareAlone } = (await import(
  editionFile('threads', 'bench/random-alone.js').href
)) as typeof Alone;

function optionsOf(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '10' },
      lookup: { type: 'string', default: LOOKUP_NAMES.join() },
      seed: { type: 'string', default: '1' },
    },
  });
  return {
    seconds: positiveNumber(values.seconds, '--seconds', DAY),
    seed: wholeNumber(values.seed, '--seed', 0),
    lookups: values.lookup.split(',').map((name) => oneOf(name, LOOKUP_NAMES, 'lookup')),
  };
}

/** Half of the time alone, half beside a writer. */
async function campaign(lookup: LookupName, seed: number, seconds: number, live: LiveLine) {
  const tally = new Tally();
  const prng = new Prng(actorSeed(seed, LOOKUP_NAMES.indexOf(lookup)));
  const began = performance.now();
  const until = (share: number) => (): boolean =>
    tally.findings.length === 0 && performance.now() - began < share * seconds * 1000;
  const show = (where: string): void => {
    const { alone, beside } = tally;
    live.show(`${lookup} ${where}: ${tally.machines} machines, ${short(alone.ts + beside.ts)}`);
  };
  for (const alone = until(0.5); alone();) {
    compareAlone(lookup, prng, tally, alone);
    show('alone');
  }
  for (const beside = until(1); beside();) {
    await compareBeside(lookup, prng, tally, beside);
    show('beside a writer');
  }
  return tally;
}

const HEADER = [
  'lookup',
  'machines',
  ...['alone', 'beside', 'changing'].flatMap((where) => COMPARED.map((name) => `${where} ${name}`)),
];

function rowOf(lookup: string, { machines, alone, beside, changing }: Tally): string[] {
  const counts = [alone, beside, changing].flatMap((by) => COMPARED.map((name) => by[name]));
  return [lookup, ...[machines, ...counts].map(String)];
}

async function run(args: readonly string[]): Promise<number> {
  const { seconds, seed, lookups } = optionsOf(args);
  const live = new LiveLine();
  const rows: string[][] = [];
  const findings: string[] = [];
  for (const lookup of lookups as LookupName[]) {
    const tally = await campaign(lookup, seed, seconds, live);
    rows.push(rowOf(lookup, tally));
    findings.push(...tally.findings);
  }
  live.clear();
  for (const line of aligned(HEADER, rows)) print(line);
  for (const finding of findings) print(`differs: ${finding}`);
  print(`seed ${seed}, ${findings.length} of ${lookups.length} lookups differ`);
  return findings.length > 0 ? EXIT_FINDING : EXIT_CLEAN;
}

/** Is it the caller's mistake? */
function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (!isUsage(error)) throw error;
  complain((error as Error).message);
  process.exitCode = EXIT_USAGE;
}
