/** Exhaustive depth-first search: every schedule and every choice of data, once. */
import type { Fibers } from '../fibers.ts';
import type { Strategy } from '../strategy.ts';

export class DepthFirst implements Strategy {
  readonly name = 'dfs';
  readonly exhaustive = true;
  /** At each decision so far: which alternative is taken, and how many there are. */
  private readonly taken: number[] = [];
  private readonly counts: number[] = [];
  private depth = 0;
  private first = true;

  start(): boolean {
    this.depth = 0;
    if (this.first) {
      this.first = false;
      return true;
    }
    while (this.taken.length > 0 && this.taken[this.taken.length - 1] + 1 === this.counts.at(-1)) {
      this.taken.pop();
      this.counts.pop();
    }
    if (this.taken.length === 0) return false;
    this.taken[this.taken.length - 1]++;
    return true;
  }
  pick(fibers: Fibers): number {
    const found = fibers.listEnabled();
    if (found === 0) return -1;
    return fibers.enabled[found === 1 ? 0 : this.decide(found)];
  }
  choose(_fibers: Fibers, count: number): number {
    return count === 1 ? 0 : this.decide(count);
  }
  private decide(count: number): number {
    const depth = this.depth++;
    if (depth === this.taken.length) {
      this.taken.push(0);
      this.counts.push(count);
    }
    return this.taken[depth];
  }
  performed(): void {}
  end(): boolean {
    return false;
  }
}
