/**
 * Rates of the exploration engine on one core:
 *
 *   npm run bench:explore                                   all of it
 *   npm run bench:explore -- reductions|costs|inlining      one part
 *
 * 1. Executions a second of both partial-order reductions on programs with published counts: the
 *    first exploration, with the compiler's warming up, and later ones.
 * 2. Cost of an operation under every strategy that draws and under both reductions, side by side
 *    on one program, as ratios to the random walk.
 * 3. Cost of an operation that the build has inlined against one that is a generator of its own.
 *
 * Times are of the processor, not of the wall, so that a busy machine disturbs little; it still
 * makes everything slower, so compare within one run.
 */
import { spawnSync } from 'node:child_process';
import { check } from '../src/explore/check.ts';
import type { CheckOptions, CheckResult } from '../src/explore/check.ts';
import { programs } from '../src/programs/catalogue.ts';
import { loseUpdates } from '../src/programs/counted/increments.ts';
import { X } from '../src/programs/counted/variables.ts';
import type { PosedProgram } from '../src/programs/pose.ts';
import { pose } from '../src/programs/pose.ts';
import { createMachine } from '../src/shared/layout.ts';
import type { Op } from '../src/shared/op.ts';
import * as operations from '../src/shared/operations.ts';

type How = Pick<CheckOptions, 'strategy' | 'memory' | 'switches' | 'executions' | 'seconds'>;
type Posed = Pick<PosedProgram, 'machine' | 'actors'>;

interface Measured {
  readonly result: CheckResult;
  /** Seconds of processor time. */
  readonly cpu: number;
}

function posed(name: string, n: number): Posed {
  const found = programs.find((program) => program.name === name);
  if (found === undefined) throw new RangeError(`no program is called ${name}`);
  return pose(found, n);
}

function measure({ machine, actors }: Posed, how: How): Measured {
  const before = process.cpuUsage();
  const result = check({ machine, actors, executions: 1e9, ...how });
  const { user, system } = process.cpuUsage(before);
  return { result, cpu: (user + system) / 1e6 };
}

function rate({ result, cpu }: Measured): number {
  return (result.executions + result.blocked) / cpu;
}

function thousands(perSecond: number): string {
  return `${(perSecond / 1000).toFixed(1)} k/s`.padStart(12);
}

/** The first round, and the best of later ones until two seconds were spent. */
function reduction(name: string, n: number, strategy: 'dpor' | 'optimal'): void {
  const posedProgram = posed(name, n);
  const first = measure(posedProgram, { strategy, seconds: 8 });
  let best = rate(first);
  for (let spent = first.cpu; spent < 2;) {
    const again = measure(posedProgram, { strategy, seconds: 8 });
    best = Math.max(best, rate(again));
    spent += again.cpu;
  }
  const { executions, blocked, exhausted } = first.result;
  const counted = `${executions} + ${blocked}${exhausted ? '' : ', unfinished'}`;
  console.log(
    `${name}(${n})`.padEnd(14),
    strategy.padEnd(8),
    counted.padStart(30),
    thousands(rate(first)),
    thousands(best),
  );
}

/** Nanoseconds of an operation, of which a schedule counts all: also those that it repeats. */
function costOf(posedProgram: Posed, how: How): number {
  measure(posedProgram, { ...how, executions: 2000 });
  const { result, cpu } = measure(posedProgram, how);
  return (cpu / result.steps) * 1e9;
}

function row(name: string, cost: number, base: number): void {
  console.log(
    name.padEnd(36),
    `${cost.toFixed(0)} ns`.padStart(8),
    `${(1000 / cost).toFixed(2)} M operations/s`.padStart(22),
    `× ${(cost / base).toFixed(2)}`.padStart(8),
  );
}

function costs(): void {
  console.log('\ncost of an operation, lost-update of 60 operations (rare switches: of 6000)');
  const rare = { strategy: 'random', switches: 0.01, executions: 6000 } as const;
  const seldom = costOf(posed('lost-update', 1000), rare);
  const program = posed('lost-update', 10);
  const base = costOf(program, { strategy: 'random', executions: 60_000 });
  row('random walk', base, base);
  for (const strategy of ['pct', 'pos', 'surw', 'dfs', 'dpor', 'optimal'] as const) {
    row(strategy, costOf(program, { strategy, executions: 60_000 }), base);
  }
  row('random walk, switches 1 in 100', seldom, base);
}

/** lost-update, but each operation is called through its module, which the build leaves alone. */
function* loseUpdatesNested(rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) {
    const before = yield* operations.readOnce(X.value.word);
    yield* operations.writeOnce(X.value.word, before + 1);
  }
}

function three(body: () => Op<void>): Posed {
  const actors = ['a', 'b', 'c'].map((name) => ({ name, body }));
  return { machine: createMachine([X], {}), actors };
}

function inlining(): void {
  console.log('\ncost of an operation, inlined by the build and as a generator of its own');
  const ways: [string, How][] = [
    ['random walk', { strategy: 'random', executions: 60_000 }],
    ['random walk, switches 1 in 100', { strategy: 'random', switches: 0.01, executions: 60_000 }],
    ['dpor', { strategy: 'dpor', executions: 60_000 }],
    ['optimal', { strategy: 'optimal', executions: 60_000 }],
  ];
  for (const [name, how] of ways) {
    const inlined = costOf(
      three(() => loseUpdates(10)),
      how,
    );
    const nested = costOf(
      three(() => loseUpdatesNested(10)),
      how,
    );
    row(`${name}: inlined`, inlined, inlined);
    row(`${name}: nested`, nested, inlined);
  }
}

function reductions(): void {
  console.log('program        strategy    executions + blocked        first round   best round');
  const rows: [string, number][] = [
    ['coa', 5],
    ['casw', 5],
    ['fib_bench', 5],
    ['big0', 1],
    ['lastzero', 15],
    ['indexer', 15],
    ['readers', 13],
  ];
  for (const [name, n] of rows) {
    reduction(name, n, 'dpor');
    reduction(name, n, 'optimal');
  }
}

/** Each part in a process of its own: what the compiler learnt in one must not slow the next. */
const parts = { reductions, costs, inlining };

const part = process.argv[2];
if (part === undefined) {
  for (const name of Object.keys(parts)) {
    spawnSync(process.execPath, [import.meta.filename, name], { stdio: 'inherit' });
  }
} else if (Object.hasOwn(parts, part)) {
  parts[part as keyof typeof parts]();
} else {
  throw new RangeError(`no part ${part}: ${Object.keys(parts).join(', ')}`);
}
