/**
 * Partial-order sampling (Yuan, Yang, Gu, CAV 2018): every pending operation has a random
 * priority and the highest goes; the operations that race with it draw again, so that each side
 * of a race is equally likely whatever happened before.
 */
import type { Fibers } from '../fibers.ts';
import { LOCAL, READS, WRITES } from '../model.ts';
import { effectOf } from '../models/sc.ts';
import { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

export class PartialOrderSampling implements Strategy {
  readonly name = 'pos';
  readonly exhaustive = false;
  private readonly random = new Random();
  private readonly seed: number;
  private index: number;
  private priority = new Float64Array(0);
  constructor(seed: number, firstIndex = 0) {
    this.seed = seed;
    this.index = firstIndex;
  }
  start(fibers: Fibers): boolean {
    this.random.reseed(this.seed, this.index++);
    if (this.priority.length !== fibers.processes) {
      this.priority = new Float64Array(fibers.processes);
    }
    for (let i = 0; i < fibers.processes; i++) this.priority[i] = this.random.unit();
    return true;
  }
  pick(fibers: Fibers): number {
    let best = -1;
    for (let i = 0; i < fibers.processes; i++) {
      if (best >= 0 && this.priority[i] <= this.priority[best]) continue;
      if (fibers.isEnabled(i)) best = i;
    }
    return best;
  }
  choose(_fibers: Fibers, count: number): number {
    return this.random.below(count);
  }
  performed(fibers: Fibers, process: number): void {
    this.priority[process] = this.random.unit();
    const { effect, touched } = fibers.model;
    if (effect < READS) return;
    for (let i = 0; i < fibers.processes; i++) {
      if (i !== process && races(fibers, i, effect, touched)) {
        this.priority[i] = this.random.unit();
      }
    }
  }
  end(): boolean {
    return false;
  }
}

/** Does the pending operation of a process race with an event of this effect on `word`? */
function races(fibers: Fibers, process: number, effect: number, word: number): boolean {
  const { count, model, pending } = fibers;
  if (process >= count) {
    return model.canFlush(process - count) && model.flushWord(process - count) === word;
  }
  if (fibers.isDone(process) || pending.word[process] !== word) return false;
  const theirs = effectOf(pending.kind[process]);
  return theirs !== LOCAL && (theirs === WRITES || effect === WRITES);
}
