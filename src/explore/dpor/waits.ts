/**
 * Races of operations that can be impossible: waits for a value, and all operations of a processor
 * that an interrupt can take. Such an operation cannot always go right before the event that made
 * it possible, but perhaps before an earlier one.
 */
import { mem } from '../../shared/memory.ts';
import { READS_OWN } from '../model.ts';
import { isWait } from '../models/tso.ts';
import { Events, holds, NONE } from './events.ts';

export class RacesOfWaits extends Events {
  /**
   * A wait cannot go right before the write that made it possible, but perhaps before an earlier
   * one: the latest at whose time it was possible, and that does not precede it anyway.
   * @returns the last write of the word, which is no race.
   */
  protected raceOfWait(second: number, row: number): number {
    const last = this.writeBefore(this.head[this.operand[second]]);
    this.raceEarlier(second, row, last);
    return last;
  }

  protected raceEarlier(second: number, row: number, from: number): void {
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
  protected processorAllows(second: number, e: number): boolean {
    const actor = this.proc[second];
    if (this.shareProcessor(e, actor)) return false;
    let level = this.level[second];
    for (let x = this.groupLast[this.cpu[actor]]; x >= 0 && this.precedes(e, x);) {
      level = this.level[x];
      x = this.groupPrevious[x];
    }
    return level <= this.ownLevel[actor] && this.bufferAllows(second, e);
  }

  protected bufferAllows(second: number, e: number): boolean {
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
  protected raceInGroup(i: number, row: number, process: number): void {
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
  protected possibleBefore(second: number, e: number): boolean {
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

  protected isOwnStoreAt(second: number, write: number): boolean {
    return this.proc[write] === this.actors + this.cpu[this.proc[second]];
  }

  protected shareProcessor(e: number, actor: number): boolean {
    return this.proc[e] < this.actors && this.cpu[this.proc[e]] === this.cpu[actor];
  }
}
