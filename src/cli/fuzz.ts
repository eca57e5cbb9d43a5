/** `gntrace fuzz`: programs from chance under schedules from a strategy. */
import { Command } from 'commander';
import type { FuzzFinding, FuzzOptions, FuzzProgress, FuzzResult } from '../campaign/fuzz/fuzz.ts';
import { fuzz } from '../campaign/fuzz/fuzz.ts';
import { describeProgram, encodeProgram } from '../corpus/fuzz/codec.ts';
import { MOST_ACTORS, MOST_STEPS } from '../corpus/fuzz/grammar.ts';
import { FUZZ_DESIGNS, FUZZ_PREFIX } from '../corpus/fuzz/posed.ts';
import type { StrategyName } from '../explore/strategies/index.ts';
import { LiveLine, bold, green, print, red, short } from './output.ts';
import { findingRecord, printFinding } from './race-text.ts';
import { pasteable } from './saved.ts';
import { EXIT_CLEAN, EXIT_FINDING, oneOf, positiveNumber, wholeNumber } from './usage.ts';

const MEMORIES = ['sc', 'tso'] as const;
/** Strategies that draw schedules from chance: exhaustive ones would stay with one program. */
const STRATEGIES: readonly StrategyName[] = ['random', 'pct', 'pos', 'surw', 'round-robin'];
const USUAL_SECONDS = 30;
/** Seeds of workloads are 32 bits. */
const SEED_LIMIT = 2 ** 32;

interface RawOptions {
  readonly design: string;
  readonly memory: string;
  readonly strategy: string;
  readonly seconds?: string;
  readonly executions?: string;
  readonly actors: string;
  readonly steps: string;
  readonly seed: string;
  readonly ascii?: boolean;
  readonly json?: boolean;
}

/** The command. @param exit - takes the exit status. */
export function fuzzCommand(exit: (status: number) => void): Command {
  return new Command('fuzz')
    .description('try programs from chance against one design, and shrink what breaks')
    .requiredOption('--design <name>', `design of grant mapping: ${FUZZ_DESIGNS.join(', ')}`)
    .option('--memory <model>', `memory model: ${MEMORIES.join(', ')}`, 'sc')
    .option('--strategy <name>', `how to choose schedules: ${STRATEGIES.join(', ')}`, 'pct')
    .option(
      '--seconds <s>',
      `stop after this time (default: ${USUAL_SECONDS}, if nothing is given)`,
    )
    .option('--executions <n>', 'stop after so many, those of shrinking apart')
    .option('--actors <n>', 'threads of a new program at most', '3')
    .option('--steps <n>', 'steps of a thread of a new program at most', '4')
    .option('--seed <n>', 'seed of programs and schedules', '1')
    .option('--ascii', 'show nothing beyond ASCII')
    .option('--json', 'print one JSON object instead of text')
    .addHelpText(
      'after',
      '\nExit status: 0 nothing found, 1 a finding, 2 wrong use, 3 tool failed.',
    )
    .action((raw: RawOptions) => {
      const options = readOptions(raw);
      const json = raw.json === true;
      const result = run(options, json);
      if (json) print(JSON.stringify(jsonOf(options, result)));
      else describe(options, result, raw.ascii === true);
      exit(result.list.length > 0 ? EXIT_FINDING : EXIT_CLEAN);
    });
}

function readOptions(raw: RawOptions): FuzzOptions {
  const { executions, seconds } = raw;
  return {
    design: oneOf(raw.design, FUZZ_DESIGNS, 'design'),
    memory: oneOf(raw.memory, MEMORIES, 'memory model') as 'sc' | 'tso',
    strategy: oneOf(raw.strategy, STRATEGIES, 'strategy') as StrategyName,
    executions: executions === undefined ? Infinity : wholeNumber(executions, '--executions', 1),
    seconds: readSeconds(seconds, executions !== undefined),
    size: {
      actors: Math.min(wholeNumber(raw.actors, '--actors', 1), MOST_ACTORS),
      steps: Math.min(wholeNumber(raw.steps, '--steps', 1), MOST_STEPS),
    },
    seed: wholeNumber(raw.seed, '--seed', 0) % SEED_LIMIT,
  };
}

function readSeconds(text: string | undefined, limited: boolean): number {
  if (text !== undefined) return positiveNumber(text, '--seconds', 1e7);
  return limited ? Infinity : USUAL_SECONDS;
}

function run(options: FuzzOptions, quiet: boolean): FuzzResult {
  const live = new LiveLine();
  try {
    return fuzz({
      ...options,
      onFinding(finding) {
        live.clear();
        if (!quiet) describeFinding(options, finding);
      },
      onProgress(progress) {
        live.show(progressText(progress));
        return false;
      },
    });
  } finally {
    live.clear();
  }
}

function progressText({ programs, executions, pairs, corpus, findings }: FuzzProgress): string {
  return (
    `${short(programs)} programs, ${short(executions)} executions, ${short(pairs)} pairs, ` +
    `corpus ${corpus}, findings ${findings}`
  );
}

/** The command that explores the program of a finding. */
function exploreLine({ design, memory, strategy }: FuzzOptions, { program }: FuzzFinding): string {
  const how = `--design ${design} --memory ${memory} --strategy ${strategy}`;
  return `gntrace explore ${FUZZ_PREFIX}${encodeProgram(program)} ${how}`;
}

function describeFinding(options: FuzzOptions, finding: FuzzFinding): void {
  const { message, words, places, program, seed, minimal } = finding;
  print(`${red(finding.invariant)}  ${bold(places.join(' | '))}`);
  print(`  ${message}`);
  if (words.length > 0) print(`  words    ${words.join(', ')}`);
  for (const line of describeProgram(program)) print(`  ${line}`);
  if (!minimal) print('  the program may be smaller still: the budget of shrinking was spent');
  print(`  explore  ${exploreLine(options, finding)}`);
  print(`  replay   gntrace replay ${pasteable(seed)}`);
}

function describe(
  { design, memory, strategy }: FuzzOptions,
  result: FuzzResult,
  ascii: boolean,
): void {
  const { list } = result;
  const verdict = list.length === 0 ? green('nothing found') : red(`${list.length} findings`);
  print(`${bold(`fuzz ${design}`)}  ${verdict}  [${strategy}, ${memory}]`);
  print(`  ${progressText(result)}, ${short(result.steps)} steps`);
  for (const { key, times } of list) print(`  ${String(times).padStart(5)} times  ${key}`);
  for (const { seed } of list) {
    print('');
    printFinding(findingRecord(seed, undefined, null), { ascii }, true);
  }
}

function jsonOf(options: FuzzOptions, result: FuzzResult): object {
  const { design, memory, strategy, seed } = options;
  const { list, ...tally } = result;
  return {
    design,
    memory,
    strategy,
    seed,
    verdict: list.length > 0 ? 'broken' : 'undecided',
    ...tally,
    findings: list.map((finding) => ({
      key: finding.key,
      invariant: finding.invariant,
      message: finding.message,
      words: finding.words,
      places: finding.places,
      program: FUZZ_PREFIX + encodeProgram(finding.program),
      minimal: finding.minimal,
      times: finding.times,
      execution: finding.execution,
      explore: exploreLine(options, finding),
      seed: finding.seed,
    })),
  };
}
