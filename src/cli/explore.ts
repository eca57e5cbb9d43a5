/** `gntrace explore`: many schedules of one scenario, or all of them. */
import { Command } from 'commander';
import type { Runner } from '../campaign/pool.ts';
import { ExplorationPool, ThisThread } from '../campaign/pool.ts';
import type { Limits } from '../campaign/spread.ts';
import { spread } from '../campaign/spread.ts';
import { shareOut } from '../campaign/share.ts';
import type { CheckResult } from '../explore/check.ts';
import { check } from '../explore/check.ts';
import { SHAREABLE } from '../explore/portion.ts';
import type { Question } from '../explore/range.ts';
import { SPREADABLE } from '../explore/range.ts';
import type { Scenario } from '../explore/scenario.ts';
import { replay } from '../explore/replay.ts';
import { FORMAT_NAMES, exported } from '../report/export/formats.ts';
import { junitXml } from '../report/export/junit.ts';
import type { RaceRecord } from '../report/race.ts';
import { STRETCH } from '../explore/strategy.ts';
import type { StrategyName } from '../explore/strategies/index.ts';
import { strategyNames } from '../explore/strategies/index.ts';
import { interruptSignal } from './interrupt.ts';
import { bold, green, print, red, short } from './output.ts';
import { annotate, exportRace, withExportOption, writeText } from './race-export.ts';
import type { RaceExport } from './race-export.ts';
import { racePageOf, withHtmlOption, writePage } from './race-file.ts';
import type { RaceView } from './race-text.ts';
import { printFinding, recordOf, withViewOptions } from './race-text.ts';
import { SAVE_OPTION, pasteable } from './saved.ts';
import { findScenario } from './scenarios.ts';
import type { Seeded } from './seeded.ts';
import { seededProgram } from './seeded.ts';
import {
  EXIT_CLEAN,
  EXIT_FINDING,
  EXIT_INTERRUPTED,
  EXIT_UNDECIDED,
  UsageError,
  oneOf,
  positiveNumber,
  wholeNumber,
} from './usage.ts';

/** Executions of a strategy that would go on for ever, if no limit is given. */
const USUAL_EXECUTIONS = 10_000;
const EXHAUSTIVE: readonly string[] = SHAREABLE;
/** Strategies that several threads can follow together. */
const SEVERAL: readonly string[] = [...SPREADABLE, ...SHAREABLE];
const MEMORIES = ['sc', 'tso'] as const;
const MOST_WORKERS = 64;
/** The module by which threads know scenarios. */
const SCENARIO_MODULE = 'src/cli/scenarios';

interface RawOptions extends RaceView {
  readonly export: readonly RaceExport[];
  readonly html?: string;
  readonly format: string;
  readonly expect?: string;
  readonly design?: string;
  readonly param?: string;
  readonly memory: string;
  readonly strategy: string;
  readonly executions?: string;
  readonly seconds?: string;
  readonly first?: string;
  readonly depth: string;
  readonly seed: string;
  readonly workers: string;
  readonly save?: string;
  readonly json?: boolean;
}

/** What was explored, and what came of it. */
interface Exploration {
  readonly scenario: string;
  readonly param: number | null;
  readonly design: string | null;
  readonly memory: 'sc' | 'tso';
  readonly strategy: StrategyName;
  readonly result: CheckResult;
  /** Ended by a signal before the limits were reached or something was found. */
  readonly interrupted: boolean;
  /** Of the finding, if there is one. */
  readonly preemptions: number;
  readonly seconds: number;
}

/** The command. @param exit - takes the exit status. */
export function exploreCommand(exit: (status: number) => void): Command {
  return withHtmlOption(withExportOption(withViewOptions(new Command('explore'))))
    .description('search the schedules of a scenario for one that breaks it')
    .argument('<scenario>', 'name of a scenario, e.g. program/lastzero; see gntrace list')
    .option('--param <n>', 'size of the scenario (default: its usual one)')
    .option('--design <name>', 'design of grant mapping, where the scenario has designs')
    .option('--memory <model>', `memory model: ${MEMORIES.join(', ')}`, 'sc')
    .option('--strategy <name>', `how to choose schedules: ${strategyNames.join(', ')}`, 'pct')
    .option(
      '--executions <n>',
      `stop after so many (default: ${USUAL_EXECUTIONS}, or all if the strategy exhausts)`,
    )
    .option('--seconds <s>', 'stop after this time')
    .option('--first <n>', `number of the first execution, of ${SPREADABLE.join(', ')}`)
    .option('--depth <d>', 'bug depth of pct, budget of the bounded searches', '3')
    .option('--seed <n>', 'seed of random strategies', '1')
    .option('--workers <n>', `threads, for ${SEVERAL.join(', ')}`, '1')
    .option(...SAVE_OPTION)
    .option('--format <form>', `how to print a finding: ${FORMAT_NAMES.join(', ')}`, 'text')
    .option('--expect <invariant>', 'exit with 0 if and only if this breaks: I8, deadlock, …')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 safe and exhausted, 1 a finding, 2 wrong use, 3 tool failed, ' +
        '125 undecided,\n130 interrupted (what was found until then is ' +
        'printed). With --expect: 0 the invariant broke, 1 it did not.',
    )
    .action(async (name: string, raw: RawOptions) => {
      oneOf(raw.format, FORMAT_NAMES, 'form');
      const exploration = await explore(findScenario(name), raw);
      if (raw.json === true) print(JSON.stringify(jsonOf(exploration, raw.save)));
      const found = recordFor(exploration, raw);
      if (raw.json !== true) tell(exploration, found?.race ?? null, raw);
      if (found === null) exportNothing(exploration, raw);
      else exportFound(found, raw);
      exit(statusOf(exploration, raw.expect));
    });
}

