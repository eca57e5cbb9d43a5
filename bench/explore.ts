/**
 * Rates of the exploration engine on one core, side by side: executions a second of both
 * partial-order reductions on the programs with published counts, and operations a second of the
 * strategies that sample.
 *
 *   npm run bench:explore
 *
 * Times are of the processor, not of the wall, so that a busy machine disturbs little.
 */
import { check } from '../src/explore/check.ts';
import type { CheckOptions, CheckResult } from '../src/explore/check.ts';
import { programs } from '../src/programs/catalogue.ts';
import { pose } from '../src/programs/pose.ts';

interface Row {
  readonly program: string;
  readonly n: number;
  readonly options: Pick<CheckOptions, 'strategy' | 'memory' | 'switches'>;
}

function measure({ program, n, options }: Row, executions: number, seconds: number): string {
  const found = programs.find(({ name }) => name === program);
  if (found === undefined) throw new RangeError(`no program is called ${program}`);
  const { machine, actors } = pose(found, n);
  const before = process.cpuUsage();
  const result = check({ machine, actors, ...options, executions, seconds });
  const { user, system } = process.cpuUsage(before);
  return line(`${program}(${n})`, options, result, (user + system) / 1e6);
}

function line(name: string, options: Row['options'], result: CheckResult, cpu: number): string {
  const all = result.executions + result.blocked + result.discarded;
  return [
    name.padEnd(16),
    `${options.strategy} ${options.memory ?? 'sc'}`.padEnd(14),
    `${result.executions} + ${result.blocked}`.padStart(18),
    `${Math.round(all / cpu)} executions/s`.padStart(22),
    `${(result.steps / cpu / 1e6).toFixed(2)} M operations/s`.padStart(22),
  ].join(' ');
}

function run(): void {
  const reductions: [string, number][] = [
    ['coa', 5],
    ['casw', 5],
    ['fib_bench', 5],
    ['lastzero', 15],
    ['indexer', 15],
    ['readers', 13],
  ];
  for (const [program, n] of reductions) {
    for (const strategy of ['dpor', 'optimal'] as const) {
      console.log(measure({ program, n, options: { strategy } }, 1e9, 20));
    }
  }
  for (const strategy of ['random', 'pct', 'pos', 'surw', 'dfs'] as const) {
    console.log(measure({ program: 'lost-update', n: 30, options: { strategy } }, 1e9, 2));
  }
  const rare = { strategy: 'random', switches: 0.01 } as const;
  console.log('random walk with a switch every 100 operations:');
  console.log(measure({ program: 'lost-update', n: 1000, options: rare }, 1e9, 3));
}

run();
