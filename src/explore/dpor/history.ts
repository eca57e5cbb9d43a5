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
import { CMPXCHG } from '../../shared/kinds.ts';
import { mem } from '../../shared/memory.ts';
import type { Fibers } from '../fibers.ts';
import { INSERTS, READS, READS_OWN, WRITES } from '../model.ts';
import { CAPACITY, isWait } from '../models/tso.ts';
import { isGuarded, NONE } from './events.ts';
import { RacesOfWaits } from './waits.ts';

export class History extends RacesOfWaits {
  /** Accesses whose store the open cut leaves in the buffer, though they read it from memory. */
  private readonly hidden: number[] = [];
  /** Forgets all events from number `length` on. */
  truncate(length: number): void {
    for (let i = this.length - 1; i >= length; i--) {
      const p = this.proc[i];
      this.last[p] = this.previous[i];
      const effect = this.effect[i];
      if (this.guard[i] >= 0) this.leaveGuard(i);
      if (effect >= READS) this.head[this.word[i]] = this.link[2 * i];
      else if (effect === READS_OWN) this.reader[this.source[2 * i]] = this.link[2 * i];
      else if (effect === INSERTS) this.leaveBuffer(i, this.cpu[p]);
      if (p >= this.actors) this.leaveMemory(i, p - this.actors);
      else if (this.grouped) this.groupLast[this.cpu[p]] = this.groupPrevious[i];
    }
    this.length = length;
    this.races = this.racesBefore(length);
  }

  private leaveGuard(i: number): void {
    const before = this.link[2 * i + 1];
    if (this.guardOwn[i] < 0) this.head[this.guard[i]] = before;
    else this.reader[this.source[2 * i + 1]] = before;
  }

  private leaveBuffer(i: number, buffer: number): void {
    this.inserts[this.slotOf(i, buffer)] = this.displaced[i];
    this.lastInsert[buffer] = this.previousInsert[i];
  }

  private leaveMemory(i: number, buffer: number): void {
    this.flushes[this.slotOf(i, buffer)] = this.displaced[i];
    this.flushOf[this.source[2 * i]] = NONE;
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
    this.guardOwn[i] = model.guardOrdinal;
    this.before[i] = model.before;
    this.after[i] = model.after;
    this.ordinal[i] = model.ordinal;
    if (this.grouped && process < this.actors) this.readForeignFromMemory(i, process);
    this.ownFlush[2 * i] = NONE;
    this.ownFlush[2 * i + 1] = NONE;
    this.startClock(i, process);
    this.joinAndRace(i, process);
    const row = i * this.processes;
    this.clock[row + process] = this.rank[i];
    this.enter(i, process);
    this.raceEnd[i] = this.races;
  }

