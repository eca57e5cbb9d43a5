/**
 * Races of operations that can be impossible: waits for a value, and all operations of a processor
 * that an interrupt can take. Such an operation cannot always go right before the event that made
 * it possible, but perhaps before an earlier one.
 */
import { READS_OWN, WRITES } from '../model.ts';
import { isWait } from '../models/tso.ts';
import { Cut } from './cut.ts';
import { holds } from './events.ts';

export class RacesOfWaits extends Cut {
  protected candidates = new Int32Array(256);
  protected candidateCount = 0;
  /** Clock of what needs no look any more as the first event of a race. */
  private covered = new Int32Array(0);

  protected addCandidate(e: number): void {
    if (this.candidateCount === this.candidates.length) {
      const larger = new Int32Array(this.candidates.length * 2);
      larger.set(this.candidates);
      this.candidates = larger;
    }
    this.candidates[this.candidateCount++] = e;
  }

  /**
   * A wait that depends on nothing but memory cannot go right before the write that made it
   * possible, but before the latest one at whose time it was, unless that precedes it anyway.
   * @param last - the last write of the word.
   */
  protected raceOfWait(second: number, row: number, last: number): void {
    const { kind, a, b } = this;
    for (let e = last; e >= 0; e = this.writeBefore(this.link[2 * e])) {
      if (this.isForced(row, e)) return;
      if (!holds(kind[second], this.before[e], a[second], b[second])) continue;
      this.race(e, second);
      return;
    }
  }

  /**
   * Races of an operation that several things can make impossible. Candidates are the events that
   * it conflicts with directly; to them come all writes of the word that it waits for (since its
   * own store, for that hides what was before), and all
   * events of a processor with interrupts. A candidate is a race if the operation is possible in a
   * cut that begins with it. If nothing more had to be taken away, then what precedes the candidate
   * is no race: executions in which the operation goes earlier follow from the reversed one.
   * @param row - of the clock of what precedes the operation whatever the schedule.
   */
  protected raceInCuts(i: number, row: number): void {
    this.gatherEarlier(i, row);
    this.sortCandidates();
    if (this.covered.length === 0) this.covered = new Int32Array(this.processes);
    const { covered, processes } = this;
    for (let q = 0; q < processes; q++) covered[q] = this.clock[row + q];
    for (let k = 0; k < this.candidateCount; k++) {
      const e = this.candidates[k];
      if (covered[this.proc[e]] >= this.rank[e]) continue;
      const possible = this.openLargest(i, row, e);
      if (possible && this.beginsWith(e)) {
        this.race(e, i);
        this.keepRemovals();
      }
      if (!possible || this.removedCount === 1) this.cover(e);
    }
  }

  private cover(e: number): void {
    const { clock, covered, processes } = this;
    const from = e * processes;
    for (let q = 0; q < processes; q++) {
      if (clock[from + q] > covered[q]) covered[q] = clock[from + q];
    }
  }

  private gatherEarlier(i: number, row: number): void {
    const actor = this.proc[i];
    if (isWait(this.kind[i]) && this.effect[i] !== READS_OWN && this.canHold(i)) {
      let e = this.writeBefore(this.head[this.operand[i]]);
      while (e >= 0 && !this.isForced(row, e) && !this.isOwnFlush(e, actor)) {
        this.addCandidate(e);
        e = this.writeBefore(this.link[2 * e]);
      }
    }
    if (!this.grouped) return;
    let e = this.groupLast[this.cpu[actor]];
    for (; e >= 0 && !this.isForced(row, e); e = this.groupPrevious[e]) this.addCandidate(e);
  }

  /** Is there a value for which the wait would be over? An assumption that fails has none. */
  protected canHold(i: number): boolean {
    return this.a[i] !== 0 || holds(this.kind[i], 0, 0, this.b[i]);
  }

  /** Latest first. */
  protected sortCandidates(): void {
    const { candidates } = this;
    for (let i = 1; i < this.candidateCount; i++) {
      const e = candidates[i];
      let k = i;
      for (; k > 0 && candidates[k - 1] < e; k--) candidates[k] = candidates[k - 1];
      candidates[k] = e;
    }
  }

  /** All accesses that a write of `word` comes after: the reads since the last write, and it. */
  protected gatherAll(word: number): void {
    let access = this.head[word];
    while (access >= 0) {
      const e = access >> 1;
      this.addCandidate(e);
      if ((access & 1) === 0 && this.effect[e] === WRITES) {
        if (this.proc[e] >= this.actors) this.gatherReaders(this.source[2 * e]);
        return;
      }
      access = this.link[access];
    }
  }

  private gatherReaders(insert: number): void {
    for (let access = this.reader[insert]; access >= 0; access = this.link[access]) {
      this.addCandidate(access >> 1);
    }
  }

  /**
   * The write that an access takes the word's value from, unless that is the flush of its own
   * store.
   * @param access - 2i for the word of event i, 2i + 1 for its guard.
   */
  protected gatherSource(access: number, word: number, process: number): void {
    const e = this.writeBefore(this.head[word]);
    if (e < 0) return;
    if (this.isOwnFlush(e, process)) this.ownFlush[access] = e;
    else this.addCandidate(e);
  }
}
