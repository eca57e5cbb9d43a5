/**
 * Schedules to the first bug, by strategy: 20 seeds each on programs whose bugs are hard to find.
 *
 *   gntrace bench strategies                            all programs, a few seconds a seed at most
 *   gntrace bench strategies --seconds 60               more time a seed
 *   gntrace bench strategies --json                     one JSON object a cell
 *   gntrace bench strategies --executions 1000000       a larger budget
 *   gntrace bench strategies --program safestack --strategy surw --seeds 5
 *
 * A cell is "found in k of n seeds: median (least–most) schedules"; the median counts a seed that
 * found nothing as the budget, which is of schedules or, if that is over first, of time.
 */
import { Command } from 'commander';
import { check } from '../../src/explore/check.ts';
import type { StrategyName } from '../../src/explore/strategies/index.ts';
import { findScenario } from '../../src/cli/scenarios.ts';
import { LiveLine, print } from '../../src/cli/output.ts';
import { oneOf, positiveNumber, wholeNumber } from '../../src/cli/usage.ts';

interface Row {
  /** A scenario's name, its design and its size. */
  readonly program: string;
  readonly design: string;
  readonly n: number;
  /** Schedules a seed, unless --executions says otherwise. */
  readonly budget: number;
}

const ROWS: readonly Row[] = [
  { program: 'program/safestack', design: '', n: 3, budget: 200_000 },
  { program: 'program/reorder', design: '', n: 20, budget: 10_000 },
  { program: 'program/twostage', design: '', n: 100, budget: 1_000 },
  { program: 'program/work-steal-queue-wrong', design: '', n: 4, budget: 20_000 },
  { program: 'race/one-frame-twice', design: 'm2p-override', n: 0, budget: 10_000 },
  { program: 'race/unmap-in-use', design: 'm2p-override', n: 0, budget: 10_000 },
];
/** Strategies that draw: one run a seed. */
const DRAWING: readonly StrategyName[] = ['random', 'pct', 'pos', 'surw'];
/** Strategies that are the same for every seed: one run. */
const ORDERLY: readonly StrategyName[] = ['preemption-bounded', 'delay-bounded', 'dpor', 'optimal'];

/** Schedules of one seed, the last of which broke or was the last of the budget. */
interface Run {
  readonly seed: number;
  readonly broken: boolean;
  readonly schedules: number;
  readonly cpuSeconds: number;
}

interface Budget {
  readonly executions: number;
  readonly seconds: number;
}

function runOf(row: Row, strategy: StrategyName, seed: number, budget: Budget): Run {
  const { program, design, n } = row;
  const prepared = findScenario(program).prepare({ design, param: n });
  const before = process.cpuUsage();
  const result = check({ ...prepared, strategy, seed, ...budget });
  const schedules = result.executions + result.blocked + result.discarded;
  const cpuSeconds = cpuSecondsSince(before);
  return { seed, broken: result.verdict === 'broken', schedules, cpuSeconds };
}

function cpuSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Infinity;
}

function textOf(runs: readonly Run[]): string {
  const hits = runs.filter(({ broken }) => broken).map(({ schedules }) => schedules);
  const share = `${hits.length} of ${runs.length}`;
  const most = Math.max(...runs.map(({ schedules }) => schedules));
  if (hits.length === 0) return `${share}: none in ${most}`;
  const middle = median(runs.map(({ broken, schedules }) => (broken ? schedules : Infinity)));
  const shown = middle === Infinity ? 'over the budget' : String(middle);
  return `${share}: ${shown} (${Math.min(...hits)}–${Math.max(...hits)})`;
}

interface RawOptions {
  readonly executions?: string;
  readonly seconds: string;
  readonly seeds: string;
  readonly program?: string;
  readonly strategy?: string;
  readonly json?: boolean;
}

/** What was asked for; null is each row's own. */
interface Wanted {
  readonly rows: readonly Row[];
  readonly strategies: readonly StrategyName[];
  readonly executions: number | null;
  readonly seconds: number;
  readonly seeds: number;
  readonly json: boolean;
}

function shortName({ program }: Row): string {
  return program.slice(program.indexOf('/') + 1);
}

/** @throws UsageError if a word or a number of the options is none. */
function wantedOf(raw: RawOptions): Wanted {
  const all = [...DRAWING, ...ORDERLY];
  const program = raw.program && oneOf(raw.program, ROWS.map(shortName), 'program');
  const strategy = raw.strategy && oneOf(raw.strategy, all, 'strategy');
  const { executions } = raw;
  return {
    rows: ROWS.filter((row) => program === undefined || shortName(row) === program),
    strategies: all.filter((name) => strategy === undefined || name === strategy),
    executions: executions === undefined ? null : wholeNumber(executions, '--executions', 1),
    seconds: positiveNumber(raw.seconds, '--seconds', 1e6),
    seeds: wholeNumber(raw.seeds, '--seeds', 1),
    json: raw.json === true,
  };
}

const live = new LiveLine();

/** The program's name with its size, or the race's. */
function nameOf(row: Row): string {
  return row.n === 0 ? shortName(row) : `${shortName(row)}_${row.n}`;
}

function measure(row: Row, strategy: StrategyName, wanted: Wanted): void {
  const budget = { executions: wanted.executions ?? row.budget, seconds: wanted.seconds };
  const seeds = DRAWING.includes(strategy) ? wanted.seeds : 1;
  const before = process.cpuUsage();
  const name = nameOf(row);
  const runs: Run[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    live.show(`${name} ${strategy}: seed ${seed} of ${seeds}`);
    runs.push(runOf(row, strategy, seed, budget));
  }
  live.clear();
  const cpuSeconds = cpuSecondsSince(before);
  if (wanted.json) {
    print(JSON.stringify({ program: name, strategy, ...budget, cpuSeconds, runs }));
    return;
  }
  const time = `${cpuSeconds.toFixed(1)} s of CPU`;
  print(`${name.padEnd(26)}${strategy.padEnd(20)}${textOf(runs).padEnd(40)}${time}`);
}

/** The command. */
export function strategiesCommand(): Command {
  return new Command('strategies')
    .description('schedules to the first bug, by strategy, over 20 seeds')
    .option('--executions <n>', 'schedules a seed')
    .option('--seconds <s>', 'time a seed', '5')
    .option('--seeds <n>', 'seeds of a strategy that draws', '20')
    .option('--program <name>', 'one program only')
    .option('--strategy <name>', 'one strategy only')
    .option('--json', 'print one JSON object a cell')
    .action((raw: RawOptions) => {
      const wanted = wantedOf(raw);
      for (const row of wanted.rows) {
        for (const strategy of wanted.strategies) measure(row, strategy, wanted);
      }
    });
}
