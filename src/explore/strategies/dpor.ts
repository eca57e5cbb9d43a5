/**
 * Dynamic partial-order reduction with source sets and sleep sets (Abdulla, Aronis, Jonsson,
 * Sagonas, POPL 2014, algorithm 1): every equivalence class of executions once or, where a sleep
 * set comes too late, once and a redundant execution that is cut short.
 */
import { Footprints } from '../dpor/footprint.ts';
import { PartialOrderSearch } from '../dpor/search.ts';
import type { Branch } from '../dpor/subtree.ts';
import type { Fibers } from '../fibers.ts';

const UNTRIED = 1;
const TAKEN = 2;

export class SourceDpor extends PartialOrderSearch {
  readonly name = 'dpor';
  /** Row of a depth: UNTRIED or TAKEN for the processes of its source set. */
  private rows = new Uint8Array(0);
  /** Processes since the race that is looked at, and the rank of the first event of each. */
  private member = new Int32Array(0);
  private firstRank = new Int32Array(0);
  private members = 0;
  /** What the second operation of a race does before the first one. */
  private readonly reversed = new Footprints();
  /** Processes with which the sequence that is looked at can begin. */
  private readonly initials: number[] = [];
  /** In the place of an untried process: what it does there. */
  private readonly untried = new Footprints();
  private place = 0;

  protected fresh(fibers: Fibers, depth: number): number {
    this.openRow(depth, fibers.processes);
    const process = this.firstAwake(fibers, depth);
    if (process >= 0) this.rows[depth * fibers.processes + process] = TAKEN;
    return process;
  }

  private openRow(depth: number, processes: number): void {
    if ((depth + 1) * processes > this.rows.length) {
      const larger = new Uint8Array((depth + 1) * processes * 2);
      larger.set(this.rows);
      this.rows = larger;
      this.member = new Int32Array(processes);
      this.firstRank = new Int32Array(processes);
    }
    this.rows.fill(0, depth * processes, (depth + 1) * processes);
  }

  protected descended(depth: number, process: number): void {
    const { processes } = this.history;
    this.openRow(depth, processes);
    this.rows[depth * processes + process] = TAKEN;
  }

  protected taken(): Branch {
    return { event: this.untried.note(this.place), below: [] };
  }

  protected leftAt(depth: number): Branch[] {
    const { processes } = this.history;
    const row = depth * processes;
    const left: Branch[] = [];
    for (let i = 0; i < processes; i++) {
      if (this.rows[row + i] !== UNTRIED || this.sleep.has(depth, i)) continue;
      left.push({ event: this.untried.note(row + i), below: [] });
    }
    return left;
  }

  protected wantedChoice(): number {
    return 0;
  }

  protected another(depth: number): number {
    const { processes } = this.history;
    const row = depth * processes;
    for (let i = 0; i < processes; i++) {
      if (this.rows[row + i] !== UNTRIED) continue;
      this.rows[row + i] = TAKEN;
      if (this.sleep.has(depth, i)) continue;
      this.place = row + i;
      return i;
    }
    return -1;
  }

  protected recorded(i: number): void {
    this.reverseFrom(this.history.racesBefore(i));
  }

  protected executed(): void {}

  protected choosesFreely(): boolean {
    return true;
  }

  protected rechoose(): void {}

  protected stuck(from: number): void {
    this.reverseFrom(from);
  }

  private reverseFrom(from: number): void {
    const { history } = this;
    for (let k = from; k < history.races; k++) {
      history.openCut(k);
      this.reverse(history.raceFirst[k], history.raceSecond[k]);
    }
  }

  /**
   * Makes sure, for the open cut, that the source set at `e` has a process with which `second` can
   * precede `e`.
   */
  private reverse(e: number, second: number): void {
    const { history, rows } = this;
    const row = e * history.processes;
    this.members = 0;
    this.initials.length = 0;
    let initial = -1;
    let first = -1;
    for (let x = e + 1; x <= second; x++) {
      if (x < second && history.isOutside(x)) continue;
      const p = history.proc[x];
      if (!this.isInitial(x, p)) continue;
      if (x === second && history.dependsOnCut(x) && this.conflictsInCut(e, x)) continue;
      if (rows[row + p] !== 0 || this.sleep.has(e, p)) return;
      this.initials.push(p);
      if (initial >= 0 && x !== second) continue;
      initial = p;
      first = x;
    }
    rows[row + initial] = UNTRIED;
    this.noteUntried(row + initial, first, second);
    if (e >= this.root) return;
    const sequence = [this.untried.note(row + initial)];
    this.demands.push({ depth: e, sequence, initials: [...this.initials] });
  }

  /** Event `x` comes first in the open cut after the race. */
  private noteUntried(place: number, x: number, second: number): void {
    const { history, untried } = this;
    untried.reserve(place + 1);
    if (x < second) {
      history.hideStores(x);
      untried.take(place, history, x);
      history.revealStores();
      return;
    }
    const row = history.scratch();
    history.imagine(row, second);
    untried.take(place, history, row);
  }

  /** Is event `x` the first of its process since the race, and after no other since then? */
  private isInitial(x: number, process: number): boolean {
    const { history, member, firstRank } = this;
    const { clock, processes } = history;
    let initial = true;
    for (let k = 0; k < this.members; k++) {
      if (member[k] === process) return false;
      if (clock[x * processes + member[k]] >= firstRank[k]) initial = false;
    }
    member[this.members] = process;
    firstRank[this.members++] = x < history.length ? history.rank[x] : 0x7fffffff;
    return initial;
  }

  /**
   * Before `e`, operation `second` can do something else than it did: with something that the cut
   * leaves before it, it may be in conflict only there.
   */
  private conflictsInCut(e: number, second: number): boolean {
    const { history, reversed } = this;
    const row = history.scratch();
    history.imagine(row, second);
    reversed.take(0, history, row);
    let conflicts = false;
    for (let x = e + 1; x < second && !conflicts; x++) {
      if (history.isOutside(x)) continue;
      history.hideStores(x);
      conflicts = reversed.conflictsWith(0, history, x);
      reversed.pass(0, history, x);
    }
    history.revealStores();
    return conflicts;
  }
}
