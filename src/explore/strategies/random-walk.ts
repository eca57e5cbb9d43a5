/**
 * Random walk: every enabled process is equally likely at every point; or, with rare switches,
 * the running actor goes on until a switch is drawn.
 */
import type { Fibers } from '../fibers.ts';
import { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';

export class RandomWalk implements Strategy {
  readonly name = 'random';
  readonly exhaustive = false;
  private readonly random = new Random();
  private readonly seed: number;
  /** Logarithm of the probability that no switch is drawn; -Infinity: always one. */
  private readonly stayLog: number;
  private index: number;
  private running = -1;
  private left = 0;
  constructor(seed: number, switches: number, firstIndex: number) {
    this.seed = seed;
    this.stayLog = Math.log(1 - switches);
    this.index = firstIndex;
  }
  start(): boolean {
    this.random.reseed(this.seed, this.index++);
    this.running = -1;
    this.left = 0;
    return true;
  }
  pick(fibers: Fibers): number {
    if (this.left > 0 && fibers.isEnabled(this.running)) {
      this.left--;
      return this.running;
    }
    const found = fibers.listEnabled();
    if (found === 0) return -1;
    this.running = fibers.enabled[found === 1 ? 0 : this.random.below(found)];
    if (this.stayLog !== -Infinity) {
      this.left = Math.floor(Math.log(1 - this.random.unit()) / this.stayLog);
    }
    return this.running;
  }
  choose(_fibers: Fibers, count: number): number {
    return this.random.below(count);
  }
  performed(): void {}
  end(): boolean {
    return false;
  }
}
