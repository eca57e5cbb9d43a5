/**
 * What both reductions share: the depth-first walk over executions. An execution repeats a prefix
 * of the one before, takes another process at one point, and is free from there on.
 *
 * A choice of data branches the program: for each value it is another event, and what its actor
 * does afterwards is another program. A choice that is made freely takes all values one after the
 * other, before any other process is tried in its place; one that a wake-up sequence names takes
 * that value alone, because what follows in the sequence is right for no other.
 */
import type { Fibers } from '../fibers.ts';
import { BROKEN } from '../fibers.ts';
import type { Strategy } from '../strategy.ts';
import { StrategyError } from '../strategy.ts';
import { noteOf } from './footprint.ts';
import { History } from './history.ts';
import { SleepSets } from './sleep.ts';
import type { Branch, Demand, OpenNode, Rest, Share, Subtree } from './subtree.ts';
import { WHOLE_TREE } from './subtree.ts';

export abstract class PartialOrderSearch implements Strategy {
  abstract readonly name: string;
  readonly exhaustive = true;
  protected history!: History;
  protected readonly sleep = new SleepSets();
  /** Events that the next execution repeats. */
  private prefix = 0;
  /** Who goes after the prefix; -1 in the first execution. */
  private plan = -1;
  private plannedChoice = 0;
  private chosen = 0;
  private choices = 0;
  private redundant = false;
  private begun = false;
  private finished = false;
  private hasChosen = false;
  protected readonly subtree: Subtree;
  /** Depth of the root of the subtree; nothing above is explored here. */
  protected readonly root: number;
  protected readonly demands: Demand[] = [];

  /** @param subtree - what to explore. */
  constructor(subtree = WHOLE_TREE) {
    this.subtree = subtree;
    this.root = subtree.path.length;
  }

  /** At a new depth: who goes, of those that are enabled and awake; -1 if all sleep. */
  protected abstract fresh(fibers: Fibers, depth: number): number;
  /** The choice of data that belongs to what `fresh` or `another` returned. */
  protected abstract wantedChoice(): number;
  /** After event `i` was recorded. */
  protected abstract recorded(i: number): void;
  /** After an execution. */
  protected abstract executed(): void;
  /** Races from `from` on are those of an operation, in the row after the last, that is stuck. */
  protected abstract stuck(from: number): void;
  /** Is the choice of data at `depth` a free one? */
  protected abstract choosesFreely(depth: number): boolean;
  /** A free choice of data is made anew. */
  protected abstract rechoose(): void;
  /** Another process to explore at `depth`, or -1. */
  protected abstract another(depth: number): number;
  /** The first execution has come to `depth`, above the root. */
  protected abstract descended(depth: number, process: number): void;
  /** What `another` returned last, with what must be explored after it. */
  protected abstract taken(): Branch;
  /** What is left to explore at `depth`. */
  protected abstract leftAt(depth: number): Branch[];

  keep(): number {
    if (!this.begun || this.finished) return -1;
    this.history.undo(this.prefix);
    return this.prefix;
  }

  start(fibers: Fibers): boolean {
    this.redundant = false;
    if (this.begun) {
      if (!this.finished) this.history.truncate(this.prefix);
      return !this.finished;
    }
    this.begun = true;
    this.history = new History(fibers);
    if (this.root > 0) this.sleep.place(0, this.subtree.sleepers[0]);
    return true;
  }

  pick(fibers: Fibers): number {
    const depth = fibers.steps;
    if (depth < this.prefix) return this.history.proc[depth];
    if (depth === this.prefix && this.plan >= 0) return this.possible(fibers, this.plan);
    if (depth < this.root) {
      this.descended(depth, this.subtree.path[depth]);
      return this.subtree.path[depth];
    }
    const process = this.fresh(fibers, depth);
    if (process < 0 && fibers.listEnabled() > 0) this.redundant = true;
    this.plannedChoice = process < 0 ? 0 : this.wantedChoice();
    return process;
  }

