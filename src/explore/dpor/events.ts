/**
 * The events of the current execution in columns of integers that are reused, their vector
 * clocks, the chains of accesses to each word, and the list of races.
 */
import {
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  KIND_COUNT,
  LOAD_THROUGH,
  STORE_THROUGH,
} from '../../shared/kinds.ts';
import type { Column } from '../columns.ts';
import { grown } from '../columns.ts';
import type { Fibers } from '../fibers.ts';
import { INSERTS, WRITES } from '../model.ts';
import { EFFECTS } from '../models/sc.ts';
import { CAPACITY, isStore } from '../models/tso.ts';

export const NONE = -1;

export class Events {
  readonly processes: number;
  readonly actors: number;
  length = 0;
  /** Columns by event. */
  proc = new Int32Array(0);
  /** Number of the event within its process, from 1. */
  rank = new Int32Array(0);
  effect = new Int32Array(0);
  word = new Int32Array(0);
  guard = new Int32Array(0);
  /** Number of the buffered store that the guard was read from; -1: it was read from memory. */
  guardOwn = new Int32Array(0);
  before = new Int32Array(0);
  after = new Int32Array(0);
  /** Number of the buffered store that is inserted, read or flushed. */
  ordinal = new Int32Array(0);
  kind = new Int32Array(0);
  a = new Int32Array(0);
  b = new Int32Array(0);
  c = new Int32Array(0);
  /** The word that the operation names; `word` can be its guard instead. */
  operand = new Int32Array(0);
  /** A choice of data: what was chosen, out of how many (0: the event is none). */
  choice = new Int32Array(0);
  choices = new Int32Array(0);
  /** Row i: for each process, how many of its events happen before event i or are it. */
  clock = new Int32Array(0);
  /** Races: pairs of events. The second one may be the row after the last, an operation to come. */
  raceFirst = new Int32Array(256);
  raceSecond = new Int32Array(256);
  races = 0;
  /** By race: 1 if it need not be looked at again. */
  settled = new Int32Array(256);
  /** Events that must go with the first of a race, one list; where that of each race ends. */
  protected removals = new Int32Array(256);
  protected removalEnd = new Int32Array(256);
  /** Access that takes its own processor's store from memory: the flush of that store; else -1. */
  ownFlush = new Int32Array(0);
  /** Interrupt level of the event's processor before the event. */
  protected level = new Int32Array(0);
  protected raceEnd = new Int32Array(0);
  protected previous = new Int32Array(0);
  protected groupPrevious = new Int32Array(0);
  /** What the event's entry in `inserts` or `flushes` was before. */
  protected displaced = new Int32Array(0);
  /** The last insertion into each buffer, and by insertion the one before it. */
  protected readonly lastInsert: Int32Array;
  protected previousInsert = new Int32Array(0);
  /**
   * Accesses: event i accesses its word as 2i and its guard as 2i + 1. Those of a word in memory
   * are linked from the last to the first, those that read a buffered store likewise.
   */
  protected link = new Int32Array(0);
  protected readonly head: Int32Array;
  protected readonly last: Int32Array;
  protected readonly groupLast: Int32Array;
  /** TSO: by access, the insertion that a flush or forwarded load goes back to; … */
  protected source = new Int32Array(0);
  /** … by insertion, the last access that was forwarded from it, and its flush; else -1. */
  protected reader = new Int32Array(0);
  protected flushOf = new Int32Array(0);
  protected readonly inserts: Int32Array;
  protected readonly flushes: Int32Array;
  /** 1 for kinds that wait for an empty buffer. */
  protected readonly draining = new Uint8Array(KIND_COUNT);
  readonly grouped: boolean;
  protected readonly ownLevel: Int32Array;
  readonly cpu: Int32Array;
  protected readonly interrupt: Uint8Array;

  constructor(fibers: Fibers) {
    const { processes, count, processors } = fibers;
    this.processes = processes;
    this.actors = count;
    this.head = new Int32Array(fibers.saved.length).fill(NONE);
    this.last = new Int32Array(processes).fill(NONE);
    this.groupLast = new Int32Array(count).fill(NONE);
    this.inserts = new Int32Array(fibers.model.buffers * CAPACITY).fill(NONE);
    this.lastInsert = new Int32Array(fibers.model.buffers).fill(NONE);
    this.flushes = new Int32Array(fibers.model.buffers * CAPACITY);
    this.grouped = processors.any;
    this.cpu = processors.cpu;
    this.interrupt = processors.interrupt;
    this.ownLevel = Int32Array.from(processors.above, (above, i) =>
      processors.any ? sharing(processors.cpu, i) - above.length : 0,
    );
    for (let kind = 0; kind < KIND_COUNT; kind++) {
      this.draining[kind] = fibers.model.drains(kind, false) ? 1 : 0;
    }
    this.reserve(256);
  }

