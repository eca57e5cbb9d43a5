/** From a plan to its cells, in the order of the plan, each once. */
import { createHash } from 'node:crypto';
import { FUZZ_DESIGNS } from '../../corpus/fuzz/posed.ts';
import { SHAREABLE } from '../../explore/portion.ts';
import type { Scenario } from '../../explore/scenario.ts';
import type { StrategyName } from '../../explore/strategies/index.ts';
import type { CellName } from '../cells/cell.ts';
import { CAMPAIGN_STRATEGIES, FUZZ } from '../cells/cell.ts';
import { matches } from './glob.ts';
import type { Plan, PlanEntry } from './plan-file.ts';
import { PlanError } from './plan-file.ts';

const MEMORIES = ['sc', 'tso'] as const;
/** Executions of a cell that would go on for ever, where nothing else ends the campaign. */
const USUAL_EXECUTIONS = 10_000;

interface Posed {
  readonly name: string;
  readonly designs: readonly string[];
  readonly param: Scenario['param'];
}

const fuzzed: Posed = { name: FUZZ, designs: FUZZ_DESIGNS, param: undefined };

/**
 * @param timed - time ends the campaign: cells without a bound have none.
 * @throws PlanError for a word that names nothing.
 */
export function expand(plan: Plan, scenarios: readonly Scenario[], timed: boolean): CellName[] {
  const cells = new Map<string, CellName>();
  plan.cells.forEach((entry, i) => {
    for (const cell of cellsOf(entry, scenarios, timed, `cells.${i}`)) {
      const key = JSON.stringify({ ...cell, executions: 0 });
      if (!cells.has(key)) cells.set(key, cell);
    }
  });
  return [...cells.values()];
}

function cellsOf(
  entry: PlanEntry,
  scenarios: readonly Scenario[],
  timed: boolean,
  where: string,
): CellName[] {
  const strategies = picked(entry.strategies, CAMPAIGN_STRATEGIES);
  const memories = picked(entry.memory, MEMORIES);
  const cells = posedBy(entry, scenarios, where).flatMap((posed) =>
    designsOf(posed, entry.designs).flatMap((design) =>
      memories.flatMap((memory) =>
        strategies
          .filter((strategy) => posed.name !== FUZZ || !isExhaustive(strategy))
          .map((strategy) => cellOf(entry, posed, { design, memory, strategy }, timed)),
      ),
    ),
  );
  if (cells.length > 0) return cells;
  throw new PlanError(
    `${where}: no scenario among "${entry.scenarios.join(', ')}" has a design among ` +
      `"${entry.designs.join(', ')}" that these strategies can follow`,
  );
}

function cellOf(
  { executions, seed, depth, param }: PlanEntry,
  posed: Posed,
  how: { design: string; memory: 'sc' | 'tso'; strategy: StrategyName },
  timed: boolean,
): CellName {
  const endless = !timed && !isExhaustive(how.strategy) ? USUAL_EXECUTIONS : null;
  return {
    scenario: posed.name,
    design: how.design,
    param: sizeOf(posed, param),
    memory: how.memory,
    strategy: how.strategy,
    seed,
    depth,
    executions: executions ?? endless,
  };
}

function sizeOf({ name, param }: Posed, wanted: number | undefined): number {
  if (param === undefined) return 0;
  if (wanted === undefined) return param.usual;
  if (wanted >= param.least) return wanted;
  throw new PlanError(`param of ${name} must be at least ${param.least}, not ${wanted}`);
}

function isExhaustive(strategy: StrategyName): boolean {
  return (SHAREABLE as readonly string[]).includes(strategy);
}

function posedBy(
  { scenarios: globs }: PlanEntry,
  scenarios: readonly Scenario[],
  where: string,
): Posed[] {
  const known: Posed[] = scenarios.map(({ name, designs, param }) => ({ name, designs, param }));
  const all = [...known, fuzzed];
  for (const glob of globs) {
    if (all.some(({ name }) => matches(name, [glob]))) continue;
    throw new PlanError(`${where}: no scenario is called "${glob}"; gntrace list names them all`);
  }
  // Programs that are drawn are asked for by name: `all` means those that are written.
  return [
    ...known.filter(({ name }) => matches(name, globs)),
    ...(globs.includes(FUZZ) ? [fuzzed] : []),
  ];
}

function designsOf({ designs }: Posed, globs: readonly string[]): readonly string[] {
  if (designs.length === 0) return [''];
  return designs.filter((design) => matches(design, globs));
}

function picked<T extends string>(wanted: readonly string[], all: readonly T[]): T[] {
  return all.filter((name) => wanted.includes(name) || wanted.includes('all'));
}

/** Names a set of cells: 16 hex digits. */
export function planHash(cells: readonly CellName[]): string {
  return createHash('sha256').update(JSON.stringify(cells)).digest('hex').slice(0, 16);
}
