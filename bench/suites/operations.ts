/**
 * `gntrace bench operations`: throughput and latency of the mapping side: grants mapped through
 * gntdev and unmapped, an unmap that has to wait for a page, a VMA that is split, and
 * get_user_pages_fast beside a thread that unmaps what is looked up.
 */
import { Command } from 'commander';
import { LiveLine } from '../../src/cli/output.ts';
import { UsageError, oneOf, positiveNumber, wholeNumber } from '../../src/cli/usage.ts';
import { DESIGN_NAMES } from '../../src/linux/designs/design.ts';
import type { Beside } from '../crew.ts';
import { BenchError, Crew } from '../crew.ts';
import { CHUNK, MOST_BATCH } from '../machine.ts';
import { NoiseMeter } from '../noise.ts';
import type { Latency, OperationName } from '../operations.ts';
import { OPERATIONS } from '../operations.ts';
import type { Output } from '../output.ts';
import { withOutput } from '../output.ts';
import type { Result } from '../results.ts';
import { median, spread } from '../statistics.ts';
import { aligned } from '../table.ts';
import type { Operated } from '../orders.ts';

const ROUNDS = 5;
const SIZES = [1, 8, 64, MOST_BATCH];
const DESIGNS = ['m2p-override', 'vma-pages', 'find-special-page', 'find-normal-page'];

/** An operation, what it is done to, and beside whom. */
interface Case {
  readonly design: string;
  readonly operation: OperationName;
  readonly size: number;
  readonly beside: Beside;
}

/** Designs whose munmap sleeps until nobody has the pages. */
const WAITING = ['vma-pages', 'find-special-page'];

/** Cases that say something: splitting and looking up is the same in every design. */
function casesOf(operations: readonly OperationName[], sizes: readonly number[]): Case[] {
  return DESIGNS.flatMap((design) =>
    operations.flatMap((operation): Case[] => {
      const one = { design, operation };
      switch (operation) {
        case 'map':
        case 'unmap':
          return sizes.map((size) => ({ ...one, size, beside: 'nobody' }));
        case 'deferred-unmap':
          if (!WAITING.includes(design)) return [];
          return sizes.map((size) => ({ ...one, size, beside: 'holder' }));
        case 'vma-split':
          return design === 'vma-pages' ? [{ ...one, size: 1, beside: 'nobody' }] : [];
        case 'gup-fast':
          if (design !== 'vma-pages') return [];
          return (['nobody', 'writer'] as const).map((beside) => ({ ...one, size: 16, beside }));
      }
    }),
  );
}

function resultOf({ design, operation, size, beside }: Case, runs: readonly Operated[]): Result {
  const rates = runs.map(({ turns, ms }) => (ms > 0 ? (turns / ms) * 1000 : 0));
  const of = (part: keyof Latency): number => median(runs.map(({ latency }) => latency[part]));
  return {
    suite: 'operations',
    lookup: operation,
    variant: design,
    entries: 1024,
    vmas: 1,
    distribution: 'none',
    sharing: 'none',
    batch: size,
    readers: 1,
    writer: beside === 'writer' ? 1 : 0,
    changes: 0,
    opsPerSecond: median(rates),
    spread: spread(rates),
    samples: rates,
    retries: 0,
    writerTurnsPerSecond: 0,
    longestMs: Math.max(...runs.map(({ latency }) => latency.max)) / 1e6,
    wrong: runs.reduce((sum, { wrong }) => sum + wrong, 0),
    shareOfNative: null,
    timesOneReader: null,
    latencyNs: {
      p50: of('p50'),
      p99: of('p99'),
      p999: of('p999'),
      max: Math.max(...runs.map(({ latency }) => latency.max)),
    },
  };
}

/** May the kernel refuse something here? Beside a writer the pages may be gone. */
function mayBreak({ beside }: Case): boolean {
  return beside === 'writer';
}

