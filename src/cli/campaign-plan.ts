/** The plan of a campaign, from a file or from the command line. */
import { readFileSync } from 'node:fs';
import type { CellName } from '../campaign/cells/cell.ts';
import { CAMPAIGN_STRATEGIES } from '../campaign/cells/cell.ts';
import { expand, planHash } from '../campaign/plan/expand.ts';
import type { Plan } from '../campaign/plan/plan-file.ts';
import { PlanError, checkPlan, parsePlan } from '../campaign/plan/plan-file.ts';
import { scenarios } from './scenarios.ts';
import { UsageError, wholeNumber } from './usage.ts';

export interface RawPlanOptions {
  readonly scenarios?: string;
  readonly designs?: string;
  readonly memory?: string;
  readonly strategies?: string;
  readonly executions?: string;
  readonly seed?: string;
  readonly depth?: string;
  readonly param?: string;
}

export const PLAN_OPTIONS: readonly (readonly [flags: string, what: string])[] = [
  ['--scenarios <globs>', 'names or globs with commas: race/*,program/lastzero; all; fuzz'],
  ['--designs <globs>', 'designs of grant mapping, where scenarios have some (default: all)'],
  ['--memory <models>', 'memory models: sc, tso, all (default: sc)'],
  ['--strategies <names>', `${CAMPAIGN_STRATEGIES.join(', ')}, all (default: pct)`],
  ['--executions <n>', 'bound of each cell (default: 10000, or none for what ends, or with --for)'],
  ['--seed <n>', 'seed of strategies that draw (default: 1)'],
  ['--depth <d>', 'bug depth of pct (default: 3)'],
  ['--param <n>', 'size of scenarios that have one (default: their usual one)'],
];

/** The plan that a command line asks for. */
export function planOf(file: string | undefined, raw: RawPlanOptions): Plan {
  return asUsage(() => (file === undefined ? planOfOptions(raw) : planOfFile(file, raw)));
}

/** The cells of a plan, and what they are called together. */
export function planCells(plan: Plan, timed: boolean): { cells: CellName[]; hash: string } {
  const cells = asUsage(() => expand(plan, scenarios, timed));
  return { cells, hash: planHash(cells) };
}

function planOfFile(file: string, raw: RawPlanOptions): Plan {
  const { executions, ...others } = raw;
  const asked = Object.entries(others).find(
    ([name, value]) =>
      value !== undefined && PLAN_OPTIONS.some(([flags]) => flags.includes(`--${name} `)),
  );
  if (asked !== undefined)
    throw new UsageError(`--${asked[0]} stands in the plan, if there is one`);
  const plan = parsePlan(contentOf(file), file);
  if (executions === undefined) return plan;
  const bound = wholeNumber(executions, '--executions', 1);
  return { ...plan, cells: plan.cells.map((entry) => ({ ...entry, executions: bound })) };
}

function planOfOptions(raw: RawPlanOptions): Plan {
  const { scenarios: names, designs, memory, strategies } = raw;
  if (names === undefined) throw new UsageError('a campaign needs a plan file or --scenarios');
  const numbers = {
    ...(raw.executions !== undefined && {
      executions: wholeNumber(raw.executions, '--executions', 1),
    }),
    ...(raw.seed !== undefined && { seed: wholeNumber(raw.seed, '--seed', 0) }),
    ...(raw.depth !== undefined && { depth: wholeNumber(raw.depth, '--depth', 1) }),
    ...(raw.param !== undefined && { param: wholeNumber(raw.param, '--param', 0) }),
  };
  const entry = {
    scenarios: listed(names),
    ...(designs !== undefined && { designs: listed(designs) }),
    ...(memory !== undefined && { memory: listed(memory) }),
    ...(strategies !== undefined && { strategies: listed(strategies) }),
    ...numbers,
  };
  return checkPlan({ cells: [entry] }, 'the command line');
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : ''}`);
  }
}

function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof PlanError ? new UsageError(error.message) : error;
  }
}
