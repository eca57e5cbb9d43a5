/** `gntrace replay`: one schedule again, in fibers or on real worker threads. */
import { Command } from 'commander';
import type { Replayed } from '../explore/replay.ts';
import { DivergedError, replay } from '../explore/replay.ts';
import { Trace } from '../explore/trace.ts';
import { FORMAT_NAMES, exported } from '../report/export/formats.ts';
import type { RaceRecord } from '../report/race.ts';
import { LockstepCrew } from '../threads/lockstep.ts';
import { bold, complain, green, print, red } from './output.ts';
import type { RaceExport } from './race-export.ts';
import { annotate, exportRace, withExportOption } from './race-export.ts';
import { racePageOf, withHtmlOption, writePage } from './race-file.ts';
import type { RaceView } from './race-text.ts';
import { printRace, recordOf, withViewOptions } from './race-text.ts';
import { SEED_ARGUMENT } from './saved.ts';
import { castModuleOf } from './scenarios.ts';
import type { Seeded } from './seeded.ts';
import { seededProgram } from './seeded.ts';
import {
  EXIT_CLEAN,
  EXIT_FAILED,
  EXIT_FINDING,
  EXIT_UNDECIDED,
  UsageError,
  oneOf,
} from './usage.ts';

const PLACES = ['fibers', 'threads'];
/** Ends `git bisect run`. */
const EXIT_BISECT_STOP = 128;

interface RawOptions extends RaceView {
  readonly on: string;
  readonly format: string;
  readonly export: readonly RaceExport[];
  readonly html?: string;
  readonly expect?: string;
  readonly bisect?: boolean;
  readonly json?: boolean;
}

/** What a replay came to. */
interface Outcome {
  readonly run: Replayed;
  readonly trace: Trace;
  /** Where the threads did something else than the fibers; empty if nowhere. */
  readonly difference: string;
}

/** The command. @param exit - takes the exit status. */
export function replayCommand(exit: (status: number) => void): Command {
  return withHtmlOption(withExportOption(withViewOptions(new Command('replay'))))
    .description('run the one schedule that a seed records')
    .argument('<seed>', SEED_ARGUMENT)
    .option('--on <place>', `where to run it: ${PLACES.join(', ')}`, 'fibers')
    .option('--format <form>', `how to print it: ${FORMAT_NAMES.join(', ')}`, 'text')
    .option('--expect <invariant>', 'exit with 0 if and only if this breaks: I8, deadlock, …')
    .option('--bisect', 'exit as git bisect run wants it')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing broke, 1 the finding shows, 2 wrong use, 3 tool failed.\n' +
        'With --expect: 0 the invariant broke, 1 it did not. With --bisect: 125 (skip) if the\n' +
        'seed does not fit this version, 128 (stop) instead of 2 and 3.',
    )
    .action(async (text: string, raw: RawOptions) => {
      const showing = (): Promise<number> => show(text, raw);
      exit(await (raw.bisect === true ? bisected(showing) : showing()));
    });
}

/** Replays and prints. @returns the exit status. */
async function show(text: string, raw: RawOptions): Promise<number> {
  const on = oneOf(raw.on, PLACES, 'place');
  oneOf(raw.format, FORMAT_NAMES, 'form');
  const seeded = seededProgram(text);
  // On threads the words are left as they become.
  const wanted = raw.json !== true || raw.export.length > 0 || raw.html !== undefined;
  const record = wanted ? fitted(() => recordOf(seeded, quoted(text))) : null;
  const { html = '' } = raw;
  const page = record === null || html === '' ? null : racePageOf(seeded, record);
  const outcome = await replaySeed(seeded, on === 'threads');
  if (raw.json === true || record === null) print(JSON.stringify(jsonOf(seeded, on, outcome)));
  else describe(seeded, on, outcome, record, raw);
  const quiet = raw.json === true || raw.format !== 'text';
  if (record !== null) exportRace(record, raw.export, quiet);
  if (page !== null) writePage(html, page, quiet);
  return statusOf(outcome, raw.expect);
}

/**
 * For `git bisect run`: a seed that does not fit tells nothing of this version, and a tool that
 * fails must not put the blame on it.
 */