  protected reserve(capacity: number): void {
    const grow = (column: Column, size = capacity): Column => grown(column, size);
    this.proc = grow(this.proc);
    this.rank = grow(this.rank);
    this.effect = grow(this.effect);
    this.word = grow(this.word);
    this.guard = grow(this.guard);
    this.guardOwn = grow(this.guardOwn);
    this.before = grow(this.before);
    this.after = grow(this.after);
    this.ordinal = grow(this.ordinal);
    this.kind = grow(this.kind);
    this.a = grow(this.a);
    this.b = grow(this.b);
    this.c = grow(this.c);
    this.operand = grow(this.operand);
    this.choice = grow(this.choice);
    this.choices = grow(this.choices);
    this.clock = grow(this.clock, capacity * this.processes);
    this.ownFlush = grow(this.ownFlush, capacity * 2);
    this.level = grow(this.level);
    this.raceEnd = grow(this.raceEnd);
    this.previous = grow(this.previous);
    this.groupPrevious = grow(this.groupPrevious);
    this.displaced = grow(this.displaced);
    this.previousInsert = grow(this.previousInsert);
    this.link = grow(this.link, capacity * 2);
    this.source = grow(this.source, capacity * 2);
    this.reader = grow(this.reader);
    this.flushOf = grow(this.flushOf);
  }

  /** Does event `e` happen before event `f`, or is it `f`? */
  precedes(e: number, f: number): boolean {
    return this.clock[f * this.processes + this.proc[e]] >= this.rank[e];
  }

  /** The last event of a process, or -1. */
  lastOf(process: number): number {
    return this.last[process];
  }

  /** Races that earlier events than `i` closed; those of `i` begin here. */
  racesBefore(i: number): number {
    return i === 0 ? 0 : this.raceEnd[i - 1];
  }

  protected slotOf(i: number, buffer: number): number {
    return buffer * CAPACITY + (this.ordinal[i] % CAPACITY);
  }

  protected join(row: number, event: number): void {
    const { clock, processes } = this;
    const from = event * processes;
    for (let q = 0; q < processes; q++) {
      const theirs = clock[from + q];
      if (theirs > clock[row + q]) clock[row + q] = theirs;
    }
  }

  protected writeBefore(access: number): number {
    let at = access;
    while (at >= 0 && ((at & 1) === 1 || this.effect[at >> 1] !== WRITES)) at = this.link[at];
    return at < 0 ? NONE : at >> 1;
  }

  protected drains(kind: number, actor: number): boolean {
    return this.draining[kind] === 1 || (this.interrupt[actor] === 1 && isAwait(kind));
  }

  protected race(e: number, second: number): void {
    const k = this.races++;
    if (k === this.raceFirst.length) {
      this.raceFirst = grown(this.raceFirst);
      this.raceSecond = grown(this.raceSecond);
      this.removalEnd = grown(this.removalEnd);
      this.settled = grown(this.settled);
    }
    this.raceFirst[k] = e;
    this.raceSecond[k] = second;
    this.settled[k] = 0;
    this.removalEnd[k] = k === 0 ? 0 : this.removalEnd[k - 1];
  }

  /** What an operation of this kind does, if it succeeds. */
  protected effectOf(kind: number): number {
    return isStore(kind) && this.processes > this.actors ? INSERTS : EFFECTS[kind];
  }

  /** The row after the last event, for an event that has not happened. */
  scratch(): number {
    if (this.length === this.proc.length) this.reserve(this.length * 2);
    return this.length;
  }
}

export function sharing(cpu: Int32Array, actor: number): number {
  return cpu.reduce((found, other) => (other === cpu[actor] ? found + 1 : found), -1);
}

export function isAwait(kind: number): boolean {
  return kind === AWAIT_EQUAL || kind === AWAIT_NOT_EQUAL;
}

export function isGuarded(kind: number): boolean {
  return kind === LOAD_THROUGH || kind === STORE_THROUGH;
}

export function holds(kind: number, value: number, a: number, b: number): boolean {
  return kind === AWAIT_NOT_EQUAL ? (value & a) !== b : (value & a) === b;
}