/** A crew for each design, with its operations ready. */
async function startCrew(design: string): Promise<Crew> {
  const shape = {
    lookup: 'gup-fast-4',
    entries: 1024,
    vmas: 1,
    readers: 1,
    keys: CHUNK,
    design: DESIGN_NAMES.indexOf(design),
  } as const;
  const sequences = [{ distribution: 'uniform', sharing: 'disjoint' }] as const;
  const crew = await Crew.start(shape, { seed: 1, sequences });
  await crew.readyOperations();
  return crew;
}

function us(ns: number | undefined): string {
  return `${((ns ?? 0) / 1000).toFixed(1)} µs`;
}

function besideText({ lookup, writer }: Result): string {
  if (lookup === 'deferred-unmap') return 'holder';
  return writer === 0 ? '' : 'writer';
}

/** The table of operations. */
export function operationTable(results: readonly Result[]): string[] {
  return aligned(
    [
      'operation',
      'design',
      'pages',
      'beside',
      'operations',
      'spread',
      'p50',
      'p99',
      'p99.9',
      'max',
    ],
    results.map((result) => [
      result.lookup,
      result.variant,
      String(result.batch),
      besideText(result),
      `${(result.opsPerSecond / 1000).toFixed(1)} k/s`,
      `± ${((result.spread / 2) * 100).toFixed(0)} %`,
      us(result.latencyNs?.p50),
      us(result.latencyNs?.p99),
      us(result.latencyNs?.p999),
      us(result.latencyNs?.max),
    ]),
  );
}

interface RawOptions {
  readonly operation?: string;
  readonly pages?: string;
  readonly seconds: string;
  readonly quick?: boolean;
}

function sizesOf(text: string | undefined): readonly number[] {
  if (text === undefined) return SIZES;
  return text.split(',').map((part) => {
    const size = wholeNumber(part.trim(), '--pages', 1);
    if (size > MOST_BATCH)
      throw new UsageError(`--pages can be at most ${MOST_BATCH}, not ${size}`);
    return size;
  });
}

async function run(raw: RawOptions, output: Output): Promise<void> {
  const names = raw.operation?.split(',').map((name) => oneOf(name, OPERATIONS, 'operation'));
  const cases = casesOf((names as OperationName[] | undefined) ?? OPERATIONS, sizesOf(raw.pages));
  const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
  const ms = raw.quick === true ? 20 : (seconds * 1000) / (cases.length * (ROUNDS + 1));
  const noise = new NoiseMeter();
  const live = new LiveLine();
  const began = performance.now();
  const runs = new Map<Case, Operated[]>(cases.map((one) => [one, []]));
  for (const design of DESIGNS) {
    const own = cases.filter((one) => one.design === design);
    if (own.length === 0) continue;
    const crew = await startCrew(design);
    try {
      for (let round = -1; round < ROUNDS; round++) {
        noise.sample();
        for (const one of own) {
          live.show(`${design}: ${one.operation} of ${one.size}, round ${round + 1} of ${ROUNDS}`);
          const did = await crew.operate(one.operation, one.size, one.beside, ms);
          if (did.wrong > 0 && !mayBreak(one)) throw new BenchError(`${one.operation} was refused`);
          if (round >= 0 && did.turns > 0) runs.get(one)?.push(did);
        }
      }
    } finally {
      await crew.end();
    }
  }
  live.clear();
  const results = [...runs]
    .filter(([, list]) => list.length > 0)
    .map(([one, list]) => resultOf(one, list));
  output.report(results, noise.noise(), (performance.now() - began) / 1000, operationTable);
}

/** The command. */
export function operationsCommand(): Command {
  const command = new Command('operations')
    .description('throughput and latency of map, unmap, split and get_user_pages_fast')
    .option('--operation <names>', `which: ${OPERATIONS.join(', ')} (default: all)`)
    .option('--pages <list>', `pages of map and unmap (default: ${SIZES.join(',')})`)
    .option('--seconds <s>', 'time for all of it', '60')
    .option('--quick', 'a few milliseconds each');
  return withOutput(command, run);
}
