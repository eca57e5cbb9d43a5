/**
 * Schedules to the first bug, by strategy: 20 seeds each on programs whose bugs are hard to find.
 *
 *   npm run bench:strategies                            all programs, half an hour
 *   npm run bench:strategies -- --executions 1000000    a larger budget
 *   npm run bench:strategies -- --program safestack --strategy surw --seeds 5
 *
 * A cell is "found in k of n seeds: median (least–most) schedules"; the median counts a seed that
 * found nothing as the budget.
 */
import { Command } from 'commander';
import { check } from '../src/explore/check.ts';
import type { StrategyName } from '../src/explore/strategies/index.ts';
import { programOf } from '../src/programs/catalogue.ts';
import { pose } from '../src/programs/pose.ts';

interface Row {
  readonly program: string;
  readonly n: number;
  /** Schedules a seed, unless --executions says otherwise. */
  readonly budget: number;
}

const ROWS: readonly Row[] = [
  { program: 'safestack', n: 3, budget: 200_000 },
  { program: 'reorder', n: 20, budget: 10_000 },
  { program: 'twostage', n: 100, budget: 1_000 },
  { program: 'work-steal-queue-wrong', n: 4, budget: 20_000 },
];
/** Strategies that draw: one run a seed. */
const DRAWING: readonly StrategyName[] = ['random', 'pct', 'pos', 'surw'];
/** Strategies that are the same for every seed: one run. */
const ORDERLY: readonly StrategyName[] = ['preemption-bounded', 'delay-bounded', 'dpor', 'optimal'];

/** @returns schedules up to and with the one that broke, or Infinity. */
function schedulesToBug(row: Row, strategy: StrategyName, seed: number, budget: number): number {
  const program = programOf(row.program);
  if (program === undefined) throw new RangeError(`no program ${row.program}`);
  const { machine, actors, final } = pose(program, row.n);
  const limits = { executions: budget, seed };
  const result = check({ machine, actors, final, strategy, ...limits });
  if (result.verdict !== 'broken') return Infinity;
  return result.executions + result.blocked + result.discarded;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Infinity;
}

function cell(found: readonly number[], budget: number): string {
  const hits = found.filter((count) => count !== Infinity);
  const share = `${hits.length} of ${found.length}`;
  if (hits.length === 0) return `${share}: none in ${budget}`;
  const middle = median(found);
  const shown = middle === Infinity ? `over ${budget}` : String(middle);
  return `${share}: ${shown} (${Math.min(...hits)}–${Math.max(...hits)})`;
}

function measure(row: Row, strategy: StrategyName, seeds: number, budget: number): void {
  const from = performance.now();
  const runs = DRAWING.includes(strategy) ? seeds : 1;
  const found = Array.from({ length: runs }, (_, i) =>
    schedulesToBug(row, strategy, i + 1, budget),
  );
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  const name = `${row.program}_${row.n}`.padEnd(26);
  console.log(`${name}${strategy.padEnd(20)}${cell(found, budget).padEnd(40)}${seconds} s`);
}

const options = new Command()
  .option('--executions <n>', 'schedules a seed')
  .option('--seeds <n>', 'seeds of a strategy that draws', '20')
  .option('--program <name>', 'one program only')
  .option('--strategy <name>', 'one strategy only')
  .parse()
  .opts<{ executions?: string; seeds: string; program?: string; strategy?: string }>();

for (const row of ROWS) {
  if (options.program !== undefined && options.program !== row.program) continue;
  for (const strategy of [...DRAWING, ...ORDERLY]) {
    if (options.strategy !== undefined && options.strategy !== strategy) continue;
    measure(row, strategy, Number(options.seeds), Number(options.executions ?? row.budget));
  }
}
