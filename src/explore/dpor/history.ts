/**
 * The events of the current execution, with what dynamic partial-order reduction needs to know of
 * each: what it touched, its vector clock, and the races that it closes.
 *
 * Happens-before is the order of each process, plus the order of conflicting accesses to a word.
 * Under TSO a flush is the memory effect of a store, and the trace is chronological (Abdulla et
 * al., "Stateless model checking for TSO and PSO", TACAS 2015): a load that takes its own
 * processor's store is not ordered with the flush of that store, only before the next store to
 * the word by another; so it does not matter whether it found the value in the buffer or in
 * memory.
 *
 * Everything lies in columns of integers that are reused; going back to a prefix is `truncate`.
 */
import {
  AWAIT_EQUAL,
  AWAIT_NOT_EQUAL,
  KIND_COUNT,
  LOAD_THROUGH,
  STORE_THROUGH,
} from '../../shared/kinds.ts';
import { mem } from '../../shared/memory.ts';
import type { Column } from '../columns.ts';
import { grown } from '../columns.ts';
import type { Fibers } from '../fibers.ts';
import { INSERTS, READS, READS_OWN, WRITES } from '../model.ts';
import { EFFECTS } from '../models/sc.ts';
import { CAPACITY, isStore, isWait } from '../models/tso.ts';

const NONE = -1;

export class History {
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
  /** A load that takes its own processor's store from memory: the flush of that store; else -1. */
  ownFlush = new Int32Array(0);
  /** Interrupt level of the event's processor before the event. */
  private level = new Int32Array(0);
  private raceEnd = new Int32Array(0);
  private previous = new Int32Array(0);
  private groupPrevious = new Int32Array(0);
  /** What the event's entry in `inserts` or `flushes` was before. */
  private displaced = new Int32Array(0);
  /** Accesses: event i accesses its word as 2i and its guard as 2i + 1. */
  private link = new Int32Array(0);
  private readonly head: Int32Array;
  private readonly last: Int32Array;
  private readonly groupLast: Int32Array;
  /** TSO: the insertion a flush or forwarded load goes back to, and an insertion's readers. */
  private source = new Int32Array(0);
  private reader = new Int32Array(0);
  private nextReader = new Int32Array(0);
  private readonly inserts: Int32Array;
  private readonly flushes: Int32Array;
  /** 1 for kinds that wait for an empty buffer. */
  private readonly draining = new Uint8Array(KIND_COUNT);
  readonly grouped: boolean;
  private readonly ownLevel: Int32Array;
  readonly cpu: Int32Array;
  private readonly interrupt: Uint8Array;
  private candidates = new Int32Array(0);
  private candidateCount = 0;

