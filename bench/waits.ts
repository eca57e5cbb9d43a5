/**
 * How long single lookups took, and for how much of it the host is to blame.
 *
 * A lookup takes long where it waits for others, or where the host holds somebody up: the reader,
 * or the writer while the reader waits for it. Linux counts for each thread how long it ran, how
 * long it was ready to run and did not, and how often it began to run (/proc/self/task/N/schedstat,
 * in nanoseconds). In a virtual machine the host may take the whole processor, which is in no
 * thread's count but in the steal of /proc/stat. What these say of one lookup can overlap, so a
 * wait for others that ran is known by two bounds. It was, at most, the least of
 *
 *   what the lookup took, less the longer of the times that reader and writer were ready only
 *   for each of the two, how long it ran, and SLEEP_MS for each time that it began to: who waits
 *   for something simulated runs or sleeps that long, and who is away longer waits for a page of
 *   memory, or for a lock of the JavaScript engine
 *
 * and at least what it took, less what all threads were ready only and what was stolen, together.
 *
 * The counts are read before every few lookups, and again after one that took longer than any wait
 * so far. What was lost between the first reading and the lookup is no excuse for it.
 */
import { closeSync, existsSync, openSync, readSync, readlinkSync } from 'node:fs';
import { SLEEP_MS } from '../src/shared/processor.ts';
import type { Run } from './scripts.ts';

/** Lookups between two readings. */
const GROUP = 16;
/** A tick of /proc/stat. */
const STAT_TICK_MS = 10;
/** How much of a thread's running is not counted yet: a tick of the scheduler. */
const UNCOUNTED_MS = 4;
/** A timer is not exact. */
const SLEPT_MS = 1.1 * SLEEP_MS;
const STEAL_COLUMN = 8;
const SPACE = 0x20;
const ZERO = 0x30;

/** What the lookups of a run took. */
export interface Waits {
  /** The longest lookup. */
  readonly longestMs: number;
  /** How long the host held somebody up in that one, at least; null: it does not tell. */
  readonly heldUpMs: number | null;
  /** The longest wait for threads that ran, by its bounds. */
  readonly atLeastMs: number;
  readonly atMostMs: number;
}

/** The kernel's number of the thread that calls; null where it has none to be asked by. */
export function threadNumber(): number | null {
  if (!existsSync('/proc/thread-self/schedstat')) return null;
  return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
}

/** What the host counts of a thread. */
export interface Count {
  readonly ranMs: number;
  /** Ready to run, and did not. */
  readonly readyMs: number;
  /** Times that it began to run. */
  readonly turns: number;
}

/** What the host counted from a moment before a lookup to its end. */
export interface Counted {
  /** By vCPU; null: the host does not tell. */
  readonly threads: readonly Count[] | null;
  /** Stolen from all processors together, at most. */
  readonly stolenMs: number;
  /** How long before the lookup counting began. */
  readonly earlyMs: number;
}

function presentMs({ ranMs, turns }: Count): number {
  return ranMs + UNCOUNTED_MS + turns * SLEPT_MS;
}

/** The bounds of what one lookup waited. @param own - its vCPU; 0 is the writer's. */
export function boundsOf(
  tookMs: number,
  { threads, stolenMs, earlyMs }: Counted,
  own: number,
): { atLeastMs: number; atMostMs: number } {
  if (threads === null) return { atLeastMs: 0, atMostMs: tookMs };
  const two = [threads[own] as Count, threads[0] as Count];
  const ready = Math.max(...two.map(({ readyMs }) => readyMs)) - earlyMs;
  const atMostMs = Math.max(0, Math.min(tookMs - Math.max(0, ready), ...two.map(presentMs)));
  const lost = threads.reduce((sum, { readyMs }) => sum + readyMs, stolenMs);
  return { atLeastMs: Math.min(atMostMs, Math.max(0, tookMs - lost)), atMostMs };
}

/** Reads the counts of the host. */
class Counts {
  private readonly files: number[] = [];
  private readonly stat: number | null;
  private readonly text = Buffer.alloc(256);

