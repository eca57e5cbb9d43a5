/**
 * Sleep sets (Godefroid): at each depth the processes that need not go next, because what follows
 * was explored when they went earlier. The sets of all depths of the execution lie on one stack.
 */
import { grown } from '../columns.ts';
import { ANY, Footprints } from './footprint.ts';
import type { History } from './history.ts';
import type { EventNote } from './subtree.ts';

export class SleepSets {
  readonly footprints = new Footprints();
  private start = new Int32Array(256);
  private end = new Int32Array(256);

  private reserve(depth: number): void {
    if (depth < this.start.length) return;
    this.start = grown(this.start, depth * 2);
    this.end = grown(this.end, depth * 2);
  }

  /** First place of the set at `depth`. */
  from(depth: number): number {
    return this.start[depth];
  }

  /** Place after the last of the set at `depth`. */
  to(depth: number): number {
    return this.end[depth];
  }

  /** Does the process sleep at `depth`, if only for some value of the choice that it makes? */
  has(depth: number, process: number): boolean {
    const { proc } = this.footprints;
    for (let k = this.start[depth]; k < this.end[depth]; k++) if (proc[k] === process) return true;
    return false;
  }

  /** Does the process sleep at `depth` for this value of the choice that it makes? */
  hasChoice(depth: number, process: number, value: number): boolean {
    const { proc, choice } = this.footprints;
    for (let k = this.start[depth]; k < this.end[depth]; k++) {
      if (proc[k] === process && (choice[k] === value || choice[k] === ANY)) return true;
    }
    return false;
  }

  /** Puts a set that came from another thread at `depth`, above the one before. */
  place(depth: number, sleepers: readonly EventNote[]): void {
    this.reserve(depth);
    const from = depth === 0 ? 0 : this.end[depth - 1];
    this.footprints.reserve(from + sleepers.length);
    sleepers.forEach((event, k) => this.footprints.put(from + k, event));
    this.start[depth] = from;
    this.end[depth] = from + sleepers.length;
  }

  /** The set at `depth`, to be sent. */
  notesAt(depth: number): EventNote[] {
    const notes: EventNote[] = [];
    for (let k = this.start[depth]; k < this.end[depth]; k++) notes.push(this.footprints.note(k));
    return notes;
  }

  /**
   * The process of event `depth` has been explored there: it sleeps from now on.
   * @param all - it was, for all values of the choice that it makes.
   */
  add(depth: number, history: History, all: boolean): void {
    const at = this.end[depth]++;
    this.footprints.reserve(at + 1);
    this.footprints.take(at, history, depth);
    if (all && history.choices[depth] > 1) this.footprints.choice[at] = ANY;
  }

  /** The set after event `depth`: those that do not conflict with it sleep on. */
  descend(depth: number, history: History): void {
    const { footprints } = this;
    this.reserve(depth + 1);
    const from = this.start[depth];
    const to = this.end[depth];
    this.start[depth + 1] = to;
    let at = to;
    for (let k = from; k < to; k++) {
      if (footprints.conflictsWith(k, history, depth)) continue;
      footprints.reserve(at + 1);
      footprints.move(at, k);
      footprints.pass(at++, history, depth);
    }
    this.end[depth + 1] = at;
  }
}
