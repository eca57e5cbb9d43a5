/**
 * Optimal dynamic partial-order reduction (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014,
 * algorithm 2): races are reversed when an execution is complete, and the reversal goes into a
 * wake-up tree as a whole, so every equivalence class is explored exactly once and no execution
 * is cut short.
 */
import { Footprints } from '../dpor/footprint.ts';
import { PartialOrderSearch } from '../dpor/search.ts';
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
  /** At a choice of data: what must be explored after it, whatever is chosen. */
  private readonly afterChoice: number[] = [];

  protected fresh(fibers: Fibers, depth: number): number {
    if (depth === 0) this.tree.open(0, NONE);
    const process = this.another(depth);
    if (process < 0) return this.firstAwake(fibers, depth);
    return this.sleep.has(depth, process) ? -1 : process;
  }

  protected wantedChoice(): number {
    return this.choice;
  }

  protected another(depth: number): number {
    const { tree } = this;
    const node = tree.takeFirst(depth);
    this.below = NONE;
    this.choice = 0;
    if (node < 0) return -1;
    const process = tree.processOf(node);
    this.choice = tree.choiceOf(node);
    this.below = tree.release(node);
    return process;
  }

  protected recorded(i: number): void {
    if (this.history.choices[i] > 1) {
      while (this.afterChoice.length <= i) this.afterChoice.push(NONE);
      this.afterChoice[i] = this.tree.copy(this.below);
    }
    this.tree.open(i + 1, this.below);
    this.below = NONE;
  }

  protected rechoose(depth: number): void {
    this.below = this.tree.copy(this.afterChoice[depth]);
  }

  protected executed(): void {
    const { races } = this.history;
    for (let k = 0; k < races; k++) this.reverse(k);
  }

  protected stuck(from: number): void {
    const { races } = this.history;
    for (let k = from; k < races; k++) this.reverse(k);
  }

  private reverse(k: number): void {
    const { history, tree } = this;
    const e = history.raceFirst[k];
    tree.clear();
    history.openCut(k);
    if (this.gather(e)) {
      const reversed = history.scratch();
      history.imagine(reversed, history.raceSecond[k]);
      tree.append(reversed);
      const begins = this.sleepers > 0 && (!this.pass(reversed) || this.sleepers > 0);
      if (!begins) tree.insert(e, history);
    }
    history.revealStores();
  }

  /**
   * Collects what the open cut leaves after the depth of `e`.
   * @returns false if a sleeper can come first in it.
   */
  private gather(e: number): boolean {
    const { history, tree } = this;
    this.takeSleepers(e);
    for (let x = e + 1; x < history.length; x++) {
      if (history.isOutside(x)) continue;
      history.hideStores(x);
      tree.append(x);
      if (this.sleepers > 0 && !this.pass(x)) return false;
    }
    return true;
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
      if (awake.proc[k] === history.proc[x]) return false;
      if (awake.conflictsWith(k, history, x)) continue;
      awake.move(left, k);
      awake.pass(left++, history, x);
    }
    this.sleepers = left;
    return true;
  }
}
