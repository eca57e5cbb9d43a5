/**
 * What is shown of a race of the past: that it is there before its fix, found from scratch by
 * several strategies, with a seed that replays; and that it is gone after it, by proof where the
 * schedules can be covered, else by many executions.
 */
import { check } from '../../explore/check.ts';
import type { CheckOptions } from '../../explore/check.ts';
import { leaveOut } from '../../explore/leave-out.ts';
import { replay } from '../../explore/replay.ts';
import type { Scenario } from '../../explore/scenario.ts';
import { formatSeed } from '../../explore/seed.ts';
import { shrink } from '../../explore/shrink.ts';
import type { StrategyName } from '../../explore/strategies/index.ts';

type Memory = 'sc' | 'tso';

/** Strategies that search for the race before its fix, until ENOUGH of them have found it. */
export const SEARCHES: readonly StrategyName[] = ['pct', 'optimal', 'pos', 'random', 'dpor'];
const ENOUGH = 2;
/** A search may take so many executions, and so long. */
export const SEARCH_EXECUTIONS = 100_000;
export const SEARCH_SECONDS = 60;
/** A tree larger than this is not covered, but tried so often by PCT and POS together. */
export const MOST_TRACES = 10_000_000;
export const TRIES = 1_000_000;
/** Replays of the shrunk seed, in fibers and on threads. */
export const REPLAYS = 100;

export interface Search {
  readonly strategy: StrategyName;
  readonly found: boolean;
  readonly executions: number;
  readonly seconds: number;
  readonly invariant: string | null;
}

/** The finding with the fewest preemptions, shrunk. */
export interface ShrunkFinding {
  readonly seed: string;
  readonly invariant: string;
  readonly steps: number;
  readonly preemptions: number;
  /** Of REPLAYS in fibers, those that broke the same invariant. */
  readonly replayed: number;
}

export interface Before {
  readonly searches: readonly Search[];
  readonly shrunk: ShrunkFinding | null;
}

export interface After {
  readonly memory: Memory;
  readonly verdict: 'safe' | 'broken' | 'undecided';
  readonly exhausted: boolean;
  readonly executions: number;
  readonly seconds: number;
  readonly seed: string | null;
}

/** Searches from scratch by one strategy after another, shrinks, replays. */
export function showBefore(scenario: Scenario): Before {
  const subject = { scenario: scenario.name, design: 'before', param: 0 };
  const prepared = scenario.prepare(subject);
  let shrunk: ShrunkFinding | null = null;
  const searches: Search[] = [];
  for (const strategy of SEARCHES) {
    const options: CheckOptions = { ...prepared, strategy, subject, memory: 'sc', seed: 1 };
    const from = performance.now();
    const limits = { executions: SEARCH_EXECUTIONS, seconds: SEARCH_SECONDS };
    const { finding, executions } = check({ ...options, ...limits });
    const seconds = (performance.now() - from) / 1000;
    if (finding !== undefined && shrunk === null) shrunk = shrinkFinding(options, finding);
    const invariant = finding?.invariant ?? null;
    searches.push({ strategy, found: finding !== undefined, executions, seconds, invariant });
    if (searches.filter(({ found }) => found).length === ENOUGH) break;
  }
  return { searches, shrunk };
}

function shrinkFinding(
  options: CheckOptions,
  finding: Parameters<typeof shrink>[1],
): ShrunkFinding {
  const { finding: least, preemptions, steps, without } = shrink({ options }, finding);
  const { scenario = '', design = '', param = 0 } = options.subject ?? {};
  const { strategy = 'pct' } = options;
  const { schedule, choices, invariant } = least;
  const workload = 1;
  const seed = formatSeed({
    scenario,
    design,
    param,
    memory: 'sc',
    workload,
    strategy,
    schedule,
    choices,
    without,
  });
  let replayed = 0;
  for (let i = 0; i < REPLAYS; i++) {
    if (replay(leaveOut(options, without), least).complaint?.invariant === invariant) replayed++;
  }
  return { seed, invariant, steps, preemptions, replayed };
}

/** Covers the schedules after the fix, or tries many. @param seconds - for the covering. */
export function showAfter(scenario: Scenario, memory: Memory, seconds: number): After {
  const subject = { scenario: scenario.name, design: 'after', param: 0 };
  const options = { ...scenario.prepare(subject), memory, subject };
  const from = performance.now();
  const covered = check({ ...options, strategy: 'optimal', executions: MOST_TRACES, seconds });
  let { executions, verdict, finding } = covered;
  for (const strategy of ['pct', 'pos'] as const) {
    if (verdict !== 'undecided') break;
    const tried = check({ ...options, strategy, executions: TRIES / 2, seed: 1 });
    executions = strategy === 'pct' ? tried.executions : executions + tried.executions;
    ({ verdict, finding } = tried);
  }
  const { exhausted } = covered;
  const spent = (performance.now() - from) / 1000;
  return { memory, verdict, exhausted, executions, seconds: spent, seed: finding?.seed ?? null };
}
