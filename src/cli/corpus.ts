/** `gntrace corpus`: evidence for every race of the past, before and after its fix. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { isNamed } from '../campaign/matrix/cell.ts';
import type { After, Before } from '../campaign/corpus/evidence.ts';
import { REPLAYS } from '../campaign/corpus/evidence.ts';
import type { CorpusTask } from '../campaign/corpus/task.ts';
import { TaskPool } from '../campaign/task-pool.ts';
import type { Race } from '../corpus/race.ts';
import { races } from '../corpus/races.ts';
import { replay } from '../explore/replay.ts';
import { LockstepCrew } from '../threads/lockstep.ts';
import { LiveLine, bold, green, print, red, short } from './output.ts';
import { castModuleOf } from './scenarios.ts';
import { seededProgram } from './seeded.ts';
import { findRace } from './show.ts';
import { EXIT_CLEAN, EXIT_FAILED, EXIT_UNDECIDED, positiveNumber, wholeNumber } from './usage.ts';

interface RawOptions {
  readonly only?: string;
  readonly seconds: string;
  readonly workers?: string;
  readonly json?: boolean;
}

/** Everything that is known of one race. */
interface Evidence extends Before {
  readonly id: string;
  readonly race: string;
  /** Of REPLAYS on threads, those that did what the fibers did. */
  readonly onThreads: number;
  readonly after: readonly After[];
}

const MEMORIES = ['sc', 'tso'] as const;

/** The command. @param exit - takes the exit status. */
export function corpusCommand(exit: (status: number) => void): Command {
  return new Command('corpus')
    .description('show that each race of the past is there before its fix and gone after it')
    .option('--only <names>', 'some races, by name or id, with commas: X1,L20')
    .option('--seconds <s>', 'time to cover the schedules of one race under one model', '120')
    .option('--workers <n>', 'threads (default: one for each core)')
    .option('--json', 'print one JSON array instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 all as told, 2 wrong use, 3 a race is missed before its fix or found ' +
        'after it,\n125 some could not be covered and had only many clean executions.',
    )
    .action(async (raw: RawOptions) => {
      const all = await gather(chosen(raw.only), raw);
      if (raw.json === true) print(JSON.stringify(all));
      exit(Math.max(...all.map((evidence) => statusOf(evidence))));
    });
}

function chosen(only: string | undefined): readonly Race[] {
  const past = races.filter(({ bug }) => bug !== undefined);
  if (only === undefined) return past;
  const named = only.split(',').map((text) => findRace(text.trim()));
  return past.filter((race) => named.some(({ name }) => isNamed(race, name)));
}

async function gather(asked: readonly Race[], raw: RawOptions): Promise<Evidence[]> {
  const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
  const cores = Math.min(availableParallelism(), 64);
  const workers = raw.workers === undefined ? cores : wholeNumber(raw.workers, '--workers', 1);
  const pool = new TaskPool<CorpusTask, Before | After>('src/campaign/corpus/task', workers);
  const line = new LiveLine();
  let done = 0;
  const show = (): void => line.show(`${done} of ${asked.length} races`);
  try {
    show();
    return await Promise.all(
      asked.map(async (race): Promise<Evidence> => {
        const scenario = `race/${race.name}`;
        const [before, ...after] = (await Promise.all([
          pool.run({ scenario, kind: 'before' }),
          ...MEMORIES.map((memory) => pool.run({ scenario, kind: 'after', memory, seconds })),
        ])) as [Before, ...After[]];
        const onThreads = before.shrunk === null ? 0 : await replayOnThreads(before.shrunk.seed);
        const evidence = { id: race.bug?.id ?? '', race: race.name, ...before, onThreads, after };
        done++;
        line.clear();
        if (raw.json !== true) describe(evidence);
        show();
        return evidence;
      }),
    );
  } finally {
    line.clear();
    await pool.close();
  }
}

/** One after another: all races share the tables of this thread. */
let threads = Promise.resolve(0);

function replayOnThreads(text: string): Promise<number> {
  threads = threads.then(async () => {
    const { seed, scenario, options } = seededProgram(text);
    const run = replay(options, seed);
    const wanted = run.trace.flat();
    const { design, param, without = [] } = seed;
    const cast = { scenario: scenario.name, design, param, without };
    const crew = new LockstepCrew(
      options.machine,
      castModuleOf(scenario),
      cast,
      options.actors.length,
    );
    let same = 0;
    try {
      for (let i = 0; i < REPLAYS; i++) {
        const { log, problem } = await crew.run({ ...run, memory: seed.memory });
        const agrees = log.length === wanted.length && wanted.every((word, j) => word === log[j]);
        if (problem === '' && agrees) same++;
      }
    } finally {
      await crew.close();
    }
    return same;
  });
  return threads;
}

function statusOf({ searches, shrunk, onThreads, after }: Evidence): number {
  const found = searches.filter((search) => search.found).length;
  const replays = shrunk?.replayed === REPLAYS && onThreads === REPLAYS;
  if (found < 2 || !replays || after.some(({ seed }) => seed !== null)) return EXIT_FAILED;
  return after.every(({ exhausted }) => exhausted) ? EXIT_CLEAN : EXIT_UNDECIDED;
}

function describe(evidence: Evidence): void {
  const { id, race, searches, shrunk, onThreads, after } = evidence;
  const good = statusOf(evidence) !== EXIT_FAILED;
  print(`${bold(`${id} ${race}`)}  ${good ? green('as told') : red('NOT AS TOLD')}`);
  const found = searches.map(({ strategy, found: yes, executions, invariant }) =>
    yes
      ? `${strategy} ${short(executions)} (${invariant})`
      : `${strategy} not in ${short(executions)}`,
  );
  print(`  before  ${found.join(', ')}`);
  if (shrunk !== null) {
    const { steps, preemptions, replayed, seed } = shrunk;
    print(
      `          ${steps} steps, ${preemptions} preemptions; replayed ${replayed} of ${REPLAYS} ` +
        `in fibers, ${onThreads} of ${REPLAYS} on threads`,
    );
    print(`          gntrace replay ${seed}`);
  }
  for (const { memory, verdict, exhausted, executions, seconds, seed } of after) {
    const how = exhausted ? `all ${short(executions)} traces` : `${short(executions)} executions`;
    print(`  after   ${memory.padEnd(3)} ${verdict}: ${how} in ${seconds.toFixed(1)} s`);
    if (seed !== null) print(`          gntrace replay ${seed}`);
  }
}
