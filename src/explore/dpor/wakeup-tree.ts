/**
 * Wake-up trees (Abdulla et al., POPL 2014 and JACM 2017): for each depth of the execution an
 * ordered tree of sequences that must still be explored from there. A leaf stands for everything
 * that begins with its path.
 */
import type { Column } from '../columns.ts';
import { grown } from '../columns.ts';
import type { EventRows } from './footprint.ts';
import { Footprints, noteOf } from './footprint.ts';
import type { Branch, EventNote } from './subtree.ts';

const NONE = -1;

export class WakeupTree {
  readonly footprints = new Footprints();
  private child = new Int32Array(256);
  private sibling = new Int32Array(256);
  private used = 0;
  private free = NONE;
  /** First node below the root of each depth. */
  private root: Column = new Int32Array(256).fill(NONE);
  /** The sequence to insert: events of the history. */
  private sequence = new Int32Array(256);
  private count = 0;
  /** Did the last insertion add a branch? */
  grafted = false;
  /** The event of the sequence that the last node which could begin it stands for, or NONE. */
  private matched = NONE;

  private allocate(): number {
    const node = this.free;
    if (node >= 0) {
      this.free = this.sibling[node];
      return node;
    }
    const fresh = this.used++;
    this.footprints.reserve(fresh + 1);
    if (fresh === this.child.length) {
      this.child = grown(this.child);
      this.sibling = grown(this.sibling);
    }
    return fresh;
  }

  /** Starts the tree of `depth` with what was below a node; NONE for a free hand. */
  open(depth: number, first: number): void {
    if (depth >= this.root.length) this.root = grown(this.root);
    this.root[depth] = first;
  }

  /** Takes the first branch of the tree of `depth`. @returns its node, or -1. */
  takeFirst(depth: number): number {
    const node = this.root[depth];
    if (node >= 0) this.root[depth] = this.sibling[node];
    return node;
  }

  processOf(node: number): number {
    return this.footprints.proc[node];
  }

  choiceOf(node: number): number {
    return this.footprints.choice[node];
  }

  /** Gives a taken node back. @returns the first of the nodes below it. */
  release(node: number): number {
    const below = this.child[node];
    this.sibling[node] = this.free;
    this.free = node;
    return below;
  }

  /** Begins a sequence. */
  clear(): void {
    this.count = 0;
  }

  /** Appends an event of the history to the sequence. */
  append(event: number): void {
    if (this.count === this.sequence.length) this.sequence = grown(this.sequence);
    this.sequence[this.count++] = event;
  }

  /** Is nothing left at `depth`? */
  isEmpty(depth: number): boolean {
    return this.root[depth] < 0;
  }

  /** Does the first branch at `depth` say how to go on below it? */
  isGuided(depth: number): boolean {
    return this.child[this.root[depth]] >= 0;
  }

  /** The processes with which the branches at `depth` begin. */
  processesAt(depth: number): number[] {
    const found: number[] = [];
    for (let node = this.root[depth]; node >= 0; node = this.sibling[node]) {
      found.push(this.processOf(node));
    }
    return found;
  }

  /** Makes nodes of branches that came from another thread. @returns the first, or -1. */
  plant(branches: readonly Branch[]): number {
    let first = NONE;
    for (const { event, below } of branches.toReversed()) {
      const child = this.plant(below);
      const node = this.allocate();
      this.footprints.put(node, event);
      this.child[node] = child;
      this.sibling[node] = first;
      first = node;
    }
    return first;
  }

  /** The branches at `depth`, to be sent. */
  notesAt(depth: number): Branch[] {
    return this.notesFrom(this.root[depth]);
  }

  /** The nodes from `first` on, with what is below them, to be sent. */
  notesFrom(first: number): Branch[] {
    const notes: Branch[] = [];
    for (let node = first; node >= 0; node = this.sibling[node]) notes.push(this.noteBranch(node));
    return notes;
  }

  /** A node with what is below it, to be sent. */
  noteBranch(node: number): Branch {
    return { event: this.footprints.note(node), below: this.notesFrom(this.child[node]) };
  }

  /** The sequence, to be sent. */
  noteSequence(history: EventRows): EventNote[] {
    return Array.from(this.sequence.subarray(0, this.count), (x) => noteOf(history, x));
  }

  /**
   * Inserts the sequence at `depth`, unless the tree has one that stands for it.
   * @returns the event of the sequence that the branch begins with; NONE if it begins with one
   *   that has nothing to do with the sequence.
   */
  insert(depth: number, history: EventRows): number {
    this.grafted = false;
    let parent = NONE;
    let node = this.root[depth];
    let last = NONE;
    let first = this.sequence[0];
    while (node >= 0) {
      if (this.canBegin(node, history)) {
        if (parent === NONE) first = this.matched;
        if (this.child[node] < 0 || this.count === 0) return first;
        parent = node;
        last = NONE;
        node = this.child[node];
      } else {
        last = node;
        node = this.sibling[node];
      }
    }
    if (this.count > 0) this.graft(depth, parent, last, history);
    this.grafted = this.count > 0;
    return first;
  }

  /**
   * Can the node's event come first in the sequence, perhaps because it has nothing to do with
   * it? If so it is taken out of the sequence.
   */
  private canBegin(node: number, history: EventRows): boolean {
    const { footprints } = this;
    const effect = footprints.effect[node];
    const guardOwn = footprints.guardOwn[node];
    const begins = this.comesFirst(node, history);
    footprints.effect[node] = effect;
    footprints.guardOwn[node] = guardOwn;
    return begins;
  }

  private comesFirst(node: number, history: EventRows): boolean {
    const { sequence, footprints } = this;
    this.matched = NONE;
    for (let k = 0; k < this.count; k++) {
      const x = sequence[k];
      if (footprints.standsFor(node, history, x)) {
        this.matched = x;
        sequence.copyWithin(k, k + 1, this.count--);
        return true;
      }
      if (footprints.conflictsWith(node, history, x)) return false;
      footprints.pass(node, history, x);
    }
    return true;
  }

  private graft(depth: number, parent: number, last: number, history: EventRows): void {
    let above = parent;
    let before = last;
    for (let k = 0; k < this.count; k++) {
      const node = this.allocate();
      this.footprints.take(node, history, this.sequence[k]);
      this.child[node] = NONE;
      this.sibling[node] = NONE;
      if (before >= 0) this.sibling[before] = node;
      else if (above >= 0) this.child[above] = node;
      else this.root[depth] = node;
      above = node;
      before = NONE;
    }
  }
}
