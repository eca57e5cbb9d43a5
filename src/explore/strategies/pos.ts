/**
 * Partial-order sampling (Yuan, Yang, Gu, CAV 2018): every pending operation has a random
 * priority and the highest goes; the operations that race with it draw again, so that each side
 * of a race is equally likely whatever happened before.
 */
import type { Fibers } from '../fibers.ts';
import { LOCAL, READS, WRITES } from '../model.ts';
import { EFFECTS } from '../models/sc.ts';
import { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';
import { Priorities } from './priorities.ts';

export class PartialOrderSampling implements Strategy {
  readonly name = 'pos';
  readonly exhaustive = false;
  private readonly random = new Random();
  private readonly priorities = new Priorities(this.random);
  private readonly seed: number;
  private index: number;
  constructor(seed: number, firstIndex = 0) {
    this.seed = seed;
    this.index = firstIndex;
  }
  start(fibers: Fibers): boolean {
    this.random.reseed(this.seed, this.index++);
    this.priorities.start(fibers);
    return true;
  }
  pick(fibers: Fibers): number {
    return this.priorities.highest(fibers);
  }
  choose(_fibers: Fibers, count: number): number {
    return this.random.below(count);
  }
  performed(fibers: Fibers, process: number): void {
    const { priorities } = this;
    priorities.performed(fibers, process);
    priorities.draw(process);
    const { effect, touched } = fibers.model;
    if (effect < READS) return;
    for (let i = 0; i < fibers.processes; i++) {
      if (i !== process && races(fibers, i, effect, touched)) priorities.draw(i);
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
  if (pending.word[process] !== word || fibers.isDone(process)) return false;
  const theirs = EFFECTS[pending.kind[process]];
  return theirs !== LOCAL && (theirs === WRITES || effect === WRITES);
}
