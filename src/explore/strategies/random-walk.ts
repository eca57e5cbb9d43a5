/** Random walk: every enabled process is equally likely at every point. */
import type { Fibers } from '../fibers.ts';
import { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

export class RandomWalk implements Strategy {
  readonly name = 'random';
  readonly exhaustive = false;
  private readonly random = new Random();
  private readonly seed: number;
  private index: number;
  constructor(seed: number, firstIndex = 0) {
    this.seed = seed;
    this.index = firstIndex;
  }
  start(): boolean {
    this.random.reseed(this.seed, this.index++);
    return true;
  }
  pick(fibers: Fibers): number {
    const found = fibers.listEnabled();
    if (found === 0) return -1;
    return fibers.enabled[found === 1 ? 0 : this.random.below(found)];
  }
  choose(_fibers: Fibers, count: number): number {
    return this.random.below(count);
  }
  performed(): void {}
  end(): boolean {
    return false;
  }
}
