/**
 * Decides a cell within a time: optimal DPOR first, which proves; where it does not come to its
 * end, PCT and POS with the rest of the time, which find. A finding is shrunk.
 */
import { check } from '../../explore/check.ts';
import type { CheckOptions, CheckResult } from '../../explore/check.ts';
import { replay } from '../../explore/replay.ts';
import type { Scenario } from '../../explore/scenario.ts';
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
const PLAN: readonly (readonly [StrategyName, number])[] = [
  ['optimal', 0.7],
  ['pct', 0.15],
  ['pos', 0.15],
];
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** @param scenario - that of the cell's race. */
export function decide(scenario: Scenario, { cell, seconds, seed }: Attempt): Cell {
  const subject = { scenario: scenario.name, design: cell.design, param: 0 };
  const prepared = scenario.prepare(subject);
  const from = performance.now();
  let executions = 0;
  let strategy: StrategyName = 'optimal';
  for (const [name, share] of PLAN) {
    strategy = name;
    const options: CheckOptions = {
      ...prepared,
      memory: cell.memory,
      strategy,
      seed,
      subject,
      seconds: seconds * share,
      executions: NO_LIMIT,
    };
    const result = check(options);
    executions += result.executions;
    const spent = (performance.now() - from) / 1000;
    if (result.verdict !== 'undecided') {
      return { ...cell, ...outcomeOf(options, result), executions, strategy, seconds: spent };
    }
  }
  const spent = (performance.now() - from) / 1000;
  return { ...cell, verdict: 'undecided', exhausted: false, executions, strategy, seconds: spent };
}

function outcomeOf(
  options: CheckOptions,
  { verdict, exhausted, finding }: CheckResult,
): Pick<Cell, 'verdict' | 'exhausted' | 'seed' | 'preemptions' | 'invariant' | 'message'> {
  if (finding === undefined) return { verdict, exhausted };
  const { invariant, message, seed } = finding;
  const { preemptions } = replay(options, finding);
  return { verdict, exhausted, invariant, message, seed, preemptions };
}
