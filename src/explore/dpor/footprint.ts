/**
 * Footprints: what a process would do next, kept while it is not done: members of sleep sets and
 * of wake-up sequences. A footprint stays right as long as no conflicting event happens.
 */
import { grown } from '../columns.ts';
import { READS, READS_OWN, WRITES } from '../model.ts';
import type { History } from './history.ts';

/** Does an event with this footprint, by `process`, conflict with event `x` of the history? */
export function conflicts(
  history: History,
  process: number,
  effect: number,
  word: number,
  guard: number,
  x: number,
): boolean {
  const theirs = history.effect[x];
  if (effect === WRITES) {
    if (theirs >= READS && history.word[x] === word) return true;
    if (history.guard[x] === word) return true;
  } else if (effect === READS && theirs === WRITES && history.word[x] === word) {
    return true;
  }
  if (guard >= 0 && theirs === WRITES && history.word[x] === guard) return true;
  if (!history.grouped) return false;
  const other = history.proc[x];
  if (process >= history.actors || other >= history.actors) return false;
  return history.cpu[process] === history.cpu[other];
}

/** Does event `x` bring the store to memory that a load with this footprint reads? */
export function releases(
  history: History,
  process: number,
  effect: number,
  ordinal: number,
  x: number,
): boolean {
  return (
    effect === READS_OWN &&
    history.ordinal[x] === ordinal &&
    history.proc[x] === history.actors + history.cpu[process]
  );
}

/** Footprints in columns; used as a stack. */
export class Footprints {
  proc = new Int32Array(256);
  effect = new Int32Array(256);
  word = new Int32Array(256);
  guard = new Int32Array(256);
  ordinal = new Int32Array(256);

  reserve(count: number): void {
    if (count <= this.proc.length) return;
    this.proc = grown(this.proc, count * 2);
    this.effect = grown(this.effect, count * 2);
    this.word = grown(this.word, count * 2);
    this.guard = grown(this.guard, count * 2);
    this.ordinal = grown(this.ordinal, count * 2);
  }

  /** Puts the footprint of event `x` at place `at`. */
  take(at: number, history: History, x: number): void {
    this.proc[at] = history.proc[x];
    this.effect[at] = history.effect[x];
    this.word[at] = history.word[x];
    this.guard[at] = history.guard[x];
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
    this.ordinal[at] = other.ordinal[from];
  }

  /** Does footprint `at` conflict with event `x`? */
  conflictsWith(at: number, history: History, x: number): boolean {
    return conflicts(history, this.proc[at], this.effect[at], this.word[at], this.guard[at], x);
  }

  /** Event `x` happens, which does not conflict with footprint `at`. */
  pass(at: number, history: History, x: number): void {
    if (releases(history, this.proc[at], this.effect[at], this.ordinal[at], x)) {
      this.effect[at] = READS;
    }
  }
}