  constructor(threads: readonly (number | null)[]) {
    const told = threads.every((thread) => thread !== null);
    if (told)
      for (const n of threads) this.files.push(openSync(`/proc/self/task/${n}/schedstat`, 'r'));
    this.stat = told && existsSync('/proc/stat') ? openSync('/proc/stat', 'r') : null;
  }

  /** A number of a file's first line, without garbage. @param column - from 0. */
  private column(column: number): number {
    let at = 0;
    for (let gaps = 0; gaps < column && at < this.text.length; at++) {
      if (this.text[at] === SPACE && this.text[at + 1] !== SPACE) gaps++;
    }
    let value = 0;
    for (; (this.text[at] as number) >= ZERO; at++) value = value * 10 + this.text[at]! - ZERO;
    return value;
  }

  /** The counts of all threads; null if nobody counts. */
  threads(): Count[] | null {
    const all = this.files.map((file) => {
      readSync(file, this.text, 0, this.text.length, 0);
      return {
        ranMs: this.column(0) / 1e6,
        readyMs: this.column(1) / 1e6,
        turns: this.column(2),
      };
    });
    return all.length > 0 && all.every(({ turns }) => turns > 0) ? all : null;
  }

  /** Milliseconds that were stolen from all processors. */
  stolen(): number {
    if (this.stat === null) return 0;
    readSync(this.stat, this.text, 0, this.text.length, 0);
    return this.column(STEAL_COLUMN) * STAT_TICK_MS;
  }

  close(): void {
    for (const file of this.files) closeSync(file);
    if (this.stat !== null) closeSync(this.stat);
  }
}

/** Times the lookups of one thread. */
export class WaitWatch {
  private readonly own: number;
  private readonly counts: Counts;
  private longestMs = 0;
  private heldUpMs: number | null = null;
  private atLeastMs = 0;
  private atMostMs = 0;
  private before: Count[] | null = null;
  private stolen = 0;
  private readAt = 0;

  /** @param threads - numbers of the threads of all vCPUs. @param own - the vCPU of this one. */
  constructor(threads: readonly (number | null)[], own: number) {
    this.own = own;
    this.counts = new Counts(threads);
  }

  /** Looks keys up by a call each. */
  timed(call: Run): Run {
    return (keys, count) => {
      let sum = 0;
      this.stolen = this.counts.stolen();
      for (let i = 0; i < count; i++) {
        if (i % GROUP === 0) {
          this.before = this.counts.threads();
          this.readAt = performance.now();
        }
        const from = performance.now();
        sum = (sum + call(keys + i, 1)) | 0;
        const took = performance.now() - from;
        if (took > this.atMostMs) this.look(took, from);
      }
      return sum;
    };
  }

  private look(tookMs: number, from: number): void {
    const stolen = this.counts.stolen();
    const counted: Counted = {
      threads: this.since(this.before),
      // A tick may be under way, where there is such a thing as being stolen from.
      stolenMs: stolen === 0 ? 0 : stolen - this.stolen + STAT_TICK_MS,
      earlyMs: from - this.readAt,
    };
    const { atLeastMs, atMostMs } = boundsOf(tookMs, counted, this.own);
    this.atLeastMs = Math.max(this.atLeastMs, atLeastMs);
    this.atMostMs = Math.max(this.atMostMs, atMostMs);
    if (tookMs <= this.longestMs) return;
    this.longestMs = tookMs;
    this.heldUpMs = counted.threads === null ? null : tookMs - atMostMs;
  }

  private since(before: readonly Count[] | null): Count[] | null {
    const after = this.counts.threads();
    if (before === null || after === null) return null;
    return after.map(({ ranMs, readyMs, turns }, i) => {
      const then = before[i] as Count;
      return {
        ranMs: ranMs - then.ranMs,
        readyMs: readyMs - then.readyMs,
        turns: turns - then.turns,
      };
    });
  }

  /** What was seen; the watch is over. */
  end(): Waits {
    this.counts.close();
    const { longestMs, heldUpMs, atLeastMs, atMostMs } = this;
    return { longestMs, heldUpMs, atLeastMs, atMostMs };
  }
}
