/**
 * Measures the cells of one machine: warm-up until a cell is stable, then rounds, each of which
 * runs every variant of every cell once. What disturbs the host disturbs all of a round alike, and
 * what is compared was measured side by side.
 */
import type { Crew } from '../crew.ts';
import { BenchError } from '../crew.ts';
import type { VariantName } from '../lookups.ts';
import type { NativeLookup } from '../native.ts';
import type { NoiseMeter } from '../noise.ts';
import type { Result } from '../results.ts';
import type { Plan } from '../sequences.ts';
import { chunksOf } from '../sequences.ts';
import { median, spread } from '../statistics.ts';
import type { Did, Reading } from '../orders.ts';
import type { Cell, Station } from './cells.ts';

/** How long and how often. */
export interface Effort {
  /** Milliseconds of one run of a cell. */
  readonly sliceMs: number;
  readonly rounds: number;
  /** Runs of a cell that may warm it up. */
  readonly warmups: number;
}

/** Two runs of a warm cell differ by less. */
const STABLE = 0.05;

/** A cell in one variant, and what was measured of it. */
interface Task {
  readonly cell: Cell;
  readonly variant: VariantName;
  readonly samples: number[];
  lookups: number;
  retries: number;
  turns: number;
  writerMs: number;
  wrong: number;
  longestMs: number;
}

/** Lookups a second of all readers together. */
function rateOf(readers: readonly Did[]): number {
  return readers.reduce((sum, { lookups, ms }) => sum + (ms > 0 ? (lookups / ms) * 1000 : 0), 0);
}

/** Measures a station. @param onRun - called before each run, with the share that is done. */
export class Measurement {
  private readonly crew: Crew;
  private readonly native: NativeLookup | null;
  private readonly plan: Plan;
  private readonly effort: Effort;
  private readonly noise: NoiseMeter;
  private readonly tasks: Task[];
  private readonly onRun: (done: number) => void;
  private runs = 0;

  constructor(
    crew: Crew,
    native: NativeLookup | null,
    station: Station,
    variants: readonly VariantName[],
    plan: Plan,
    effort: Effort,
    noise: NoiseMeter,
    onRun: (done: number) => void,
  ) {
    this.crew = crew;
    this.native = native;
    this.plan = plan;
    this.effort = effort;
    this.noise = noise;
    this.onRun = onRun;
    const can = (variant: VariantName): boolean =>
      variant === 'native' ? native !== null : crew.variants.includes(variant);
    this.tasks = station.cells.flatMap((cell) =>
      variants.filter(can).map((variant) => ({
        cell,
        variant,
        samples: [],
        lookups: 0,
        retries: 0,
        turns: 0,
        writerMs: 0,
        wrong: 0,
        longestMs: 0,
      })),
    );
  }

  async run(): Promise<Result[]> {
    for (const task of this.tasks) await this.warmUp(task);
    for (let round = 0; round < this.effort.rounds; round++) {
      this.noise.sample();
      for (const task of this.tasks) {
        if (this.possible(task)) await this.sample(task);
      }
    }
    return this.tasks.filter((task) => task.samples.length > 0).map((task) => this.resultOf(task));
  }

  /** The native reference has readers of the whole machine, and nobody who changes it. */
  private possible({ cell, variant }: Task): boolean {
    return variant !== 'native' || (cell.writer === 0 && cell.changes === 0);
  }

  private async warmUp(task: Task): Promise<void> {
    if (!this.possible(task)) return;
    let before = 0;
    for (let i = 0; i < this.effort.warmups; i++) {
      const { rate } = await this.once(task);
      if (Math.abs(rate - before) < STABLE * rate) return;
      before = rate;
    }
  }

  private async sample(task: Task): Promise<void> {
    const { rate, readers, writer } = await this.once(task);
    task.samples.push(rate);
    for (const did of readers) {
      task.lookups += did.lookups;
      task.retries += did.retries;
      task.longestMs = Math.max(task.longestMs, did.longestMs);
    }
    task.turns += writer?.turns ?? 0;
    task.writerMs += writer?.ms ?? 0;
  }

  private async once(task: Task) {
    const all = this.tasks.length * (this.effort.rounds + this.effort.warmups);
    this.onRun(Math.min(1, this.runs++ / all));
    const { cell, variant } = task;
    const ms = this.effort.sliceMs;
    const readings = Array.from({ length: cell.readers }, () => this.readingOf(cell, variant));
    let readers: readonly Did[];
    let writer: Did | null = null;
    if (variant === 'native') {
      readers = await (this.native as NativeLookup).run(readings, ms);
    } else if (cell.readers === 1 && cell.writer === 0 && cell.changes === 0) {
      readers = await this.crew.time(readings, ms);
    } else {
      ({ readers, writer } = await this.crew.run({ readings, writer: cell.writer === 1, ms }));
    }
    const wrong = readers.reduce((sum, did) => sum + did.wrong, writer?.wrong ?? 0);
    task.wrong += wrong;
    if (wrong > 0) {
      const { lookup } = this.crew.shape;
      throw new BenchError(`${lookup} (${variant}) found a wrong page or refused a change`);
    }
    return { rate: rateOf(readers), readers, writer };
  }

  private readingOf(cell: Cell, variant: VariantName): Reading {
    const chunks = chunksOf(this.crew.shape, this.plan);
    const sequence = this.plan.sequences.findIndex(
      ({ distribution, sharing }) => distribution === cell.distribution && sharing === cell.sharing,
    );
    const { batch, changes } = cell;
    return { variant, batch, firstChunk: sequence * chunks, chunks, changes };
  }

  private resultOf(task: Task): Result {
    const { cell, variant, samples } = task;
    const { shape } = this.crew;
    const opsPerSecond = median(samples);
    const beside = (other: Partial<Cell>, name: VariantName): number | null => {
      const wanted = { ...cell, ...other };
      const found = this.tasks.find(
        ({ cell: c, variant: v }) =>
          v === name && (Object.keys(c) as (keyof Cell)[]).every((key) => c[key] === wanted[key]),
      );
      return found === undefined || found.samples.length === 0
        ? null
        : ratioOf(samples, found.samples);
    };
    return {
      suite: 'lookups',
      lookup: shape.lookup,
      variant,
      entries: shape.entries,
      vmas: shape.vmas,
      ...cell,
      opsPerSecond,
      spread: spread(samples),
      samples,
      retries: task.lookups === 0 ? 0 : task.retries / task.lookups,
      writerTurnsPerSecond: task.writerMs === 0 ? 0 : (task.turns / task.writerMs) * 1000,
      longestMs: task.longestMs,
      wrong: task.wrong,
      shareOfNative: variant === 'native' ? null : beside({}, 'native'),
      timesOneReader: cell.readers === 1 ? null : beside({ readers: 1 }, variant),
      latencyNs: null,
    };
  }
}

/** The median of the ratios within each round. */
export function ratioOf(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, i) => value / (b[i] ?? NaN)).filter((ratio) => !Number.isNaN(ratio)));
}
