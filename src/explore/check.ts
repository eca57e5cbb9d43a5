/**
 * `check`: runs a program under a strategy and a memory model until it breaks, until nothing is
 * left to explore, or until the budget is spent.
 */
import type { Machine } from '../shared/layout.ts';
import type { Observer } from '../shared/observer.ts';
import type { Actor } from './actor.ts';
import type { Complaint, Finding } from './finding.ts';
import { complaintOf } from './finding.ts';
import type { FiberProgram, MemoryName } from './fibers.ts';
import {
  BROKEN,
  DEADLOCK,
  DISCARDED,
  Fibers,
  LIVELOCK,
  REDUNDANT,
  RUNNING,
  TRUNCATED,
} from './fibers.ts';
import { makeStrategy } from './strategies/index.ts';
import type { StrategyName } from './strategies/index.ts';
import { formatSeed } from './seed.ts';
import type { Strategy } from './strategy.ts';

export type { Actor } from './actor.ts';
export type { Complaint, Finding } from './finding.ts';

/** What to check, and how. */
export interface CheckOptions {
  /** The attached machine. Its words as they are now are the start of every execution. */
  readonly machine: Machine;
  /** Runs before every execution, after the words went back: resets what lies outside them. */
  readonly setup?: () => void;
  readonly actors: readonly Actor[];
  /**
   * Asked after every step that wrote or that the observer was told of. @returns `name: message`,
   * or a complaint, or null if all is well.
   */
  readonly invariant?: () => string | Complaint | null;
  /** Asked at the end of every complete execution. */
  readonly final?: () => string | Complaint | null;
  /** Told of accesses to watched tables, of tracepoints and of failed kernel assertions. */
  readonly observer?: Observer;
  readonly strategy?: StrategyName;
  readonly memory?: MemoryName;
  /** Most executions to run. */
  readonly executions?: number;
  readonly seed?: number;
  /** Most time to spend; looked at between executions. */
  readonly seconds?: number;
  /** Asked before every execution with its number in this run; false: the budget is spent. */
  readonly goOn?: (run: number) => boolean;
  /** Parameters of strategies: see strategies/index.ts. */
  readonly depth?: number;
  readonly switches?: number;
  readonly quantum?: number;
  readonly first?: number;
  /** What a seed says of the program, so that others can make it again. */
  readonly subject?: {
    readonly scenario?: string;
    readonly design?: string;
    readonly param?: number;
    /** Actors that are left out (leave-out.ts). */
    readonly without?: readonly number[];
  };
  /** false: an execution in which actors wait for ever is as good as one that ends. */
  readonly deadlocks?: boolean;
  /** Most steps of one execution; more is a livelock. */
  readonly maxSteps?: number;
}

export interface CheckResult {
  readonly verdict: 'safe' | 'broken' | 'undecided';
  /** Every schedule was covered, up to equivalence. */
  readonly exhausted: boolean;
  /** Complete executions. */
  readonly executions: number;
  /** Executions that were given up because an equivalent one had been explored. */
  readonly blocked: number;
  /** Executions in which an assumption did not hold. */
  readonly discarded: number;
  readonly steps: number;
  readonly finding?: Finding;
}

/** What fibers take of the options. */
export function fiberProgram(options: CheckOptions): FiberProgram {
  const { invariant, machine, observer } = options;
  return {
    actors: options.actors,
    memory: options.memory ?? 'sc',
    observer: observer ?? null,
    watchedFrom: observer === undefined ? 0x7fffffff : machine.watchedFrom,
    maxSteps: options.maxSteps ?? 100_000,
    setup: options.setup ?? null,
    invariant: invariant === undefined ? null : () => complaintOf(invariant()),
  };
}

/** Fibers of a program under a strategy of one's own. */
export function fibersFor(options: CheckOptions, strategy: Strategy): Fibers {
  return new Fibers(fiberProgram(options), strategy);
}

/** Explores a program. Afterwards the words are as they were before. */
export function check(options: CheckOptions): CheckResult {
  const strategy = strategyFor(options);
  return explore(options, fibersFor(options, strategy));
}

