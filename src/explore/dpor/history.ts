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
 */
import { LOAD_THROUGH, STORE_THROUGH } from '../../shared/kinds.ts';
import { mem } from '../../shared/memory.ts';
import type { Fibers } from '../fibers.ts';
import { INSERTS, READS, READS_OWN, WRITES } from '../model.ts';
import { CAPACITY, isWait } from '../models/tso.ts';
import { NONE } from './events.ts';
import { RacesOfWaits } from './waits.ts';

export class History extends RacesOfWaits {
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

  /** Puts the words back to what they were before event `length`. */
  undo(length: number): void {
    for (let i = this.length - 1; i >= length; i--) {
      if (this.effect[i] === WRITES) mem[this.word[i]] = this.before[i];
    }
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
}
