/**
 * `check`: runs a program under a strategy and a memory model until it breaks, until nothing is
 * left to explore, or until the budget is spent.
 */
import type { Machine } from '../shared/layout.ts';
import type { Observer } from '../shared/observer.ts';
import type { Actor } from './actor.ts';
import type { Complaint, Finding } from './finding.ts';
import { complaintOf } from './finding.ts';
import type { MemoryName } from './fibers.ts';
import { BROKEN, DEADLOCK, DISCARDED, Fibers, LIVELOCK, REDUNDANT, RUNNING } from './fibers.ts';
import { makeStrategy } from './strategies/index.ts';
import type { StrategyName } from './strategies/index.ts';

export type { Actor } from './actor.ts';
export type { Complaint, Finding } from './finding.ts';

/** What to check, and how. */
export interface CheckOptions {
  /** The attached machine. Its words as they are now are the start of every execution. */
  readonly machine: Machine;
  /** Runs before every execution, after the words went back: resets what lies outside them. */
  readonly setup?: () => void;
  readonly actors: readonly Actor[];
  /** Asked after every step that wrote. `name: message`, or a complaint, or null if all is well. */
  readonly invariant?: () => string | Complaint | null;
  /** Asked at the end of every complete execution. */
  readonly final?: () => string | Complaint | null;
  /** Told of accesses to watched tables, of tracepoints and of failed kernel assertions. */
  readonly observer?: Observer;
  readonly strategy?: StrategyName;
  readonly memory?: MemoryName;
  /** Most executions to run. */
  readonly executions?: number;
  /** Most time to spend; looked at between executions. */
  readonly seconds?: number;
  readonly seed?: number;
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

/** Explores a program. Afterwards the words are as they were before. */
export function check(options: CheckOptions): CheckResult {
  const { machine, actors, memory = 'sc', executions: limit = 1000 } = options;
  const { invariant } = options;
  const strategy = makeStrategy(options.strategy ?? 'random', { seed: options.seed ?? 1 });
  const fibers = new Fibers(
    {
      actors,
      memory,
      observer: options.observer ?? null,
      watchedFrom: options.observer === undefined ? 0x7fffffff : machine.watchedFrom,
      maxSteps: options.maxSteps ?? 100_000,
      setup: options.setup ?? null,
      invariant: invariant === undefined ? null : () => complaintOf(invariant()),
    },
    strategy,
  );
  const tally = { executions: 0, blocked: 0, discarded: 0, steps: 0 };
  let complaint: Complaint | null = null;
  let outcome = RUNNING;
  const until = performance.now() + (options.seconds ?? Infinity) * 1000;
  while (tally.executions + tally.blocked + tally.discarded < limit) {
    if (performance.now() > until) break;
    outcome = fibers.run();
    if (outcome === RUNNING) break;
    tally.steps += fibers.steps;
    if (outcome === REDUNDANT) tally.blocked++;
    else if (outcome === DISCARDED) tally.discarded++;
    else tally.executions++;
    complaint = complaintAtEnd(fibers, options);
    if (complaint !== null) break;
  }
  fibers.rewind();
  if (complaint !== null) {
    return {
      ...tally,
      verdict: 'broken',
      exhausted: false,
      finding: {
        ...complaint,
        seed: '',
        schedule: [...fibers.schedule.subarray(0, fibers.steps)],
        choices: [...fibers.choices],
      },
    };
  }
  const exhausted = outcome === RUNNING && strategy.exhaustive;
  return { ...tally, verdict: exhausted ? 'safe' : 'undecided', exhausted };
}

function complaintAtEnd(fibers: Fibers, options: CheckOptions): Complaint | null {
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
