/**
 * Footprints: what a process would do next, kept while it is not done: members of sleep sets and
 * of wake-up sequences. A footprint stays right as long as no conflicting event happens.
 */
import { grown } from '../columns.ts';
import { READS, READS_OWN, WRITES } from '../model.ts';
import { NONE } from './events.ts';
import type { Events } from './events.ts';
import type { EventNote } from './subtree.ts';

/** Events as footprints see them: of the history, or of another thread's. */
export type EventRows = Pick<
  Events,
  | 'proc'
  | 'effect'
  | 'word'
  | 'guard'
  | 'guardOwn'
  | 'ordinal'
  | 'choice'
  | 'actors'
  | 'cpu'
  | 'grouped'
>;

/** In the place of a choice of data: all values, one after the other. */
export const ANY = -1;

/** Footprints in columns; used as a stack. */
export class Footprints {
  proc = new Int32Array(256);
  effect = new Int32Array(256);
  word = new Int32Array(256);
  guard = new Int32Array(256);
  guardOwn = new Int32Array(256);
  ordinal = new Int32Array(256);
  /** A choice of data: the value, or ANY. */
  choice = new Int32Array(256);

  reserve(count: number): void {
    if (count <= this.proc.length) return;
    this.proc = grown(this.proc, count * 2);
    this.effect = grown(this.effect, count * 2);
    this.word = grown(this.word, count * 2);
    this.guard = grown(this.guard, count * 2);
    this.guardOwn = grown(this.guardOwn, count * 2);
    this.ordinal = grown(this.ordinal, count * 2);
    this.choice = grown(this.choice, count * 2);
  }

  /** Puts the footprint of event `x` at place `at`. */
  take(at: number, history: EventRows, x: number): void {
    this.proc[at] = history.proc[x];
    this.effect[at] = history.effect[x];
    this.word[at] = history.word[x];
    this.guard[at] = history.guard[x];
    this.guardOwn[at] = history.guardOwn[x];
    this.ordinal[at] = history.ordinal[x];
    this.choice[at] = history.choice[x];
  }

  /** Puts a footprint that came from another thread at place `at`. */
  put(at: number, event: EventNote): void {
    this.proc[at] = event[0];
    this.effect[at] = event[1];
    this.word[at] = event[2];
    this.guard[at] = event[3];
    this.guardOwn[at] = event[4];
    this.ordinal[at] = event[5];
    this.choice[at] = event[6];
  }

  /** The footprint at place `at`, to be sent. */
  note(at: number): EventNote {
    const { proc, effect, word, guard, guardOwn, ordinal, choice } = this;
    return [proc[at], effect[at], word[at], guard[at], guardOwn[at], ordinal[at], choice[at]];
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
    this.choice[at] = other.choice[from];
  }

  /**
   * Does footprint `at` stand for event `x`? A choice of data is another event for each value, for
   * what the actor does next depends on it.
   */
  standsFor(at: number, history: EventRows, x: number): boolean {
    if (this.proc[at] !== history.proc[x]) return false;
    return this.choice[at] === history.choice[x] || this.choice[at] === ANY;
  }

  /**
   * Does footprint `at` conflict with event `x`, which it does not stand for? Two values of one
   * choice exclude each other.
   */
  conflictsWith(at: number, history: EventRows, x: number): boolean {
    if (this.proc[at] === history.proc[x]) return true;
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

  private shareProcessor(at: number, history: EventRows, x: number): boolean {
    const process = this.proc[at];
    const other = history.proc[x];
    if (process >= history.actors || other >= history.actors) return false;
    return history.cpu[process] === history.cpu[other];
  }

  /**
   * Event `x` happens, which does not conflict with footprint `at`. If it is the flush of a store
   * that the footprint reads, that store is in memory from now on.
   */
  pass(at: number, history: EventRows, x: number): void {
    if (history.proc[x] < history.actors) return;
    if (history.proc[x] !== history.actors + history.cpu[this.proc[at]]) return;
    const ordinal = history.ordinal[x];
    if (this.effect[at] === READS_OWN && this.ordinal[at] === ordinal) this.effect[at] = READS;
    if (this.guardOwn[at] === ordinal) this.guardOwn[at] = NONE;
  }
}

/** Event `x`, to be sent. */
export function noteOf(rows: EventRows, x: number): EventNote {
  const { proc, effect, word, guard, guardOwn, ordinal, choice } = rows;
  return [proc[x], effect[x], word[x], guard[x], guardOwn[x], ordinal[x], choice[x]];
}
