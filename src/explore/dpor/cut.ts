/**
 * Cuts: executions from which events are taken away together with all that happens after them.
 * A race (e, q) says that q could go before e; what precedes q then is the cut without e. An
 * operation that can be impossible (a wait, or any of a processor with interrupts) may need more
 * taken away than e: then what the race is about is the largest cut in which it is possible.
 */
import { mem } from '../../shared/memory.ts';
import { WRITES } from '../model.ts';
import { isWait } from '../models/tso.ts';
import { Events, holds, NONE } from './events.ts';

/** Whatever is taken away, the operation stays impossible. */
const ALWAYS = -2;

export class Cut extends Events {
  /** What is taken away: these events and all that happens after one of them. */
  protected removed = new Int32Array(16);
  protected removedCount = 0;
  /** What `look` saw: the value, and the insertion of the store if it is still buffered. */
  protected seenValue = 0;
  protected seenInsert = NONE;
  /** The last write of the word in memory in the cut; NONE: it has its initial value. */
  private seenWrite = NONE;

  /** Opens the cut that race number k is about. */
  openCut(k: number): void {
    this.removed[0] = this.raceFirst[k];
    this.removedCount = 1;
    for (let at = k === 0 ? 0 : this.removalEnd[k - 1]; at < this.removalEnd[k]; at++) {
      this.remove(this.removals[at]);
    }
  }

  /** Is event `x` taken away? */
  isOutside(x: number): boolean {
    for (let k = 0; k < this.removedCount; k++) {
      if (this.precedes(this.removed[k], x)) return true;
    }
    return false;
  }

  /** The first event after `x` that is not taken away; `length` if there is none. */
  nextInside(x: number): number {
    const { clock, length, processes, removed } = this;
    const column = this.proc[removed[0]];
    const rank = this.rank[removed[0]];
    for (let next = x + 1; next < length; next++) {
      if (clock[next * processes + column] >= rank) continue;
      if (this.removedCount === 1 || !this.isOutside(next)) return next;
    }
    return length;
  }

  protected remove(x: number): void {
    if (this.removedCount === this.removed.length) {
      const larger = new Int32Array(this.removed.length * 2);
      larger.set(this.removed);
      this.removed = larger;
    }
    this.removed[this.removedCount++] = x;
  }

  /** Notes the open cut with the race that was found last. */
  protected keepRemovals(): void {
    const k = this.races - 1;
    for (let at = 1; at < this.removedCount; at++) {
      const end = this.removalEnd[k]++;
      if (end === this.removals.length) {
        const larger = new Int32Array(end * 2);
        larger.set(this.removals);
        this.removals = larger;
      }
      this.removals[end] = this.removed[at];
    }
  }

  /**
   * Opens the largest cut without `e` in which operation `i` is possible. Each step takes away
   * what is in the way of it in every larger cut, so there is one largest.
   * @param row - of the clock of what precedes the operation whatever the schedule.
   * @returns false if there is none.
   */
  protected openLargest(i: number, row: number, e: number): boolean {
    this.removed[0] = e;
    this.removedCount = 1;
    for (;;) {
      const obstacle = this.obstacleTo(i);
      if (obstacle === NONE) return true;
      if (obstacle < 0 || this.isForced(row, obstacle)) return false;
      this.remove(obstacle);
    }
  }

  /** Is `e` the earliest event that the open cut takes away? */
  protected beginsWith(e: number): boolean {
    for (let k = 1; k < this.removedCount; k++) if (this.removed[k] < e) return false;
    return true;
  }

  protected isForced(row: number, e: number): boolean {
    return this.clock[row + this.proc[e]] >= this.rank[e];
  }

  /** The last event of the cut that makes `i` impossible; NONE: nothing does; ALWAYS: all do. */
  private obstacleTo(i: number): number {
    const actor = this.proc[i];
    if (this.grouped) {
      const taken = this.interruptAbove(i, actor);
      if (taken !== NONE) return taken;
    }
    if (this.processes > this.actors && this.drains(this.kind[i], actor)) {
      const held = this.buffered(this.cpu[actor]);
      if (held !== NONE) return held;
    }
    if (!isWait(this.kind[i])) return NONE;
    this.look(this.operand[i], actor);
    if (holds(this.kind[i], this.seenValue, this.a[i], this.b[i])) return NONE;
    if (this.seenInsert !== NONE) return this.seenInsert;
    const write = this.seenWrite;
    if (write === NONE) return ALWAYS;
    return this.isFlushOf(write, actor) ? this.source[2 * write] : write;
  }

  /** The last event of the processor in the cut, if after it an interrupt is above the actor. */
  private interruptAbove(i: number, actor: number): number {
    let level = this.level[i];
    let x = this.groupLast[this.cpu[actor]];
    while (x >= 0 && this.isOutside(x)) {
      level = this.level[x];
      x = this.groupPrevious[x];
    }
    if (level <= this.ownLevel[actor]) return NONE;
    return x < 0 ? ALWAYS : x;
  }

  /** The first store that the cut leaves in the processor's buffer. */
  private buffered(cpu: number): number {
    const flusher = this.actors + cpu;
    let first = this.oldestBuffered(cpu);
    for (let f = this.last[flusher]; f >= 0 && this.isOutside(f); f = this.previous[f]) {
      first = this.source[2 * f];
    }
    return first === NONE || this.isOutside(first) ? NONE : first;
  }

  /** The insertion of the oldest store that was not flushed until now. */
  private oldestBuffered(cpu: number): number {
    let oldest = NONE;
    for (let x = this.lastInsert[cpu]; x >= 0 && this.flushOf[x] === NONE;) {
      oldest = x;
      x = this.previousInsert[x];
    }
    return oldest;
  }

  /** What the actor's processor would load from the word at the end of the cut. */
  protected look(word: number, actor: number): void {
    let write = this.writeBefore(this.head[word]);
    let value = write < 0 ? this.untouched(word) : this.after[write];
    while (write >= 0 && this.isOutside(write)) {
      value = this.before[write];
      write = this.writeBefore(this.link[2 * write]);
    }
    this.seenWrite = write;
    this.seenValue = value;
    this.seenInsert = NONE;
    if (this.processes === this.actors) return;
    let insert = this.lastInsert[this.cpu[actor]];
    while (insert >= 0 && (this.word[insert] !== word || this.isOutside(insert))) {
      insert = this.previousInsert[insert];
    }
    if (insert < 0) return;
    const flush = this.flushOf[insert];
    if (flush >= 0 && !this.isOutside(flush)) return;
    this.seenInsert = insert;
    this.seenValue = this.a[insert];
  }

  /** The value of a word that was not written before the event that is recorded now, if any. */
  private untouched(word: number): number {
    const now = this.length - 1;
    return this.effect[now] === WRITES && this.word[now] === word ? this.before[now] : mem[word];
  }

  /** Did `look` see a buffered store of the actor's own? */
  protected seesOwn(actor: number): boolean {
    return this.seenInsert >= 0 && this.proc[this.seenInsert] === actor;
  }

  /** Is the event a flush of the actor's own store? */
  protected isOwnFlush(event: number, actor: number): boolean {
    return this.isFlushOf(event, actor) && this.proc[this.source[2 * event]] === actor;
  }

  /** Is the event a flush of the buffer of the actor's processor? */
  protected isFlushOf(event: number, actor: number): boolean {
    return this.proc[event] === this.actors + this.cpu[actor];
  }
}
