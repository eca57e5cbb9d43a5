/**
 * Decides a cell within a time: optimal DPOR first, which proves; where it does not come to its
 * end, all schedules with one preemption, with two, and so on, as far as the time goes; then PCT
 * and POS with the rest, which find. A finding is made smaller for some seconds.
 */
import { check } from '../../explore/check.ts';
import type { CheckOptions, CheckResult } from '../../explore/check.ts';
import type { Scenario } from '../../explore/scenario.ts';
import { formatSeed, parseSeed } from '../../explore/seed.ts';
import { shrink } from '../../explore/shrink.ts';
import type { StrategyName } from '../../explore/strategies/index.ts';
import type { Cell, CellName } from './cell.ts';

/** What to decide, and how long that may take. */
export interface Attempt {
  readonly cell: CellName;
  readonly seconds: number;
  /** Seed of the strategies that draw: another one at every attempt. */
  readonly seed: number;
}

/** Shares of the time. */
const PROOF = 0.6;
const BOUNDED = 0.2;
const DRAWN = 0.1;
/** Seconds for making a finding smaller. */
const SHRINKING = 3;
/** Share of the time for searching once more what was proved. */
const CROSS = 0.05;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** @param scenario - that of the cell's race. */
export function decide(scenario: Scenario, { cell, seconds, seed }: Attempt): Cell {
  const subject = { scenario: scenario.name, design: cell.design, param: 0 };
  const base = { ...scenario.prepare(subject), memory: cell.memory, seed, subject };
  const from = performance.now();
  const tally = { executions: 0, strategy: 'optimal' as StrategyName };
  /** @returns the decided cell; undefined if it is as open as before. */
  const attempt = (strategy: StrategyName, share: number, depth = 3): Cell | undefined => {
    const limits = { seconds: seconds * share, executions: NO_LIMIT, depth };
    const options: CheckOptions = { ...base, ...limits, strategy };
    const result = check(options);
    tally.executions += result.executions;
    tally.strategy = strategy;
    if (result.verdict === 'undecided') return undefined;
    return { ...cell, ...outcomeOf(options, result), ...tally, seconds: secondsSince(from) };
  };
  let decided = attempt('optimal', PROOF);
  // What the oracle compares beyond a step's own words is judged in one order of a class only.
  if (decided?.verdict === 'safe') {
    decided = attempt('pct', CROSS) ?? attempt('pos', CROSS) ?? decided;
  }
  let bound = 0;
  const boundedEnd = performance.now() + seconds * BOUNDED * 1000;
  for (let depth = 1; decided === undefined; depth++) {
    const left = (boundedEnd - performance.now()) / 1000;
    if (left <= 0) break;
    decided = attempt('preemption-bounded', left / seconds, depth);
    if (performance.now() < boundedEnd) bound = depth;
  }
  decided ??= attempt('pct', DRAWN) ?? attempt('pos', DRAWN);
  if (decided !== undefined) return decided;
  const open = { verdict: 'undecided', exhausted: false, bound } as const;
  return { ...cell, ...open, ...tally, seconds: secondsSince(from) };
}

function secondsSince(from: number): number {
  return (performance.now() - from) / 1000;
}

function outcomeOf(
  options: CheckOptions,
  { verdict, exhausted, finding }: CheckResult,
): Pick<Cell, 'verdict' | 'exhausted' | 'seed' | 'preemptions' | 'invariant' | 'message'> {
  if (finding === undefined) return { verdict, exhausted };
  const shrunk = shrink({ options }, finding, () => {}, { seconds: SHRINKING });
  const { preemptions, without } = shrunk;
  const { invariant, message, schedule, choices } = shrunk.finding;
  const seed = formatSeed({ ...parseSeed(finding.seed), schedule, choices, without });
  return { verdict, exhausted, invariant, message, seed, preemptions };
}
