/**
 * Runs one fuzzed program under some schedules, until one breaks, and says how it broke.
 */
import type { CheckOptions } from '../../explore/check.ts';
import { complaintAtEnd, fibersFor, strategyFor } from '../../explore/check.ts';
import type { MemoryName } from '../../explore/fibers.ts';
import type { Fibers } from '../../explore/fibers.ts';
import { LIVELOCK, RUNNING } from '../../explore/fibers.ts';
import type { Complaint } from '../../explore/finding.ts';
import { formatSeed } from '../../explore/seed.ts';
import type { StrategyName } from '../../explore/strategies/index.ts';
import { FUZZ_NOP } from '../../corpus/fuzz/opcodes.ts';
import { FuzzActor } from '../../corpus/fuzz/tables.ts';
import { peek } from '../../oracle/shadow-words.ts';
import type { Machine } from '../../shared/layout.ts';
import { wordName } from '../../shared/layout.ts';
import { encodeProgram } from '../../corpus/fuzz/codec.ts';
import type { PairCoverage } from '../coverage.ts';
import { Covered, stepPlace } from '../coverage.ts';
import type { FuzzProgram } from '../../corpus/fuzz/grammar.ts';
import { operationOf } from '../../corpus/fuzz/grammar.ts';
import { FUZZ_PREFIX } from '../../corpus/fuzz/posed.ts';
import { prepareFuzz } from './scenario.ts';

/** Under what a program runs. */
export interface RunOptions {
  readonly design: string;
  readonly memory: MemoryName;
  readonly strategy: StrategyName;
  /** Seed of the schedules. */
  readonly seed: number;
  /** Schedules, while they show nothing new. */
  readonly executions: number;
  /** Schedules at most. */
  readonly most?: number;
}

/** A way in which a program broke. */
export interface Breakage extends Complaint {
  /** What makes two breakages the same: invariant, words without indices, code places. */
  readonly key: string;
  /** What was under way: the step that broke it first, then those of other threads. */
  readonly places: readonly string[];
  readonly program: FuzzProgram;
  readonly seed: string;
  readonly schedule: readonly number[];
  readonly choices: readonly number[];
}

export interface ProgramRun {
  readonly executions: number;
  readonly steps: number;
  readonly breakage: Breakage | null;
}

/** While a batch of schedules shows new pairs, another follows, so often at most. */
const MORE_BATCHES = 6;

/** The name of a word without the indices that differ from run to run. */
export function wordPattern(name: string): string {
  return name.replace(/\[[^\]]*\]/g, '[]').replace(/\bd\d+(v\d+)?\b/g, 'd');
}

/** Invariants whose complaints differ by what they say and not by words. */
const TOLD_BY_MESSAGE: readonly string[] = ['kernel', 'exception'];

/** Invariant and words: what must stay the same while a program shrinks. */
export function coarseKey({ invariant, words, message }: Complaint): string {
  if (TOLD_BY_MESSAGE.includes(invariant)) return message.replace(/ \(.*$/, '');
  return `${invariant} ${words.map(wordPattern).join(' ')}`.trim();
}

/** Runs a program. @param coverage - learns what its schedules show. */
export function runProgram(
  program: FuzzProgram,
  options: RunOptions,
  coverage: PairCoverage,
): ProgramRun {
  const check = checkOptions(program, options);
  const place = stepPlace(program.threads.length);
  const covered = new Covered(strategyFor(check), coverage, check.machine, place);
  const fibers = fibersFor(check, covered);
  let executions = 0;
  let steps = 0;
  let limit = options.executions;
  let pairs = coverage.count;
  const most = Math.min(options.most ?? Infinity, options.executions * MORE_BATCHES);
  while (executions < limit && fibers.run() !== RUNNING) {
    executions++;
    steps += fibers.steps;
    const complaint = complaintAtEnd(fibers, check);
    if (complaint !== null && !isUnfair(fibers)) {
      const breakage = breakageOf(program, options, check, fibers, complaint);
      fibers.rewind();
      return { executions, steps, breakage };
    }
    if (executions === limit && coverage.count > pairs && limit < most) {
      pairs = coverage.count;
      limit = Math.min(most, limit + options.executions);
    }
  }
  fibers.rewind();
  return { executions, steps, breakage: null };
}

/** A program, its machine and how it is explored. */
export function checkOptions(program: FuzzProgram, options: RunOptions): CheckOptions {
  const { design, memory, strategy, seed } = options;
  return {
    ...prepareFuzz(program, design),
    memory,
    strategy,
    seed,
    subject: { scenario: FUZZ_PREFIX + encodeProgram(program), design },
  };
}

function breakageOf(
  program: FuzzProgram,
  { design, memory, strategy, seed }: RunOptions,
  check: CheckOptions,
  fibers: Fibers,
  complaint: Complaint,
): Breakage {
  const { machine } = check;
  const stuck = complaint.invariant === 'deadlock' || complaint.invariant === 'livelock';
  const words = stuck ? awaitedWords(machine, fibers) : complaint.words;
  const places = placesOf(program, fibers, stuck);
  const schedule = [...fibers.schedule.subarray(0, fibers.steps)];
  const choices = [...fibers.choices];
  const scenario = FUZZ_PREFIX + encodeProgram(program);
  return {
    ...complaint,
    words,
    places,
    key: `${coarseKey({ ...complaint, words })} @ ${places.join(' | ')}`,
    program,
    schedule,
    choices,
    seed: formatSeed({
      scenario,
      design,
      param: 0,
      memory,
      workload: seed,
      strategy,
      schedule,
      choices,
    }),
  };
}

/**
 * Did an endless execution come from the strategy alone? A thread that could go on did not get its
 * turn for half of it, while the kernel threads tried again and again what only it can bring about.
 */
function isUnfair(fibers: Fibers): boolean {
  if (fibers.outcome !== LIVELOCK) return false;
  const { steps, schedule, program } = fibers;
  const moved = new Set(schedule.subarray(steps >> 1, steps));
  return program.actors.some(
    ({ daemon }, i) => daemon !== true && !moved.has(i) && !fibers.isDone(i) && fibers.isEnabled(i),
  );
}

/** The words that those who cannot go on wait for, each once. */
function awaitedWords(machine: Machine, fibers: Fibers): string[] {
  const { actors } = fibers.program;
  const names = actors
    .map((_, i) => i)
    .filter((i) => actors[i]?.daemon !== true && !fibers.isDone(i))
    .map((i) => wordName(machine, fibers.pending.word[i] as number));
  return [...new Set(names)].sort();
}

/** The step that broke it, then the other threads' steps under way, each once. */
function placesOf({ threads }: FuzzProgram, fibers: Fibers, stuck: boolean): string[] {
  const stepOf = (i: number): string => {
    if (i >= threads.length) return (fibers.program.actors[i]?.name ?? '').replace(/^\S+ /, '');
    const op = peek(FuzzActor.op.at(i + 1));
    return op === FUZZ_NOP ? '' : operationOf(op).name;
  };
  const others = threads
    .map((_, i) => i)
    .filter((i) => (stuck || i !== fibers.actor) && !fibers.isDone(i))
    .map(stepOf)
    .filter((name) => name !== '');
  const first = stuck ? [] : [stepOf(fibers.actor) || 'end'];
  return [...first, ...[...new Set(others)].sort()];
}
