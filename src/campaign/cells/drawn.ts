/**
 * A cell of a strategy that draws. Shard 0 is a pilot of one stretch; by the steps that its
 * executions took the others are sized, so that each takes some seconds. Steps and not seconds,
 * for seconds differ from machine to machine and from run to run.
 */
import { STRETCH } from '../../explore/strategy.ts';
import type { CellMemory, CellName, CellRun, DoneShard, Shard, ShardEnd, ToKeep } from './cell.ts';
import { FUZZ, doneShard } from './cell.ts';
import type { Verdict } from './cell.ts';
import type { Work } from '../work.ts';

/** Steps of a shard: some seconds, at some million steps a second. */
const SHARD_STEPS = 6_000_000;
/** Programs are prepared, run a few times and sometimes shrunk: they take longer. */
const FUZZ_STEPS = 600_000;
/** Executions of a shard at most. */
const MOST_EXECUTIONS = 4000 * STRETCH;
/** Numbers of executions are words of 32 bits. */
const LAST = 0x7fffffff - (0x7fffffff % STRETCH);

/** Which of a cell's shards are this machine's. */
export interface Portioning {
  /** From 0. */
  readonly index: number;
  readonly of: number;
}

export const EVERYTHING: Portioning = { index: 0, of: 1 };

export class DrawnCell implements CellRun {
  private readonly cell: CellName;
  private readonly part: Portioning;
  private readonly last: number;
  /** Executions of a shard behind the pilot; 0: the pilot is not done. */
  private size = 0;
  private pilotGiven = false;
  /** Number of the next shard that was never given out. */
  private fresh = 1;
  private readonly back: Shard[] = [];
  private readonly isDone = new Set<number>();
  private finished = 0;
  private broke = false;

  constructor(cell: CellName, part: Portioning, memory: CellMemory) {
    this.cell = cell;
    this.part = part;
    this.last = Math.min(cell.executions ?? LAST, LAST);
    for (const [number, shard] of memory.done) this.note(number, shard);
    this.pilotGiven = this.size > 0;
    this.skipDone();
  }

  private note(number: number, done: DoneShard): void {
    this.isDone.add(number);
    this.broke ||= done.broke;
    this.finished += this.executionsOf(number, done);
    if (number === 0) this.size = this.sizeFor(done);
  }

  /** Executions that a shard stands for, whether it came to an end or not. */
  private executionsOf(number: number, { executions, failed }: DoneShard): number {
    return failed ? (number === 0 ? STRETCH : this.size) : executions;
  }

  private sizeFor({ executions, discarded, steps }: DoneShard): number {
    const begun = Math.max(executions + discarded, 1);
    const wanted = this.cell.scenario === FUZZ ? FUZZ_STEPS : SHARD_STEPS;
    const stretches = Math.floor(wanted / Math.max(steps / begun, 1) / STRETCH);
    return Math.min(Math.max(stretches, 1) * STRETCH, MOST_EXECUTIONS);
  }

  /** First execution of a shard. */
  private firstOf(number: number): number {
    return number === 0 ? 0 : STRETCH + (number - 1) * this.size;
  }

  private skipDone(): void {
    const { index, of } = this.part;
    while (this.fresh % of !== index || this.isDone.has(this.fresh)) this.fresh++;
  }

  get ready(): boolean {
    if (this.back.length > 0) return true;
    if (this.size === 0) return !this.pilotGiven;
    return this.firstOf(this.fresh) < this.last;
  }

  get progress(): number | null {
    if (this.cell.executions === null) return null;
    const mine = (this.last / this.part.of) | 0;
    return Math.min(this.finished / Math.max(mine, 1), 1);
  }

  get verdict(): Verdict {
    if (this.broke) return 'broken';
    return this.cell.executions !== null && this.size > 0 && !this.ready ? 'undecided' : 'open';
  }

  next(): Shard | null {
    if (!this.ready) return null;
    const again = this.back.pop();
    if (again !== undefined) return again;
    if (this.size === 0) {
      this.pilotGiven = true;
      return this.shard(0, Math.min(STRETCH, this.last));
    }
    const number = this.fresh++;
    this.skipDone();
    return this.shard(number, Math.min(this.size, this.last - this.firstOf(number)));
  }

  private shard(number: number, executions: number): Shard {
    const { executions: _all, ...question } = this.cell;
    const first = this.firstOf(number);
    const work: Work =
      question.scenario === FUZZ
        ? {
            kind: 'fuzz',
            question: { ...question, seed: seedOf(question.seed, number) },
            executions,
          }
        : { kind: 'draw', question, first, executions };
    return { number, work };
  }

  putBack(shard: Shard): void {
    this.back.push(shard);
  }

  done({ number }: Shard, end: ShardEnd): ToKeep {
    if (!this.isDone.has(number)) this.note(number, doneShard(end));
    return { search: null, verdict: this.verdict };
  }
}

/** Programs of a shard: their seed, 32 bits. */
function seedOf(seed: number, number: number): number {
  return (seed + Math.imul(number, 0x9e3779b1)) >>> 0;
}
