/**
 * Selectively uniform random walk (SURW: Zhao, Wolff, Mathur, Roychoudhury, "Selectively Uniform
 * Concurrency Testing", ASPLOS 2025). An execution picks one word that several actors access and
 * at least one writes, the likelier the more it is accessed; the accesses to it are interesting,
 * and their interleavings are sampled uniformly: who performs the next one is drawn with weights
 * that are the numbers of those each actor has left. Who comes to an interesting event out of turn
 * waits. All other events go by random priorities that are drawn again for whoever went.
 *
 * The numbers come from the first executions of a stretch (access-profile.ts); the paper takes
 * those of one dry run. Where retries make them depend on the schedule, each execution draws its
 * own. Should nobody else be able to go than those who wait, or should the actor whose turn it is
 * relax instead of coming, the turn is drawn again.
 */
import type { Fibers } from '../fibers.ts';
import { DISCARDED } from '../fibers.ts';
import { LOCAL } from '../model.ts';
import { EFFECTS } from '../models/sc.ts';
import { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';
import { STRETCH } from '../strategy.ts';
import { AccessProfile } from './access-profile.ts';
import { Priorities } from './priorities.ts';

const NOBODY = -1;
const NOWHERE = -1;

export class SelectivelyUniform implements Strategy {
  readonly name = 'surw';
  readonly exhaustive = false;
  private readonly random = new Random();
  private readonly priorities = new Priorities(this.random);
  private readonly seed: number;
  private index: number;
  private readonly profile = new AccessProfile();
  /** The interesting word of this execution, or -1. */
  private word = -1;
  /** Accesses to it that each actor has left, by the profile. */
  private left = new Int32Array(0);
  /** Whose turn it is, once somebody has come to an interesting event. */
  private turn = NOBODY;
  private waiting = 0;

  constructor(seed: number, firstIndex = 0) {
    this.seed = seed;
    this.index = firstIndex;
  }

  start(fibers: Fibers): boolean {
    const { profile, random } = this;
    profile.begin(fibers, this.index % STRETCH === 0);
    random.reseed(this.seed, this.index++);
    this.priorities.start(fibers);
    this.word = profile.drawShared(random);
    if (this.left.length !== fibers.count) this.left = new Int32Array(fibers.count);
    if (this.word >= 0) profile.drawCounts(this.word, random, this.left);
    this.turn = NOBODY;
    this.waiting = 0;
    return true;
  }

  pick(fibers: Fibers): number {
    const { priorities, left } = this;
    for (;;) {
      const process = priorities.highest(fibers);
      if (process < 0) {
        if (this.waiting === 0) return -1;
        this.release();
        continue;
      }
      if (!this.isInteresting(fibers, process)) return process;
      // The profile is an estimate: here is one more.
      if (left[process] === 0) left[process] = 1;
      if (this.turn < 0) this.drawTurn(fibers);
      if (process === this.turn) return process;
      priorities.held[process] = 1;
      this.waiting++;
    }
  }

  private isInteresting({ count, pending }: Fibers, process: number): boolean {
    return (
      process < count &&
      pending.word[process] === this.word &&
      EFFECTS[pending.kind[process]] !== LOCAL
    );
  }

  /** Draws who performs the next interesting event, among those who can go. */
  private drawTurn(fibers: Fibers): void {
    const { left, priorities, random } = this;
    let total = 0;
    for (let i = 0; i < left.length; i++) {
      if (left[i] > 0 && canGo(fibers, priorities, i)) total += left[i];
    }
    let ticket = random.below(total);
    for (let i = 0; i < left.length; i++) {
      if (left[i] === 0 || !canGo(fibers, priorities, i)) continue;
      ticket -= left[i];
      if (ticket >= 0) continue;
      this.turn = i;
      return;
    }
  }

  /** The turn is over: those who waited for theirs may go on. */
  private release(): void {
    this.turn = NOBODY;
    if (this.waiting === 0) return;
    this.waiting = 0;
    this.priorities.letGo();
  }

  choose(_fibers: Fibers, count: number): number {
    return this.random.below(count);
  }

  performed(fibers: Fibers, process: number): void {
    const { effect } = fibers.model;
    const { priorities } = this;
    if (priorities.performed(fibers, process) && process === this.turn) this.release();
    const counts = effect !== LOCAL && process < fibers.count;
    const word = counts ? fibers.pending.word[process] : NOWHERE;
    if (counts) this.profile.count(word, process, effect);
    // Who has had its turn keeps its priority.
    if (!counts || word !== this.word) {
      priorities.draw(process);
      return;
    }
    if (this.left[process] > 0) this.left[process]--;
    this.release();
  }

  end(fibers: Fibers): boolean {
    if (fibers.outcome !== DISCARDED) this.profile.learn();
    return false;
  }
}

function canGo(fibers: Fibers, priorities: Priorities, process: number): boolean {
  return !priorities.isAsleep(process) && fibers.isEnabled(process);
}