async function explore(scenario: Scenario, raw: RawOptions): Promise<Exploration> {
  const memory = oneOf(raw.memory, MEMORIES, 'memory model') as 'sc' | 'tso';
  const strategy = oneOf(raw.strategy, strategyNames, 'strategy') as StrategyName;
  const limits = readLimits(strategy, raw);
  const seed = wholeNumber(raw.seed, '--seed', 0);
  const depth = wholeNumber(raw.depth, '--depth', 1);
  const workers = readWorkers(strategy, raw.workers);
  const design = readDesign(scenario, raw.design);
  const param = readParam(scenario, raw.param);
  const from = performance.now();
  const subject = { scenario: scenario.name, design: design ?? '', param: param ?? 0 };
  const prepared = scenario.prepare(subject);
  const options = { ...prepared, memory, strategy, seed, depth, subject };
  const posed = { ...scenario, prepare: () => prepared };
  const together = SPREADABLE.includes(strategy) || workers > 1;
  const { result, interrupted } = together
    ? await exploreTogether({ ...subject, memory, strategy, seed, depth }, limits, workers, posed)
    : { result: check({ ...options, ...limits }), interrupted: false };
  const { finding } = result;
  return {
    scenario: scenario.name,
    param,
    design,
    memory,
    strategy,
    result,
    interrupted,
    preemptions: finding === undefined ? 0 : replay(options, finding).preemptions,
    seconds: (performance.now() - from) / 1000,
  };
}

/** @param posed - the scenario as it is prepared in this thread. */
async function exploreTogether(
  question: Question,
  limits: Limits,
  workers: number,
  posed: Scenario,
): Promise<Pick<Exploration, 'result' | 'interrupted'>> {
  const { signal, forget } = interruptSignal();
  const runner: Runner =
    workers === 1 ? new ThisThread(() => posed) : new ExplorationPool(workers, SCENARIO_MODULE);
  try {
    const run = SPREADABLE.includes(question.strategy) ? spread : shareOut;
    const result = await run(question, { ...limits, signal }, runner);
    return { result, interrupted: signal.aborted };
  } finally {
    await runner.close();
    forget();
  }
}

function readLimits(strategy: StrategyName, raw: RawOptions): Limits {
  const all = EXHAUSTIVE.includes(strategy) || raw.seconds !== undefined;
  const usual = all ? Number.MAX_SAFE_INTEGER : USUAL_EXECUTIONS;
  const { executions: most, seconds, first } = raw;
  return {
    ...(first !== undefined && { first: readFirst(strategy, first) }),
    executions: most === undefined ? usual : wholeNumber(most, '--executions', 1),
    seconds: seconds === undefined ? Infinity : positiveNumber(seconds, '--seconds', 1e7),
  };
}

function readFirst(strategy: StrategyName, text: string): number {
  if (!SPREADABLE.includes(strategy)) {
    throw new UsageError(`--first is for ${SPREADABLE.join(', ')}; ${strategy} has its own order`);
  }
  const first = wholeNumber(text, '--first', 0);
  if (first % STRETCH === 0) return first;
  throw new UsageError(`--first must be a multiple of ${STRETCH}, not ${text}`);
}

function readWorkers(strategy: StrategyName, text: string): number {
  const workers = wholeNumber(text, '--workers', 1);
  if (workers > MOST_WORKERS) throw new UsageError(`--workers can be at most ${MOST_WORKERS}`);
  if (workers > 1 && !SEVERAL.includes(strategy)) {
    throw new UsageError(`--workers spreads ${SEVERAL.join(', ')}; ${strategy} goes on one thread`);
  }
  return workers;
}