  /**
   * A process that the search wants to go. One that cannot would make an execution that there is
   * not. @throws StrategyError for such a one: what it would find is no finding.
   */
  protected possible(fibers: Fibers, process: number): number {
    if (fibers.isEnabled(process)) return process;
    throw new StrategyError(
      `${this.name} wants process ${process} to go, which cannot: a mistake in it`,
    );
  }

  choose(fibers: Fibers, count: number): number {
    const i = fibers.steps - 1;
    if (i < this.prefix) return this.history.choice[i];
    this.chosen = this.plannedChoice;
    this.choices = count;
    this.hasChosen ||= count > 1;
    return this.chosen;
  }

  performed(fibers: Fibers, process: number): void {
    const i = fibers.steps - 1;
    if (i < this.prefix) return;
    this.history.record(fibers, process, this.chosen, this.choices);
    this.chosen = 0;
    this.choices = 0;
    this.sleep.descend(i, this.history);
    if (i + 1 < this.root) this.sleep.place(i + 1, this.subtree.sleepers[i + 1]);
    this.recorded(i);
  }

  end(fibers: Fibers): boolean {
    if (fibers.outcome === BROKEN) {
      this.finished = true;
      return false;
    }
    const { history } = this;
    this.executed();
    for (let actor = 0; actor < fibers.count; actor++) {
      if (fibers.isDone(actor) || fibers.isEnabled(actor)) continue;
      const races = history.races;
      history.raceOfStuck(fibers, actor);
      this.stuck(races);
    }
    this.finished = !this.advance();
    return this.redundant;
  }

  /** Goes back to the deepest point where something is left. @returns false if there is none. */
  private advance(): boolean {
    const { history } = this;
    for (let depth = history.length - 1; depth >= this.root; depth--) {
      const process = history.proc[depth];
      const free = this.choosesFreely(depth);
      const choice = history.choice[depth] + 1;
      if (free && choice < history.choices[depth]) {
        this.rechoose();
        this.goBack(depth, process, choice);
        return true;
      }
      this.sleep.add(depth, history, free);
      const next = this.another(depth);
      if (next >= 0) {
        this.goBack(depth, next, this.wantedChoice());
        return true;
      }
    }
    return false;
  }

  private goBack(depth: number, process: number, choice: number): void {
    this.prefix = depth;
    this.plan = process;
    this.plannedChoice = choice;
  }

  /** Between two executions: what came of the subtree; null before the first one. */
  share(): Share | null {
    if (!this.begun) return null;
    const { actors, cpu, grouped } = this.history;
    return {
      shape: { actors, cpu: [...cpu], grouped },
      demands: this.demands,
      rest: this.finished || this.hasChosen ? null : this.rest(),
      chooses: this.hasChosen,
    };
  }

  private rest(): Rest {
    const { history, prefix, sleep } = this;
    const nodes: OpenNode[] = [];
    for (let depth = this.root; depth < prefix; depth++) {
      const sleepers = [...sleep.notesAt(depth), noteOf(history, depth)];
      nodes.push({ sleepers, branches: this.leftAt(depth) });
    }
    const branches = [this.taken(), ...this.leftAt(prefix)];
    nodes.push({ sleepers: sleep.notesAt(prefix), branches });
    return { path: [...history.proc.subarray(0, prefix)], nodes };
  }

  /** The running actor if it can go on, else the first process that is enabled and awake. */
  protected firstAwake(fibers: Fibers, depth: number): number {
    const running = depth === 0 ? 0 : this.history.proc[depth - 1];
    if (fibers.isEnabled(running) && !this.sleep.has(depth, running)) return running;
    for (let i = 0; i < fibers.processes; i++) {
      if (fibers.isEnabled(i) && !this.sleep.has(depth, i)) return i;
    }
    return -1;
  }
}
