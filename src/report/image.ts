/**
 * The machine's memory through one execution, as a page needs it to draw any moment: all words at
 * the first step, and what changed from step to step. Unlike the steps of the record it has the
 * words that actors keep for themselves too, which no operation touches.
 */
import type { CheckOptions } from '../explore/check.ts';
import { fibersFor } from '../explore/check.ts';
import type { Fibers } from '../explore/fibers.ts';
import type { Schedule } from '../explore/replay.ts';
import { Replay } from '../explore/strategies/replay.ts';
import type { Strategy } from '../explore/strategy.ts';
import type { Machine } from '../shared/layout.ts';
import { catchUp, mem } from '../shared/memory.ts';

/** Where the words of a table lie, and what they are. */
export interface ImageTable {
  /** As declared: `gnttab[d%].entry[%]`. */
  readonly name: string;
  readonly fields: readonly string[];
  readonly from: number;
  readonly words: number;
  /** Words of a record. */
  readonly stride: number;
  /** Records along each dimension, outermost first. */
  readonly counts: readonly number[];
}

export interface Image {
  readonly tables: readonly ImageTable[];
  /** Of a domain, for the names of vCPUs. */
  readonly vcpusPerDomain: number;
  readonly size: number;
  /** Words that are not 0 before the first step: word, value, word, … */
  readonly start: readonly number[];
  /** What each step and its actor's way to the next operation changed: step, word, value, … */
  readonly changes: readonly number[];
}

/** Replays, and looks at memory whenever the scheduler decides. */
class Watching implements Strategy {
  readonly name = 'replay';
  readonly exhaustive = false;
  readonly first: number[] = [];
  readonly changes: number[] = [];
  private readonly inner: Replay;
  private copy = new Int32Array(0);

  constructor({ schedule, choices }: Schedule) {
    this.inner = new Replay(schedule, choices, false);
  }

  start(): boolean {
    return this.inner.start();
  }

  pick(fibers: Fibers): number {
    if (fibers.steps === 0) this.begin();
    else this.look(fibers.steps - 1);
    return this.inner.pick(fibers);
  }

  private begin(): void {
    this.copy = mem.slice();
    for (let word = 0; word < mem.length; word++) {
      if (mem[word] !== 0) this.first.push(word, mem[word] as number);
    }
  }

  private look(step: number): void {
    catchUp(this.copy, (word, value) => this.changes.push(step, word, value));
  }

  choose(fibers: Fibers, count: number): number {
    return this.inner.choose(fibers, count);
  }

  performed(): void {}

  end(fibers: Fibers): boolean {
    if (fibers.steps > 0) this.look(fibers.steps - 1);
    return this.inner.end();
  }
}

/** Replays a schedule of an attached program and keeps what memory was at every step. */
export function imageOf(options: CheckOptions, schedule: Schedule): Image {
  const watching = new Watching(schedule);
  const fibers = fibersFor(options, watching);
  try {
    fibers.run();
  } finally {
    fibers.rewind();
  }
  const { machine } = options;
  return {
    tables: tablesOf(machine),
    vcpusPerDomain: machine.config['vcpusPerDomain'] ?? 1,
    size: machine.words.length,
    start: watching.first,
    changes: watching.changes,
  };
}

function tablesOf({ places }: Machine): ImageTable[] {
  return places.map(({ shape, from, words, stride, counts }) => ({
    name: shape.name,
    fields: shape.fieldNames,
    from,
    words,
    stride,
    counts,
  }));
}
