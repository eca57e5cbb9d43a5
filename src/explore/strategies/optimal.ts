/**
 * Optimal dynamic partial-order reduction (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014,
 * algorithm 2): races are reversed when an execution is complete, and the reversal goes into a
 * wake-up tree as a whole, so every equivalence class is explored exactly once and no execution
 * is cut short.
 *
 * Two values of one choice of data are in a race of their own if the first comes from the tree:
 * what precedes the choice whatever its value, and the other value, go into the tree as well.
 */
import { Footprints } from '../dpor/footprint.ts';
import { PartialOrderSearch } from '../dpor/search.ts';
import type { Branch } from '../dpor/subtree.ts';
import { WakeupTree } from '../dpor/wakeup-tree.ts';
import type { Fibers } from '../fibers.ts';

const NONE = -1;

export class OptimalDpor extends PartialOrderSearch {
  readonly name = 'optimal';
  private readonly tree = new WakeupTree();
  /** Sleepers that could still come first in the sequence that is looked at. */
  private readonly awake = new Footprints();
  private sleepers = 0;
  private choice = 0;
  private below = NONE;
  /**
   * The node of the last branch that was taken; its footprint is there until the next insertion.
   * NONE: a free hand.
   */
  private node = NONE;
  /** By depth: does the process there come from the tree? */
  private readonly guided: boolean[] = [];

  protected fresh(fibers: Fibers, depth: number): number {
    if (depth === 0) this.tree.open(0, NONE);
    const process = this.another(depth);
    if (process < 0) return this.firstAwake(fibers, depth);
    if (this.sleep.hasChoice(depth, process, this.choice)) return -1;
    return this.possible(fibers, process);
  }

  protected wantedChoice(): number {
    return this.choice;
  }

  protected another(depth: number): number {
    const { tree } = this;
    const node = tree.takeFirst(depth);
    this.below = NONE;
    this.choice = 0;
    this.node = node;
    if (node < 0) return -1;
    const process = tree.processOf(node);
    this.choice = tree.choiceOf(node);
    this.below = tree.release(node);
    return process;
  }

  protected descended(depth: number): void {
    if (depth + 1 === this.root) this.below = this.tree.plant(this.subtree.below);
  }

  protected taken(): Branch {
    const { node, tree } = this;
    return { event: tree.footprints.note(node), below: tree.notesFrom(this.below) };
  }

  protected leftAt(depth: number): Branch[] {
    return this.tree.notesAt(depth);
  }

  protected recorded(i: number): void {
    this.guided[i] = this.node >= 0;
    if (this.node >= 0 && this.history.choices[i] > 1) this.history.raceOfChoice(i);
    this.tree.open(i + 1, this.below);
    this.below = NONE;
  }

  protected choosesFreely(depth: number): boolean {
    return !this.guided[depth];
  }

  protected rechoose(): void {
    this.node = NONE;
  }

  protected executed(): void {
    const { history } = this;
    for (let k = 0; k < history.races; k++) {
      if (history.settled[k] === 0 && this.reverse(k)) history.settled[k] = 1;
    }
  }

  protected stuck(from: number): void {
    const { races } = this.history;
    for (let k = from; k < races; k++) this.reverse(k);
  }

  /**
   * Makes sure that the other values of the choice `e` are explored, after all that does not
   * depend on it.
   * @returns true if none of them needs to be looked at again.
   */
  private rechooseIn(k: number, e: number): boolean {
    const { history, tree } = this;
    const at = history.scratch();
    let settled = true;
    for (let value = 0; value < history.choices[e]; value++) {
      if (value === history.choice[e]) continue;
      tree.clear();
      history.openCut(k);
      history.imagine(at, e);
      history.choice[at] = value;
      this.takeSleepers(e);
      tree.append(at);
      const sleeps = this.sleepers > 0 && !this.pass(at);
      const first = sleeps ? at : this.gather(e);
      const inserted = first === NONE && this.sleepers === 0 ? this.insert(e) : first;
      history.revealStores();
      settled &&= inserted === at;
    }
    return settled;
  }

  /**
   * Makes sure that executions are explored in which the race is the other way round.
   * @returns true if the tree or the sleep set at the race has an event that comes first among
   *   those that precede its second event: then no execution with both needs to look again.
   */
  private reverse(k: number): boolean {
    const { history, tree } = this;
    const e = history.raceFirst[k];
    const second = history.raceSecond[k];
    if (e === second) return this.rechooseIn(k, e);
    tree.clear();
    history.openCut(k);
    this.takeSleepers(e);
    const reversed = history.dependsOnCut(second) ? history.scratch() : second;
    let first = this.gather(e);
    if (first === NONE) {
      if (reversed !== second) history.imagine(reversed, second);
      tree.append(reversed);
      if (this.sleepers > 0 && !this.pass(reversed)) first = second;
      else if (this.sleepers === 0) first = this.insert(e);
    }
    history.revealStores();
    return first !== NONE && (first <= second || first === reversed);
  }

  /** Inserts the sequence; above the root that is asked of whoever keeps the tree there. */
  private insert(depth: number): number {
    const { history, tree } = this;
    if (depth >= this.root) return tree.insert(depth, history);
    const sequence = tree.noteSequence(history);
    const first = tree.insert(depth, history);
    if (tree.grafted) this.demands.push({ depth, sequence, initials: [] });
    return first;
  }

  /**
   * Collects what the open cut leaves after the depth of `e`.
   * @returns the event that a sleeper can do first in it, or NONE.
   */
  private gather(e: number): number {
    const { history, tree } = this;
    for (let x = history.nextInside(e); x < history.length; x = history.nextInside(x)) {
      history.hideStores(x);
      tree.append(x);
      if (this.sleepers > 0 && !this.pass(x)) return x;
    }
    return NONE;
  }

  private takeSleepers(depth: number): void {
    const from = this.sleep.from(depth);
    this.sleepers = this.sleep.to(depth) - from;
    this.awake.reserve(this.sleepers);
    for (let k = 0; k < this.sleepers; k++) this.awake.copy(k, this.sleep.footprints, from + k);
  }

  /**
   * Event `x` comes next in the sequence: keeps the sleepers that could come before all of it.
   * @returns false if one of them comes first in it.
   */
  private pass(x: number): boolean {
    const { awake, history } = this;
    let left = 0;
    for (let k = 0; k < this.sleepers; k++) {
      if (awake.standsFor(k, history, x)) return false;
      if (awake.conflictsWith(k, history, x)) continue;
      awake.move(left, k);
      awake.pass(left++, history, x);
    }
    this.sleepers = left;
    return true;
  }
}
