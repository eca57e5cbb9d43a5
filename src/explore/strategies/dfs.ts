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
  /** Decisions above the root, which are made for good. */
  private readonly root: number;

  /** @param root - the decisions that lead to what is to be explored. */
  constructor(root: readonly number[] = []) {
    this.root = root.length;
    for (const option of root) {
      this.taken.push(option);
      this.counts.push(option + 1);
    }
  }

  /** Between two executions: roots of what is left. */
  rest(): number[][] {
    const { taken, counts } = this;
    const roots: number[][] = [];
    for (let depth = this.root; depth < taken.length; depth++) {
      for (let option = taken[depth] + 1; option < counts[depth]; option++) {
        roots.push([...taken.slice(0, depth), option]);
      }
    }
    return roots;
  }

  start(): boolean {
    this.depth = 0;
    if (this.first) {
      this.first = false;
      return true;
    }
    const { taken, counts } = this;
    while (taken.length > this.root && taken[taken.length - 1] + 1 === counts.at(-1)) {
      taken.pop();
      counts.pop();
    }
    if (taken.length === this.root) return false;
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