  constructor(fibers: Fibers) {
    const { processes, count, processors } = fibers;
    this.processes = processes;
    this.actors = count;
    this.head = new Int32Array(fibers.saved.length).fill(NONE);
    this.last = new Int32Array(processes).fill(NONE);
    this.groupLast = new Int32Array(count).fill(NONE);
    this.inserts = new Int32Array(fibers.model.buffers * CAPACITY);
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

  private reserve(capacity: number): void {
    const grow = (column: Column, size = capacity): Column => grown(column, size);
    this.proc = grow(this.proc);
    this.rank = grow(this.rank);
    this.effect = grow(this.effect);
    this.word = grow(this.word);
    this.guard = grow(this.guard);
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
    this.ownFlush = grow(this.ownFlush);
    this.level = grow(this.level);
    this.raceEnd = grow(this.raceEnd);
    this.previous = grow(this.previous);
    this.groupPrevious = grow(this.groupPrevious);
    this.displaced = grow(this.displaced);
    this.candidates = new Int32Array(capacity * 2);
    this.link = grow(this.link, capacity * 2);
    this.source = grow(this.source);
    this.reader = grow(this.reader);
    this.nextReader = grow(this.nextReader);
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

  /** Forgets all events from number `length` on. */
  truncate(length: number): void {
    for (let i = this.length - 1; i >= length; i--) {
      const p = this.proc[i];
      this.last[p] = this.previous[i];
      const effect = this.effect[i];
      if (this.guard[i] >= 0) this.head[this.guard[i]] = this.link[2 * i + 1];
      if (effect >= READS) this.head[this.word[i]] = this.link[2 * i];
      else if (effect === READS_OWN) this.reader[this.source[i]] = this.nextReader[i];
      else if (effect === INSERTS) this.inserts[this.slotOf(i, this.cpu[p])] = this.displaced[i];
      if (p >= this.actors) this.flushes[this.slotOf(i, p - this.actors)] = this.displaced[i];
      if (this.grouped && p < this.actors) this.groupLast[this.cpu[p]] = this.groupPrevious[i];
    }
    this.length = length;
    this.races = this.racesBefore(length);
  }

  private slotOf(i: number, buffer: number): number {
    return buffer * CAPACITY + (this.ordinal[i] % CAPACITY);
  }

  /** Records what the process has just done, and finds the races that it closes. */
  record(fibers: Fibers, process: number, chosen: number, choices: number): void {
    const i = this.length;
    if (i === this.proc.length) this.reserve(i * 2);
    this.length = i + 1;
    this.choice[i] = chosen;
    this.choices[i] = choices;
    this.noteOperation(fibers, i, process);
    const { model } = fibers;
    this.effect[i] = model.effect;
    this.word[i] = model.touched;
    this.guard[i] = model.guard;
    this.before[i] = model.before;
    this.after[i] = model.after;
    this.ordinal[i] = model.ordinal;
    this.ownFlush[i] = NONE;
    this.startClock(i, process);
    this.joinAndRace(i, process);
    const row = i * this.processes;
    this.clock[row + process] = this.rank[i];
    this.enter(i, process);
    this.raceEnd[i] = this.races;
  }

  private noteOperation(fibers: Fibers, i: number, process: number): void {
    this.proc[i] = process;
    if (process < this.actors) {
      const { pending } = fibers;
      this.kind[i] = pending.kind[process];
      this.operand[i] = pending.word[process];
      this.a[i] = pending.a[process];
      this.b[i] = pending.b[process];
      this.c[i] = pending.c[process];
      this.level[i] = this.grouped ? this.levelOf(fibers, process) : 0;
    } else {
      this.kind[i] = 0;
    }
  }

  /** The highest interrupt level that is taken on the actor's processor. */
  private levelOf(fibers: Fibers, actor: number): number {
    let level = 0;
    for (let i = 0; i < this.actors; i++) {
      if (this.cpu[i] !== this.cpu[actor] || this.interrupt[i] === 0) continue;
      if (!fibers.isIdle(i)) level = Math.max(level, this.ownLevel[i]);
    }
    return level;
  }

  /** The clock of what precedes the event whatever the schedule: its own process and buffer. */
  private startClock(i: number, process: number): void {
    const { processes, actors } = this;
    const row = i * processes;
    const before = this.last[process];
    this.previous[i] = before;
    this.last[process] = i;
    if (before < 0) {
      this.rank[i] = 1;
      this.clock.fill(0, row, row + processes);
    } else {
      this.rank[i] = this.rank[before] + 1;
      const from = before * processes;
      for (let q = 0; q < processes; q++) this.clock[row + q] = this.clock[from + q];
    }
    if (processes === actors) return;
    if (process >= actors) {
      this.source[i] = this.inserts[this.slotOf(i, process - actors)];
      this.join(row, this.source[i]);
    } else {
      this.orderWithBuffer(i, row, this.cpu[process]);
    }
  }

  private orderWithBuffer(i: number, row: number, cpu: number): void {
    const ordinal = this.ordinal[i];
    const slot = this.slotOf(i, cpu);
    if (this.effect[i] === INSERTS) {
      if (ordinal >= CAPACITY) this.join(row, this.flushes[slot]);
      this.displaced[i] = this.inserts[slot];
      this.inserts[slot] = i;
      this.reader[i] = NONE;
    } else if (this.effect[i] === READS_OWN) {
      this.source[i] = this.inserts[slot];
    } else if (!this.grouped) {
      this.orderAfterFlushes(i, row);
    }
  }

  /** A locked operation comes after the flushes of its processor. */
  private orderAfterFlushes(i: number, row: number): void {
    if (this.actors === this.processes || !this.drains(this.kind[i], this.proc[i])) return;
    const flush = this.last[this.actors + this.cpu[this.proc[i]]];
    if (flush >= 0) this.join(row, flush);
  }

  private drains(kind: number, actor: number): boolean {
    return this.draining[kind] === 1 || (this.interrupt[actor] === 1 && isAwait(kind));
  }
  private join(row: number, event: number): void {
    const { clock, processes } = this;
    const from = event * processes;
    for (let q = 0; q < processes; q++) {
      const theirs = clock[from + q];
      if (theirs > clock[row + q]) clock[row + q] = theirs;
    }
  }

  /** Orders the event after the conflicting ones; those adjacent to it in that order race. */
  private joinAndRace(i: number, process: number): void {
    const effect = this.effect[i];
    const row = i * this.processes;
    this.candidateCount = 0;
    const grouped = this.grouped && process < this.actors;
    const last = isWait(this.kind[i]) && effect >= READS ? this.raceOfWait(i, row) : NONE;
    if (grouped) {
      this.raceInGroup(i, row, process);
      this.orderAfterFlushes(i, row);
      const before = this.groupLast[this.cpu[process]];
      if (before >= 0) this.candidates[this.candidateCount++] = before;
    }
    if (effect === WRITES) this.gatherAll(this.word[i]);
    else if (effect === READS) this.gatherSource(i, this.word[i], process);
    if (this.guard[i] >= 0) this.gatherWrite(this.guard[i], process);
    if (this.guard[i] >= 0 || grouped) this.sortCandidates();
    for (let k = 0; k < this.candidateCount; k++) {
      const e = this.candidates[k];
      if (this.clock[row + this.proc[e]] >= this.rank[e]) continue;
      if (e !== last && !(grouped && this.shareProcessor(e, process))) this.race(e, i);
      this.join(row, e);
    }
  }

  private shareProcessor(e: number, actor: number): boolean {
    return this.proc[e] < this.actors && this.cpu[this.proc[e]] === this.cpu[actor];
  }

  /** All accesses that a write of `word` comes after: the reads since the last write, and it. */
  private gatherAll(word: number): void {
    let access = this.head[word];
    while (access >= 0) {
      const e = access >> 1;
      this.candidates[this.candidateCount++] = e;
      if ((access & 1) === 0 && this.effect[e] === WRITES) {
        if (this.proc[e] >= this.actors) this.gatherReaders(this.source[e]);
        return;
      }
      access = this.link[access];
    }
  }

  private gatherReaders(insert: number): void {
    for (let e = this.reader[insert]; e >= 0; e = this.nextReader[e]) {
      this.candidates[this.candidateCount++] = e;
    }
  }

  /** The write that a load of `word` takes its value from, unless its own processor flushed it. */
  private gatherSource(i: number, word: number, process: number): void {
    const e = this.writeBefore(this.head[word]);
    if (e < 0) return;
    if (this.proc[e] === this.actors + this.cpu[process]) {
      this.ownFlush[i] = e;
      this.ordinal[i] = this.ordinal[e];
    } else {
      this.candidates[this.candidateCount++] = e;
    }
  }

  private gatherWrite(word: number, process: number): void {
    const e = this.writeBefore(this.head[word]);
    if (e < 0 || this.proc[e] === this.actors + this.cpu[process]) return;
    this.candidates[this.candidateCount++] = e;
  }

  private writeBefore(access: number): number {
    let at = access;
    while (at >= 0 && ((at & 1) === 1 || this.effect[at >> 1] !== WRITES)) at = this.link[at];
    return at < 0 ? NONE : at >> 1;
  }

  /** Latest first. */
  private sortCandidates(): void {
    const { candidates } = this;
    for (let i = 1; i < this.candidateCount; i++) {
      const e = candidates[i];
      let k = i;
      for (; k > 0 && candidates[k - 1] < e; k--) candidates[k] = candidates[k - 1];
      candidates[k] = e;
    }
  }

  private race(e: number, second: number): void {
    if (this.races === this.raceFirst.length) {
      this.raceFirst = grown(this.raceFirst);
      this.raceSecond = grown(this.raceSecond);
    }
    this.raceFirst[this.races] = e;
    this.raceSecond[this.races++] = second;
  }

  /**
   * A wait cannot go right before the write that made it possible, but perhaps before an earlier
   * one: the latest at whose time it was possible, and that does not precede it anyway.
   * @returns the last write of the word, which is no race.
   */
  private raceOfWait(second: number, row: number): number {
    const last = this.writeBefore(this.head[this.operand[second]]);
    this.raceEarlier(second, row, last);
    return last;
  }

  private raceEarlier(second: number, row: number, from: number): void {
    let own = NONE;
    for (let e = from; e >= 0; e = this.writeBefore(this.link[2 * e])) {
      if (this.clock[row + this.proc[e]] >= this.rank[e]) return;
      if (this.isOwnStoreAt(second, e)) {
        own = e;
        continue;
      }
      if (own >= 0 && !this.precedes(e, this.source[own])) continue;
      const { kind, a, b } = this;
      if (!holds(kind[second], this.before[e], a[second], b[second])) continue;
      if (this.grouped && !this.processorAllows(second, e)) continue;
      this.race(e, second);
      return;
    }
  }

  /** Could the processor run `second` if all that comes after `e` had not happened? */
  private processorAllows(second: number, e: number): boolean {
    const actor = this.proc[second];
    if (this.shareProcessor(e, actor)) return false;
    let level = this.level[second];
    for (let x = this.groupLast[this.cpu[actor]]; x >= 0 && this.precedes(e, x);) {
      level = this.level[x];
      x = this.groupPrevious[x];
    }
    return level <= this.ownLevel[actor] && this.bufferAllows(second, e);
  }

  private bufferAllows(second: number, e: number): boolean {
    const actor = this.proc[second];
    if (this.actors === this.processes || !this.drains(this.kind[second], actor)) return true;
    let first = NONE;
    for (let f = this.last[this.actors + this.cpu[actor]]; f >= 0 && this.precedes(e, f);) {
      first = f;
      f = this.previous[f];
    }
    return first < 0 || this.precedes(e, this.source[first]);
  }

  /** The same for a processor that is shared with interrupts: before the event that took it. */
  private raceInGroup(i: number, row: number, process: number): void {
    let e = this.groupLast[this.cpu[process]];
    while (e >= 0 && this.clock[row + this.proc[e]] < this.rank[e]) {
      const free = this.level[e] <= this.ownLevel[process] && this.bufferAllows(i, e);
      if (free && this.possibleBefore(i, e)) {
        this.race(e, i);
        return;
      }
      e = this.groupPrevious[e];
    }
  }

  /** Would the wait `second` be possible if all that comes after `e` had not happened? */
  private possibleBefore(second: number, e: number): boolean {
    if (!isWait(this.kind[second])) return true;
    const word = this.operand[second];
    const own = this.effect[second] === READS_OWN;
    if (own && !this.precedes(e, this.source[second])) return true;
    let write = this.writeBefore(this.head[word]);
    const untouched = own ? mem[word] : this.before[second];
    let value = write < 0 ? untouched : this.after[write];
    while (write >= 0 && this.precedes(e, write)) {
      if (this.isOwnStoreAt(second, write) && !this.precedes(e, this.source[write])) break;
      value = this.before[write];
      write = this.writeBefore(this.link[2 * write]);
    }
    return holds(this.kind[second], value, this.a[second], this.b[second]);
  }

  private isOwnStoreAt(second: number, write: number): boolean {
    return this.proc[write] === this.actors + this.cpu[this.proc[second]];
  }

  /** Makes the event the last one of its words. */
  private enter(i: number, process: number): void {
    const effect = this.effect[i];
    if (effect >= READS) {
      const word = this.word[i];
      this.link[2 * i] = this.head[word];
      this.head[word] = 2 * i;
    } else if (effect === READS_OWN) {
      const insert = this.source[i];
      this.nextReader[i] = this.reader[insert];
      this.reader[insert] = i;
    }
    if (this.guard[i] >= 0) {
      this.link[2 * i + 1] = this.head[this.guard[i]];
      this.head[this.guard[i]] = 2 * i + 1;
    }
    if (process >= this.actors) {
      const slot = this.slotOf(i, process - this.actors);
      this.displaced[i] = this.flushes[slot];
      this.flushes[slot] = i;
    } else if (this.grouped) {
      const cpu = this.cpu[process];
      this.groupPrevious[i] = this.groupLast[cpu];
      this.groupLast[cpu] = i;
    }
  }

  /** At the end of an execution: races of an actor's operation that is not possible any more. */
  raceOfStuck(fibers: Fibers, actor: number): void {
    const i = this.scratch();
    this.noteOperation(fibers, i, actor);
    this.effect[i] = this.effectOf(this.kind[i]);
    this.word[i] = this.operand[i];
    this.guard[i] =
      this.kind[i] === LOAD_THROUGH || this.kind[i] === STORE_THROUGH ? this.b[i] : -1;
    this.ordinal[i] = NONE;
    this.choice[i] = 0;
    this.before[i] = mem[this.operand[i]];
    const row = i * this.processes;
    this.clock.fill(0, row, row + this.processes);
    if (this.last[actor] >= 0) this.join(row, this.last[actor]);
    if (!this.grouped) this.orderAfterFlushes(i, row);
    if (isWait(this.kind[i])) this.raceOfWait(i, row);
    if (this.grouped) this.raceInGroup(i, row, actor);
  }

  /** What an operation of this kind does, if it succeeds. */
  effectOf(kind: number): number {
    return isStore(kind) && this.processes > this.actors ? INSERTS : EFFECTS[kind];
  }

  /** The row after the last event, for an event that has not happened. */
  scratch(): number {
    if (this.length === this.proc.length) this.reserve(this.length * 2);
    return this.length;
  }
}

function sharing(cpu: Int32Array, actor: number): number {
  return cpu.reduce((found, other) => (other === cpu[actor] ? found + 1 : found), -1);
}

function isAwait(kind: number): boolean {
  return kind === AWAIT_EQUAL || kind === AWAIT_NOT_EQUAL;
}

function holds(kind: number, value: number, a: number, b: number): boolean {
  return kind === AWAIT_NOT_EQUAL ? (value & a) !== b : (value & a) === b;
}
