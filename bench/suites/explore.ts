/**
 * `gntrace bench explore`: what the explorer does in a second, on one core.
 *
 *   rates      executions and operations a second of every strategy under both memory models, on
 *              published programs
 *   growth     of DPOR and the random walk with the length of the program and with its threads
 *   costs      of an operation under every strategy, as a ratio to the random walk
 *   inlining   an operation that the build has inlined against one that is a generator of its own
 *
 * Times are of the processor, not of the wall, so that a busy host disturbs little; it still makes
 * everything slower, so compare within one run. Each part runs in a process of its own: what the
 * compiler learnt in one must not slow the next.
 */
import { spawnSync } from 'node:child_process';
import { Command } from 'commander';
import { print } from '../../src/cli/output.ts';
import { oneOf, positiveNumber } from '../../src/cli/usage.ts';
import { check } from '../../src/explore/check.ts';
import type { CheckOptions, CheckResult } from '../../src/explore/check.ts';
import type { StrategyName } from '../../src/explore/strategies/index.ts';
import { programs } from '../../src/programs/catalogue.ts';
import { loseUpdates } from '../../src/programs/counted/increments.ts';
import { X } from '../../src/programs/counted/variables.ts';
import type { PosedProgram } from '../../src/programs/pose.ts';
import { pose } from '../../src/programs/pose.ts';
import { createMachine } from '../../src/shared/layout.ts';
import type { Op } from '../../src/shared/op.ts';
import * as operations from '../../src/shared/operations.ts';
import { NoiseMeter } from '../noise.ts';
import type { Report, Result } from '../results.ts';
import { reportOf } from '../results.ts';
import { median, spread } from '../statistics.ts';
import { aligned, hostLines } from '../table.ts';

type How = Pick<CheckOptions, 'strategy' | 'memory' | 'switches' | 'executions' | 'seconds'>;
type Posed = Pick<PosedProgram, 'machine' | 'actors'>;

/** Programs with published counts, with their sizes. */
const PUBLISHED: readonly [string, number][] = [
  ['coa', 5],
  ['casw', 5],
  ['fib_bench', 5],
  ['big0', 1],
  ['lastzero', 15],
  ['indexer', 15],
  ['readers', 13],
];
const STRATEGIES = ['random', 'pct', 'pos', 'surw', 'dpor', 'optimal'] as const;
const MEMORIES = ['sc', 'tso'] as const;
const ROUNDS = 3;

function posed(name: string, n: number): Posed {
  const found = programs.find((program) => program.name === name);
  if (found === undefined) throw new RangeError(`no program is called ${name}`);
  return pose(found, n);
}

/** What one exploration did, and the seconds of processor that it took. */
function measure({ machine, actors }: Posed, how: How): { result: CheckResult; cpu: number } {
  const before = process.cpuUsage();
  const result = check({ machine, actors, executions: 1e9, ...how });
  const { user, system } = process.cpuUsage(before);
  return { result, cpu: (user + system) / 1e6 };
}

/** A row of the report: operations a second; executions a second are its samples' other half. */
function rowOf(
  lookup: string,
  variant: string,
  threads: number,
  length: number,
  executions: readonly number[],
  steps: readonly number[],
): Result {
  return {
    suite: 'explore',
    lookup,
    variant,
    entries: length,
    vmas: 1,
    distribution: 'none',
    sharing: 'none',
    batch: 1,
    readers: threads,
    writer: 0,
    changes: 0,
    opsPerSecond: median(steps),
    spread: spread(steps),
    samples: [...steps],
    executionsPerSecond: median(executions),
    retries: 0,
    writerTurnsPerSecond: 0,
    longestMs: 0,
    wrong: 0,
    shareOfNative: null,
    timesOneReader: null,
    latencyNs: null,
  };
}

/** Explores for a while, some rounds; the first warms up. */
function rate(name: string, program: Posed, n: number, how: How, seconds: number): Result {
  const executions: number[] = [];
  const steps: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const sum = { executions: 0, steps: 0, cpu: 0 };
    // A small program is exhausted at once, and explored again until the time is over.
    while (sum.cpu < seconds / (ROUNDS + 1)) {
      const left = seconds / (ROUNDS + 1) - sum.cpu;
      const { result, cpu } = measure(program, { ...how, seconds: left });
      sum.executions += result.executions + result.blocked;
      sum.steps += result.steps;
      sum.cpu += Math.max(cpu, 1e-6);
    }
    if (round === 0) continue;
    executions.push(sum.executions / sum.cpu);
    steps.push(sum.steps / sum.cpu);
  }
  const variant = `${how.strategy} ${how.memory}`;
  return rowOf(name, variant, program.actors.length, n, executions, steps);
}

function rates(seconds: number): Result[] {
  const each = seconds / (PUBLISHED.length * STRATEGIES.length * MEMORIES.length);
  return PUBLISHED.flatMap(([name, n]) =>
    STRATEGIES.flatMap((strategy) =>
      MEMORIES.map((memory) =>
        rate(`${name}(${n})`, posed(name, n), n, { strategy, memory }, each),
      ),
    ),
  );
}