function readDesign(scenario: Scenario, text: string | undefined): string | null {
  if (scenario.designs.length > 0) {
    if (text === undefined) {
      throw new UsageError(`${scenario.name} needs --design: ${scenario.designs.join(', ')}`);
    }
    return oneOf(text, scenario.designs, 'design');
  }
  if (text !== undefined) throw new UsageError(`${scenario.name} has no designs`);
  return null;
}

function readParam({ name, param }: Scenario, text: string | undefined): number | null {
  if (param === undefined) {
    if (text !== undefined) throw new UsageError(`${name} has no parameter`);
    return null;
  }
  return text === undefined ? param.usual : wholeNumber(text, '--param', param.least);
}

/** What was found, and its program. */
interface Found {
  readonly seeded: Seeded;
  readonly race: RaceRecord;
}

/** The finding as a record, if there is one and somebody wants it. */
function recordFor({ result, seconds }: Exploration, raw: RawOptions): Found | null {
  const { finding, executions } = result;
  if (finding === undefined) return null;
  if (raw.json === true && raw.export.length === 0 && raw.html === undefined) return null;
  const seeded = seededProgram(finding.seed);
  const file = raw.json === true ? undefined : pasteable(finding.seed, raw.save);
  return { seeded, race: recordOf(seeded, file, { executions, seconds }) };
}

function exportFound({ seeded, race }: Found, raw: RawOptions): void {
  const quiet = raw.json === true || raw.format !== 'text';
  exportRace(race, raw.export, quiet);
  if (raw.html !== undefined) writePage(raw.html, racePageOf(seeded, race), quiet);
}

/** That nothing was found is worth a file only in JUnit. */
function exportNothing(exploration: Exploration, raw: RawOptions): void {
  const { scenario, design, memory, strategy, result, seconds } = exploration;
  const { verdict, executions } = result;
  if (verdict === 'broken') return;
  const one = { scenario, design: design ?? '', memory, strategy, verdict, seconds, executions };
  for (const { format, file } of raw.export) {
    if (format === 'junit') writeText(file, junitXml([one]));
  }
}

function statusOf(
  { result: { verdict, finding }, interrupted }: Exploration,
  expected: string | undefined,
): number {
  if (expected !== undefined && !interrupted) {
    return finding?.invariant === expected ? EXIT_CLEAN : EXIT_FINDING;
  }
  if (verdict === 'broken') return EXIT_FINDING;
  if (interrupted) return EXIT_INTERRUPTED;
  return verdict === 'safe' ? EXIT_CLEAN : EXIT_UNDECIDED;
}

function jsonOf(exploration: Exploration, save: string | undefined): object {
  const { result, interrupted, preemptions, seconds, ...asked } = exploration;
  const { verdict, exhausted, executions, blocked, discarded, steps, finding } = result;
  return {
    ...asked,
    verdict,
    exhausted,
    executions,
    blocked,
    discarded,
    steps,
    seconds,
    ...(interrupted ? { interrupted } : {}),
    ...(finding === undefined
      ? {}
      : {
          finding: {
            invariant: finding.invariant,
            message: finding.message,
            words: finding.words,
            seed: finding.seed,
            preemptions,
            ...(save === undefined ? {} : { file: pasteable(finding.seed, save) }),
          },
        }),
  };
}

/** Prints what came of it. @param race - of the finding. */
function tell(exploration: Exploration, race: RaceRecord | null, raw: RawOptions): void {
  if (race !== null && raw.format !== 'text') {
    process.stdout.write(exported(race, raw.format));
    return;
  }
  describe(exploration);
  if (race === null) return;
  print('');
  printFinding(race, raw, false);
  annotate([race]);
}

function describe({ result, interrupted, seconds, ...asked }: Exploration): void {
  const size = asked.param === null ? '' : ` (${asked.param})`;
  const design = asked.design === null ? '' : `, ${asked.design}`;
  const how = `${asked.strategy}, ${asked.memory}${design}`;
  const mark = { safe: green('safe'), broken: red('broken'), undecided: 'undecided' };
  print(`${bold(asked.scenario + size)}  ${mark[result.verdict]}  [${how}]`);
  const covered = result.exhausted ? ', every schedule covered' : '';
  const extra = [
    ...(result.blocked > 0 ? [`${short(result.blocked)} blocked`] : []),
    ...(result.discarded > 0 ? [`${short(result.discarded)} given up by an assumption`] : []),
  ];
  print(
    `  ${[`${short(result.executions)} executions`, ...extra].join(', ')}${covered}; ` +
      `${short(result.steps)} steps in ${seconds.toFixed(2)} s` +
      (interrupted ? ', interrupted' : ''),
  );
}
