/**
 * `gntrace bench limits`: how far each lookup is from C, and what the build makes of the source
 * beside what is written by hand (bench/yardsticks), on one thread.
 */
import { Command } from 'commander';
import { LiveLine, print } from '../../src/cli/output.ts';
import { oneOf, wholeNumber } from '../../src/cli/usage.ts';
import { editionFile } from '../../src/threads/crew.ts';
import type * as Limits from '../limits.ts';
import type { LimitPlan, LimitResult } from '../limits.ts';
import type { LookupName } from '../lookup-names.ts';
import { LOOKUP_NAMES } from '../lookup-names.ts';
import { NATIVE_LOOKUPS, findCompiler } from '../native-reference.ts';
import { NoiseMeter } from '../noise.ts';
import { hostOf } from '../results.ts';
import { aligned, hostLines, power } from '../table.ts';
import { readEntries } from './lookups.ts';

/** Of one way in one turn; a turn warms caches up first. */
const SLICE_MS = 12;
const CHUNKS = 64;
/** Before each lookup. */
const NOISE_SAMPLES = 5;

interface Raw {
  readonly lookup: string;
  readonly entries: string;
  readonly vmas: string;
  readonly turns: string;
  readonly json?: boolean;
}

function plansOf(raw: Raw): LimitPlan[] {
  const vmas = wholeNumber(raw.vmas, '--vmas', 1);
  const turns = wholeNumber(raw.turns, '--turns', 1);
  const sizes = raw.entries.split(',').map(readEntries);
  return raw.lookup.split(',').flatMap((name) => {
    const lookup = oneOf(name, LOOKUP_NAMES, 'lookup') as LookupName;
    return sizes.map((entries) => {
      const some = Math.min(vmas, entries);
      return { lookup, entries, vmas: some, turns, milliseconds: SLICE_MS, chunks: CHUNKS };
    });
  });
}

function cell({ lookupsPerSecond, shareOfNative }: LimitResult): string {
  const rate = (lookupsPerSecond / 1e6).toPrecision(3);
  return shareOfNative === null ? rate : `${rate} (${shareOfNative.toFixed(2)})`;
}

/** A row for each lookup and size, a column for each way. */
export function limitTable(results: readonly (readonly LimitResult[])[]): string[] {
  const ways = [...new Set(results.flatMap((row) => row.map(({ way }) => way)))];
  const rows = results.map((row) => {
    const { lookup, entries } = row[0] as LimitResult;
    const cellOf = (way: string): string => {
      const found = row.find((result) => result.way === way);
      return found === undefined ? '' : cell(found);
    };
    return [lookup, power(entries), ...ways.map(cellOf)];
  });
  return aligned(['M/s (of C)', 'entries', ...ways], rows);
}

/** A meter whose loop the engine has compiled. */
function warmMeter(): NoiseMeter {
  const cold = new NoiseMeter();
  for (let i = 0; i < NOISE_SAMPLES; i++) cold.sample();
  return new NoiseMeter();
}

async function run(raw: Raw): Promise<void> {
  const plans = plansOf(raw);
  // It calls the functions of the threads edition.
  const place = editionFile('threads', 'bench/limits.js').href;
  const { measureLimit } = (await import(place)) as typeof Limits;
  const compiler = await findCompiler();
  if (compiler === null) {
    process.stderr.write('no C compiler (cc, gcc, clang): shares of C are not shown\n');
  }
  const live = new LiveLine();
  const noise = warmMeter();
  const began = performance.now();
  const passed = (): number => (performance.now() - began) / 1000;
  const results: (readonly LimitResult[])[] = [];
  for (const plan of plans) {
    const left =
      results.length === 0 ? '' : `, ${timeLeft(passed(), results.length, plans.length)}`;
    live.show(`${plan.lookup}, ${power(plan.entries)} entries${left}`);
    for (let i = 0; i < NOISE_SAMPLES; i++) noise.sample();
    results.push(await measureLimit(compiler, plan));
  }
  live.clear();
  const { node } = process.versions;
  const where = { node, machine: hostOf(noise.noise()), seconds: passed() };
  if (raw.json === true) {
    print(JSON.stringify({ schema: 'gntrace-limits/1', ...where, results: results.flat() }));
    return;
  }
  for (const line of limitTable(results)) print(line);
  print('');
  for (const line of hostLines(where)) print(line);
}

function timeLeft(passed: number, done: number, all: number): string {
  return `${((passed / done) * (all - done)).toFixed(0)} s left`;
}

/** The command. */
export function limitsCommand(): Command {
  return new Command('limits')
    .description('shares of C, and what is made of the source beside what is written by hand')
    .option('--lookup <list>', 'lookups', NATIVE_LOOKUPS.join())
    .option('--entries <list>', 'entries, up to 2^22', '2^10,2^14,2^18')
    .option('--vmas <n>', 'VMAs that the entries of vma-pages lie in', '1')
    .option('--turns <n>', 'rounds of all ways, of which the best counts', '25')
    .option('--json', 'print one JSON object instead of text')
    .action(run);
}