async function bisected(showing: () => Promise<number>): Promise<number> {
  try {
    const status = await showing();
    return status === EXIT_FAILED ? EXIT_BISECT_STOP : status;
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    return error instanceof UnfitError ? EXIT_UNDECIDED : EXIT_BISECT_STOP;
  }
}

async function replaySeed(seeded: Seeded, onThreads: boolean): Promise<Outcome> {
  const run = replayInFibers(seeded);
  if (!onThreads) return { run, trace: run.trace, difference: '' };
  return { run, ...(await followOnThreads(seeded, run)) };
}

function replayInFibers({ seed, options }: Seeded): Replayed {
  return fitted(() => replay(options, seed));
}

/** The seed is of another version of the scenario. */
class UnfitError extends UsageError {}

/** A schedule that does not fit is wrong use. */
function fitted<T>(replaying: () => T): T {
  try {
    return replaying();
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    throw new UnfitError(`the seed does not fit this version of the scenario: ${error.message}`);
  }
}

async function followOnThreads(
  { seed, scenario, options }: Seeded,
  run: Replayed,
): Promise<Pick<Outcome, 'trace' | 'difference'>> {
  const module = castModuleOf(scenario);
  const { machine, actors } = options;
  const { design, param, without = [] } = seed;
  const cast = { scenario: scenario.name, design, param, without };
  const crew = new LockstepCrew(machine, module, cast, actors.length);
  try {
    const { schedule, choices } = run;
    const { log, problem } = await crew.run({ schedule, choices, memory: seed.memory });
    const trace = new Trace();
    for (let i = 0; i + 3 < log.length; i += 4) {
      trace.add(...(log.subarray(i, i + 4) as unknown as [number, number, number, number]));
    }
    return { trace, difference: problem !== '' ? problem : differenceOf(run.trace, trace) };
  } finally {
    await crew.close();
  }
}

/** The first step that differs, in words; empty if none does. */
function differenceOf(fibers: Trace, threads: Trace): string {
  const steps = Math.min(fibers.length, threads.length);
  for (let i = 0; i < steps; i++) {
    const [a, b] = [JSON.stringify(fibers.step(i)), JSON.stringify(threads.step(i))];
    if (a !== b) return `step ${i + 1} differs: ${a} in fibers, ${b} on threads`;
  }
  if (fibers.length === threads.length) return '';
  return `${fibers.length} steps in fibers, ${threads.length} on threads`;
}

function statusOf({ run, difference }: Outcome, expected: string | undefined): number {
  if (difference !== '') return EXIT_FAILED;
  if (expected !== undefined) {
    return run.complaint?.invariant === expected ? EXIT_CLEAN : EXIT_FINDING;
  }
  return run.complaint === null ? EXIT_CLEAN : EXIT_FINDING;
}

function jsonOf({ scenario }: Seeded, on: string, { run, trace, difference }: Outcome): object {
  return {
    scenario: scenario.name,
    on,
    steps: trace.length,
    digest: trace.digest(),
    verdict: run.complaint === null ? 'safe' : 'broken',
    invariant: run.complaint?.invariant ?? null,
    message: run.complaint?.message ?? null,
    preemptions: run.preemptions,
    ...(difference === '' ? {} : { difference }),
  };
}

function describe(
  { scenario, options }: Seeded,
  on: string,
  { run, trace, difference }: Outcome,
  record: RaceRecord,
  raw: RawOptions,
): void {
  if (raw.format !== 'text') {
    process.stdout.write(exported(record, raw.format));
    return;
  }
  if (run.complaint !== null || raw.all === true) printRace(record, raw);
  else print(`${bold(scenario.name)}  ${green('nothing broke')}  [${on}, ${options.memory}]`);
  if (difference !== '') print(`  ${red('threads and fibers disagree')}: ${difference}`);
  print(`  replay  ${record.replay}`);
  print(`  ${on}: ${trace.length} steps, digest ${trace.digest()}`);
  annotate([record]);
}

/** One word for a command line. */
function quoted(text: string): string {
  return /^[\w./%~-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