/** Longer programs of as many threads, and programs of more threads. */
function growth(seconds: number): Result[] {
  const strategies: readonly StrategyName[] = ['random', 'dpor', 'optimal'];
  const lengths = [5, 10, 20, 40, 80].map((rounds) => ({ rounds, threads: 3 }));
  const threads = [2, 4, 8, 16].map((count) => ({ rounds: 5, threads: count }));
  const each = seconds / ((lengths.length + threads.length) * strategies.length);
  const rows = (of: string, sizes: readonly Size[]): Result[] =>
    sizes.flatMap((size) =>
      strategies.map((strategy) => {
        const program = increments(size.threads, () => loseUpdates(size.rounds));
        const name = `${of}, ${size.rounds} rounds`;
        return rate(name, program, size.rounds, { strategy, memory: 'sc' }, each);
      }),
    );
  return [...rows('length', lengths), ...rows('threads', threads)];
}

/** Of a program in which each thread increments one word, unlocked, so many times. */
interface Size {
  readonly rounds: number;
  readonly threads: number;
}

/** lost-update, but each operation is called through its module, which the build leaves alone. */
function* loseUpdatesNested(rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) {
    const before = yield* operations.readOnce(X.value.word);
    yield* operations.writeOnce(X.value.word, before + 1);
  }
}

function increments(threads: number, body: () => Op<void>): Posed {
  const actors = Array.from({ length: threads }, (_, t) => ({ name: `t${t}`, body }));
  return { machine: createMachine([X], {}), actors };
}

/** Operations a second of a program, a schedule counting all: also those that it repeats. */
function costOf(name: string, variant: string, program: Posed, how: How): Result {
  measure(program, { ...how, executions: 2000 });
  const steps: number[] = [];
  const executions: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { result, cpu } = measure(program, how);
    steps.push(result.steps / cpu);
    executions.push(result.executions / cpu);
  }
  return rowOf(name, variant, program.actors.length, 10, executions, steps);
}

function costs(): Result[] {
  const executions = 20_000;
  const program = posed('lost-update', 10);
  const rare = { strategy: 'random', switches: 0.01, executions: 2000 } as const;
  return [
    ...(['random', 'pct', 'pos', 'surw', 'dfs', 'dpor', 'optimal'] as const).map((strategy) =>
      costOf('lost-update(10)', `${strategy} sc`, program, { strategy, executions }),
    ),
    costOf('lost-update(1000)', 'random, 1 switch in 100', posed('lost-update', 1000), rare),
  ];
}

function inlining(): Result[] {
  const executions = 20_000;
  return (['random', 'dpor', 'optimal'] as const).flatMap((strategy) => [
    costOf(
      'inlined',
      `${strategy} sc`,
      increments(3, () => loseUpdates(10)),
      { strategy, executions },
    ),
    costOf(
      'nested',
      `${strategy} sc`,
      increments(3, () => loseUpdatesNested(10)),
      {
        strategy,
        executions,
      },
    ),
  ]);
}

const parts = { rates, growth, costs, inlining };
type Part = keyof typeof parts;
const PARTS = Object.keys(parts) as Part[];

/** The table of a part. */
export function exploreTable(results: readonly Result[]): string[] {
  const base = results[0]?.opsPerSecond ?? 1;
  return aligned(
    ['program', 'strategy', 'threads', 'executions', 'operations', 'spread', 'of the first'],
    results.map((result) => [
      result.lookup,
      result.variant,
      String(result.readers),
      `${((result.executionsPerSecond ?? 0) / 1000).toFixed(1)} k/s`,
      `${(result.opsPerSecond / 1e6).toFixed(2)} M/s`,
      `± ${((result.spread / 2) * 100).toFixed(0)} %`,
      `× ${(result.opsPerSecond / base).toFixed(2)}`,
    ]),
  );
}

/** A part in a process of its own. */
function runApart(part: Part, seconds: number): Result[] {
  const args = [...process.execArgv, process.argv[1] as string, 'bench', 'explore'];
  const { stdout, status } = spawnSync(
    process.execPath,
    [...args, '--part', part, '--seconds', String(seconds), '--json'],
    { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(`the part ${part} ended with ${status}`);
  return (JSON.parse(stdout.toString()) as Report).results;
}

interface RawOptions {
  readonly part?: string;
  readonly seconds: string;
  readonly json?: boolean;
}

/** The command. */
export function exploreCommand(): Command {
  return new Command('explore')
    .description('executions and operations a second of the explorer')
    .option('--part <name>', `one part only: ${PARTS.join(', ')}`)
    .option('--seconds <s>', 'time for each of rates and growth', '60')
    .option('--json', 'print one JSON object instead of text')
    .action((raw: RawOptions) => {
      const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
      const asked = raw.part === undefined ? PARTS : [oneOf(raw.part, PARTS, 'part') as Part];
      const noise = new NoiseMeter();
      const began = performance.now();
      const results: Result[] = [];
      for (const part of asked) {
        noise.sample();
        const rows = asked.length === 1 ? parts[part](seconds) : runApart(part, seconds);
        noise.sample();
        results.push(...rows);
        if (raw.json === true) continue;
        for (const line of ['', part, ...exploreTable(rows)]) print(line);
      }
      const report = reportOf(results, noise.noise(), (performance.now() - began) / 1000);
      if (raw.json === true) print(JSON.stringify(report));
      else for (const line of ['', ...hostLines(report)]) print(line);
    });
}
