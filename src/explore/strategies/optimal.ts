/**
 * Optimal dynamic partial-order reduction (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014,
 * algorithm 2): races are reversed when an execution is complete, and the reversal goes into a
 * wake-up tree as a whole, so every equivalence class is explored exactly once and no execution
 * is cut short.
 */
import { ACQUIRE_WHEN, CMPXCHG, LOAD_THROUGH, STORE_THROUGH } from '../../shared/kinds.ts';
import { Footprints } from '../dpor/footprint.ts';
import { PartialOrderSearch } from '../dpor/search.ts';
import { WakeupTree } from '../dpor/wakeup-tree.ts';
import type { Fibers } from '../fibers.ts';
import { READS, READS_OWN, WRITES } from '../model.ts';

const NONE = -1;

export class OptimalDpor extends PartialOrderSearch {
  readonly name = 'optimal';
  private readonly tree = new WakeupTree();
  /** Sleepers that could still come first in the sequence that is looked at. */
  private readonly awake = new Footprints();
  private sleepers = 0;
  /** Loads whose own store is not in memory when they go before the race. */
  private readonly hidden: number[] = [];
  private choice = 0;
  private below = NONE;

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
    this.tree.open(i + 1, this.below);
    this.below = NONE;
  }

  protected completed(fibers: Fibers): void {
    const { history } = this;
    history.raceOfStuck(fibers);
    for (let k = 0; k < history.races; k++) {
      this.reverse(fibers, history.raceFirst[k], history.raceSecond[k]);
    }
  }

  private reverse(fibers: Fibers, e: number, second: number): void {
    const { history, tree, hidden } = this;
    tree.clear();
    hidden.length = 0;
    if (this.gather(e)) {
      const reversed = history.scratch();
      this.imagine(fibers, reversed, e, second);
      tree.append(reversed);
      const begins = this.sleepers > 0 && (!this.pass(reversed) || this.sleepers > 0);
      if (!begins) tree.insert(e, history);
    }
    for (const x of hidden) history.effect[x] = READS;
  }

  /**
   * Collects what comes after the depth of `e` and does not depend on `e`.
   * @returns false if a sleeper can come first in it.
   */
  private gather(e: number): boolean {
    const { history, tree } = this;
    this.takeSleepers(e);
    for (let x = e + 1; x < history.length; x++) {
      if (history.precedes(e, x)) continue;
      const flush = history.ownFlush[x];
      if (flush >= e && history.precedes(e, flush)) {
        history.effect[x] = READS_OWN;
        this.hidden.push(x);
      }
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

  /** Describes in row `at` what `second` does when it goes before `e`. */
  private imagine(fibers: Fibers, at: number, e: number, second: number): void {
    const { history } = this;
    const actor = second < 0 ? ~second : history.proc[second];
    history.proc[at] = actor;
    history.choice[at] = 0;
    if (second < 0) {
      const { pending } = fibers;
      history.word[at] = pending.word[actor];
      history.guard[at] = -1;
      history.ordinal[at] = -1;
      history.effect[at] = pending.kind[actor] === ACQUIRE_WHEN ? WRITES : READS;
      return;
    }
    history.choice[at] = history.choice[second];
    history.word[at] = history.word[second];
    history.guard[at] = history.guard[second];
    history.ordinal[at] = history.ordinal[second];
    history.effect[at] = history.effect[second];
    const kind = history.kind[second];
    if (kind === CMPXCHG) {
      const wrote = history.effect[e] === WRITES && history.word[e] === history.word[second];
      const value = wrote ? history.before[e] : history.before[second];
      history.effect[at] = value === history.a[second] ? WRITES : READS;
    } else if (kind === LOAD_THROUGH || kind === STORE_THROUGH) {
      history.word[at] = history.operand[second];
      history.guard[at] = history.b[second];
      history.effect[at] = kind === STORE_THROUGH ? WRITES : READS;
    }
  }
}
