/**
 * Footprints: what a process would do next, kept while it is not done: members of sleep sets and
 * of wake-up sequences. A footprint stays right as long as no conflicting event happens.
 */
import { grown } from '../columns.ts';
import { READS, READS_OWN, WRITES } from '../model.ts';
import { NONE } from './events.ts';
import type { History } from './history.ts';

/** Footprints in columns; used as a stack. */
export class Footprints {
  proc = new Int32Array(256);
  effect = new Int32Array(256);
  word = new Int32Array(256);
  guard = new Int32Array(256);
  guardOwn = new Int32Array(256);
  ordinal = new Int32Array(256);

  reserve(count: number): void {
    if (count <= this.proc.length) return;
    this.proc = grown(this.proc, count * 2);
    this.effect = grown(this.effect, count * 2);
    this.word = grown(this.word, count * 2);
    this.guard = grown(this.guard, count * 2);
    this.guardOwn = grown(this.guardOwn, count * 2);
    this.ordinal = grown(this.ordinal, count * 2);
  }

  /** Puts the footprint of event `x` at place `at`. */
  take(at: number, history: History, x: number): void {
    this.proc[at] = history.proc[x];
    this.effect[at] = history.effect[x];
    this.word[at] = history.word[x];
    this.guard[at] = history.guard[x];
    this.guardOwn[at] = history.guardOwn[x];
    this.ordinal[at] = history.ordinal[x];
  }

  /** Copies a footprint from place to place. */
  move(at: number, from: number): void {
    this.copy(at, this, from);
  }

  /** Copies a footprint from another collection. */
  copy(at: number, other: Footprints, from: number): void {
    this.proc[at] = other.proc[from];
    this.effect[at] = other.effect[from];
    this.word[at] = other.word[from];
    this.guard[at] = other.guard[from];
    this.guardOwn[at] = other.guardOwn[from];
    this.ordinal[at] = other.ordinal[from];
  }

  /** Does footprint `at` conflict with event `x`? */
  conflictsWith(at: number, history: History, x: number): boolean {
    const effect = this.effect[at];
    const theirs = history.effect[x];
    const touched = history.word[x];
    if (effect === WRITES) {
      const word = this.word[at];
      if (theirs >= READS && touched === word) return true;
      if (history.guard[x] === word && history.guardOwn[x] < 0) return true;
    } else if (effect === READS && theirs === WRITES && touched === this.word[at]) {
      return true;
    }
    if (theirs === WRITES && this.guard[at] === touched && this.guardOwn[at] < 0) return true;
    return history.grouped && this.shareProcessor(at, history, x);
  }

  private shareProcessor(at: number, history: History, x: number): boolean {
    const process = this.proc[at];
    const other = history.proc[x];
    if (process >= history.actors || other >= history.actors) return false;
    return history.cpu[process] === history.cpu[other];
  }

  /**
   * Event `x` happens, which does not conflict with footprint `at`. If it is the flush of a store
   * that the footprint reads, that store is in memory from now on.
   */
  pass(at: number, history: History, x: number): void {
    if (history.proc[x] < history.actors) return;
    if (history.proc[x] !== history.actors + history.cpu[this.proc[at]]) return;
    const ordinal = history.ordinal[x];
    if (this.effect[at] === READS_OWN && this.ordinal[at] === ordinal) this.effect[at] = READS;
    if (this.guardOwn[at] === ordinal) this.guardOwn[at] = NONE;
  }
}