/** The strategy that the options ask for. */
export function strategyFor(options: CheckOptions): Strategy {
  const { strategy = 'random', seed = 1, depth, switches, quantum, first } = options;
  return makeStrategy(strategy, {
    seed,
    ...(depth !== undefined && { depth }),
    ...(switches !== undefined && { switches }),
    ...(quantum !== undefined && { quantum }),
    ...(first !== undefined && { first }),
  });
}

/** Runs executions until one breaks, nothing is left, or the budget is spent. */
export function explore(options: CheckOptions, fibers: Fibers): CheckResult {
  let finding: Finding | undefined;
  const swept = sweep(options, fibers, (complaint) => {
    finding = findingOf(options, fibers, complaint);
    return false;
  });
  if (finding !== undefined) return { ...swept, verdict: 'broken', finding };
  return { ...swept, verdict: swept.exhausted ? 'safe' : 'undecided' };
}

/** What some executions came to, whatever broke in them. */
export type Swept = Omit<CheckResult, 'verdict' | 'finding'>;

/**
 * Runs executions until nothing is left or the budget is spent, past those that break.
 * @param onBroken - told of each that breaks, while its schedule is still there, and of its number
 *   in this run. @returns false to end here.
 */
export function sweep(
  options: CheckOptions,
  fibers: Fibers,
  onBroken: (complaint: Complaint, run: number) => boolean,
): Swept {
  const { executions: limit = 1000, seconds = Infinity } = options;
  const deadline = performance.now() + seconds * 1000;
  const tally = { executions: 0, blocked: 0, discarded: 0, steps: 0 };
  let partial = false;
  let outcome = RUNNING;
  for (let runs = 0; runs < limit; runs++) {
    if (seconds !== Infinity && performance.now() > deadline) break;
    if (options.goOn?.(runs) === false) break;
    outcome = fibers.run();
    if (outcome === RUNNING) break;
    tally.steps += fibers.steps;
    if (outcome === REDUNDANT) tally.blocked++;
    else if (outcome === DISCARDED) tally.discarded++;
    else tally.executions++;
    partial ||= outcome === TRUNCATED;
    const complaint = complaintAtEnd(fibers, options);
    if (complaint === null) continue;
    partial = true;
    if (!onBroken(complaint, runs)) break;
  }
  fibers.rewind();
  const exhausted = outcome === RUNNING && fibers.strategy.exhaustive && !partial;
  return { ...tally, exhausted };
}

/** The finding of the execution that fibers have just run. */
export function findingOf(options: CheckOptions, fibers: Fibers, complaint: Complaint): Finding {
  const schedule = [...fibers.schedule.subarray(0, fibers.steps)];
  const choices = [...fibers.choices];
  const { subject = {} } = options;
  const seed = formatSeed({
    scenario: subject.scenario ?? 'check',
    design: subject.design ?? '',
    param: subject.param ?? 0,
    memory: options.memory ?? 'sc',
    workload: options.seed ?? 1,
    strategy: options.strategy ?? 'random',
    schedule,
    choices,
    ...(subject.without !== undefined && { without: subject.without }),
  });
  return { ...complaint, seed, schedule, choices };
}

/** What was wrong with the execution that fibers have just run, if anything. */
export function complaintAtEnd(fibers: Fibers, options: CheckOptions): Complaint | null {
  switch (fibers.outcome) {
    case BROKEN:
      return fibers.complaint;
    case DEADLOCK:
      if (options.deadlocks === false) return complaintOf(options.final?.() ?? null);
      return {
        invariant: 'deadlock',
        message: `nobody can go on: ${waiting(fibers)}`,
        words: [],
      };
    case LIVELOCK:
      return {
        invariant: 'livelock',
        message: `no end after ${fibers.steps} steps`,
        words: [],
      };
    case REDUNDANT:
    case DISCARDED:
      return null;
    default:
      return complaintOf(options.final?.() ?? null);
  }
}

function waiting(fibers: Fibers): string {
  return fibers.program.actors
    .map((actor, i) => ({ actor, i }))
    .filter(({ actor, i }) => actor.daemon !== true && !fibers.isDone(i))
    .map(({ actor, i }) => `${actor.name} waits at word ${fibers.pending.word[i]}`)
    .join(', ');
}