  /**
   * A load from the buffer counts as one only if the store is the actor's own. If it was made by
   * an interrupt or by whom that interrupted, then the load could go before the store and read
   * memory: what it conflicts with must not hang on that, or executions would be missed.
   */
  private readForeignFromMemory(i: number, actor: number): void {
    const at = this.cpu[actor] * CAPACITY;
    if (this.effect[i] === READS_OWN) {
      const insert = this.inserts[at + (this.ordinal[i] % CAPACITY)];
      if (this.proc[insert] !== actor) this.effect[i] = READS;
    }
    if (this.guardOwn[i] >= 0) {
      const insert = this.inserts[at + (this.guardOwn[i] % CAPACITY)];
      if (this.proc[insert] !== actor) this.guardOwn[i] = NONE;
    }
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
      const insert = this.inserts[this.slotOf(i, process - actors)];
      this.source[2 * i] = insert;
      this.join(row, insert);
    } else {
      this.orderWithBuffer(i, row, this.cpu[process]);
    }
  }

  private orderWithBuffer(i: number, row: number, cpu: number): void {
    const { effect, guardOwn } = this;
    if (guardOwn[i] >= 0) {
      this.source[2 * i + 1] = this.inserts[cpu * CAPACITY + (guardOwn[i] % CAPACITY)];
    }
    if (effect[i] === INSERTS) {
      const slot = this.slotOf(i, cpu);
      if (this.ordinal[i] >= CAPACITY) this.join(row, this.flushes[slot]);
      this.displaced[i] = this.inserts[slot];
      this.inserts[slot] = i;
      this.previousInsert[i] = this.lastInsert[cpu];
      this.lastInsert[cpu] = i;
      this.reader[i] = NONE;
      this.flushOf[i] = NONE;
    } else if (effect[i] === READS_OWN) {
      this.source[2 * i] = this.inserts[this.slotOf(i, cpu)];
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
    const row = i * this.processes;
    const actor = process < this.actors;
    this.candidateCount = 0;
    this.gatherConflicts(i, process);
    if (actor && this.hasManyObstacles(i)) {
      this.raceInCuts(i, row);
      this.joinConflicts(i, process);
      return;
    }
    const last = actor && isWait(this.kind[i]) ? this.writeBefore(this.head[this.word[i]]) : NONE;
    if (last >= 0) this.raceOfWait(i, row, last);
    for (let k = 0; k < this.candidateCount; k++) {
      const e = this.candidates[k];
      if (this.clock[row + this.proc[e]] >= this.rank[e]) continue;
      if (e !== last) this.race(e, i);
      this.join(row, e);
    }
  }

  private joinConflicts(i: number, process: number): void {
    const row = i * this.processes;
    this.candidateCount = 0;
    this.gatherConflicts(i, process);
    for (let k = 0; k < this.candidateCount; k++) this.join(row, this.candidates[k]);
    this.orderAfterFlushes(i, row);
    if (!this.grouped) return;
    const before = this.groupLast[this.cpu[process]];
    if (before >= 0) this.join(row, before);
  }

  /** Can other things than one word in memory make the operation impossible? */
  private hasManyObstacles(i: number): boolean {
    return this.grouped || (this.processes > this.actors && isWait(this.kind[i]));
  }

  /** Can the operation conflict with other things in a cut than in the whole execution? */
  dependsOnCut(i: number): boolean {
    if (this.proc[i] >= this.actors) return false;
    const kind = this.kind[i];
    return kind === CMPXCHG || this.grouped || this.processes > this.actors || isGuarded(kind);
  }

  private gatherConflicts(i: number, process: number): void {
    const effect = this.effect[i];
    if (effect === WRITES) {
      this.gatherAll(this.word[i]);
    } else if (effect === READS) {
      this.gatherSource(2 * i, this.word[i], process);
      const flush = this.ownFlush[2 * i];
      if (flush >= 0) this.ordinal[i] = this.ordinal[flush];
    }
    if (this.guard[i] >= 0 && this.guardOwn[i] < 0) {
      this.gatherSource(2 * i + 1, this.guard[i], process);
    }
    if (this.candidateCount > 1 && this.guard[i] >= 0) this.sortCandidates();
  }

  /** Makes the event the last one of its words. */
  private enter(i: number, process: number): void {
    const effect = this.effect[i];
    if (effect >= READS) {
      const word = this.word[i];
      this.link[2 * i] = this.head[word];
      this.head[word] = 2 * i;
    } else if (effect === READS_OWN) {
      const insert = this.source[2 * i];
      this.link[2 * i] = this.reader[insert];
      this.reader[insert] = 2 * i;
    }
    if (this.guard[i] >= 0) this.enterGuard(i);
    if (process >= this.actors) {
      const slot = this.slotOf(i, process - this.actors);
      this.displaced[i] = this.flushes[slot];
      this.flushes[slot] = i;
      this.flushOf[this.source[2 * i]] = i;
    } else if (this.grouped) {
      const cpu = this.cpu[process];
      this.groupPrevious[i] = this.groupLast[cpu];
      this.groupLast[cpu] = i;
    }
  }

  private enterGuard(i: number): void {
    const access = 2 * i + 1;
    if (this.guardOwn[i] < 0) {
      this.link[access] = this.head[this.guard[i]];
      this.head[this.guard[i]] = access;
    } else {
      const insert = this.source[access];
      this.link[access] = this.reader[insert];
      this.reader[insert] = access;
    }
  }

  /** The choice of data that event `i`, the last, has made races with the other values of it. */
  raceOfChoice(i: number): void {
    this.race(i, i);
    this.raceEnd[i] = this.races;
  }

  /**
   * At the end of an execution: races of an actor's operation that is not possible any more. One
   * that is cut short may end before the flush that a locked operation waits for: that is no race.
   */
  raceOfStuck(fibers: Fibers, actor: number): void {
    const i = this.scratch();
    this.noteOperation(fibers, i, actor);
    this.choice[i] = 0;
    this.removedCount = 0;
    this.imagine(i, i);
    const row = i * this.processes;
    this.clock.fill(0, row, row + this.processes);
    if (this.last[actor] >= 0) this.join(row, this.last[actor]);
    this.candidateCount = 0;
    if (this.hasManyObstacles(i)) {
      if (!this.grouped) this.orderAfterFlushes(i, row);
      this.raceInCuts(i, row);
      // As that of an operation which was performed, the clock has the flushes that it comes after.
      this.orderAfterFlushes(i, row);
    } else if (isWait(this.kind[i]) && this.canHold(i)) {
      this.raceOfWait(i, row, this.writeBefore(this.head[this.operand[i]]));
    }
  }

  /**
   * Describes in row `at` what operation `second` does at the end of the open cut: what it reads
   * there, and with which effect, can differ from what it did after the race.
   */
  imagine(at: number, second: number): void {
    this.proc[at] = this.proc[second];
    this.choice[at] = this.choice[second];
    this.ordinal[at] = this.ordinal[second];
    this.guard[at] = NONE;
    this.guardOwn[at] = NONE;
    const actor = this.proc[second];
    if (actor >= this.actors) {
      this.effect[at] = WRITES;
      this.word[at] = this.word[second];
      return;
    }
    const kind = this.kind[second];
    this.word[at] = this.operand[second];
    this.effect[at] = this.effectOf(kind);
    if (isGuarded(kind)) {
      this.guard[at] = this.b[second];
      this.look(this.guard[at], actor);
      if (this.seesOwn(actor)) this.guardOwn[at] = this.ordinal[this.seenInsert];
    }
    if (this.effect[at] === READS || kind === CMPXCHG) this.imagineLoad(at, kind, this.a[second]);
  }

  private imagineLoad(at: number, kind: number, expected: number): void {
    this.look(this.word[at], this.proc[at]);
    if (kind === CMPXCHG && this.seenValue !== expected) this.effect[at] = READS;
    if (!this.seesOwn(this.proc[at])) return;
    this.effect[at] = READS_OWN;
    this.ordinal[at] = this.ordinal[this.seenInsert];
  }

  /**
   * Event `x` stays in the open cut. If it read its own processor's store from memory, but the
   * cut leaves that in the buffer, it reads it there. `revealStores` takes that back.
   */
  hideStores(x: number): void {
    if (this.actors === this.processes) return;
    const flush = this.ownFlush[2 * x];
    if (flush >= 0 && this.isOutside(flush)) {
      this.effect[x] = READS_OWN;
      this.hidden.push(2 * x);
    }
    const ofGuard = this.ownFlush[2 * x + 1];
    if (ofGuard >= 0 && this.isOutside(ofGuard)) {
      this.guardOwn[x] = this.ordinal[ofGuard];
      this.hidden.push(2 * x + 1);
    }
  }

  revealStores(): void {
    for (const access of this.hidden) {
      if ((access & 1) === 0) this.effect[access >> 1] = READS;
      else this.guardOwn[access >> 1] = NONE;
    }
    if (this.hidden.length > 0) this.hidden.length = 0;
  }
}
