/** `gntrace replay`: one schedule again, in fibers or on real worker threads. */
import { Command } from 'commander';
import type { Replayed } from '../explore/replay.ts';
import { DivergedError, replay } from '../explore/replay.ts';
import { Trace } from '../explore/trace.ts';
import type { RaceRecord } from '../report/race.ts';
import { LockstepCrew } from '../threads/lockstep.ts';
import { bold, green, print, red } from './output.ts';
import { printKernelReport, printRace, recordOf, withViewOptions } from './race-text.ts';
import { SEED_ARGUMENT } from './saved.ts';
import { castModuleOf } from './scenarios.ts';
import type { Seeded } from './seeded.ts';
import { seededProgram } from './seeded.ts';
import { EXIT_CLEAN, EXIT_FAILED, EXIT_FINDING, UsageError, oneOf } from './usage.ts';

const PLACES = ['fibers', 'threads'];
const FORMATS = ['text', 'kernel'];

interface RawOptions {
  readonly on: string;
  readonly format: string;
  readonly all?: boolean;
  readonly ascii?: boolean;
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
  return withViewOptions(new Command('replay'))
    .description('run the one schedule that a seed records')
    .argument('<seed>', SEED_ARGUMENT)
    .option('--on <place>', `where to run it: ${PLACES.join(', ')}`, 'fibers')
    .option('--format <name>', `how to print it: ${FORMATS.join(', ')}`, 'text')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing broke, 1 the finding shows, 2 wrong use, 3 tool failed.',
    )
    .action(async (text: string, raw: RawOptions) => {
      const on = oneOf(raw.on, PLACES, 'place');
      oneOf(raw.format, FORMATS, 'format');
      const seeded = seededProgram(text);
      // On threads the words are left as they become.
      const record = raw.json === true ? null : fitted(() => recordOf(seeded, pasted(text)));
      const outcome = await replaySeed(seeded, on === 'threads');
      if (record === null) print(JSON.stringify(jsonOf(seeded, on, outcome)));
      else describe(seeded, on, outcome, record, raw);
      exit(statusOf(outcome));
    });
}

async function replaySeed(seeded: Seeded, onThreads: boolean): Promise<Outcome> {
  const run = replayInFibers(seeded);
  if (!onThreads) return { run, trace: run.trace, difference: '' };
  return { run, ...(await followOnThreads(seeded, run)) };
}

function replayInFibers({ seed, options }: Seeded): Replayed {
  return fitted(() => replay(options, seed));
}

/** A schedule that does not fit is wrong use. */
function fitted<T>(replaying: () => T): T {
  try {
    return replaying();
  } catch (error) {
    if (!(error instanceof DivergedError)) throw error;
    throw new UsageError(`the seed does not fit this version of the scenario: ${error.message}`);
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

function statusOf({ run, difference }: Outcome): number {
  if (difference !== '') return EXIT_FAILED;
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
  const verdict = run.complaint === null ? green('nothing broke') : red('broken');
  if (raw.format === 'kernel') return printKernelReport(record, raw);
  if (run.complaint !== null || raw.all === true) printRace(record, raw);
  else print(`${bold(scenario.name)}  ${verdict}  [${on}, ${options.memory}]`);
  if (difference !== '') print(`  ${red('threads and fibers disagree')}: ${difference}`);
  print(`  replay  ${record.replay}`);
  print(`  ${on}: ${trace.length} steps, digest ${trace.digest()}`);
}

/** The words to paste again: a seed, or the file that holds it. */
function pasted(text: string): string {
  return /^[\w./%~_-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
