/**
 * PCT (Burckhardt et al., ASPLOS 2010): processes have random priorities, the highest enabled one
 * goes, and at d - 1 random steps the one that would go falls below all others. With n processes
 * and k steps a bug of depth d shows with probability at least 1 / (n * k^(d-1)).
 *
 * A process that relaxes (cpu_relax()) falls below all others: it says that it waits for somebody,
 * and would else wait for ever with a higher priority than the one that it waits for.
 */
import { RELAX } from '../../shared/kinds.ts';
import type { Fibers } from '../fibers.ts';
import { Random } from '../random.ts';
import type { Strategy } from '../strategy.ts';
import { STRETCH } from '../strategy.ts';

export class Pct implements Strategy {
  readonly name = 'pct';
  readonly exhaustive = false;
  private readonly random = new Random();
  private readonly seed: number;
  private readonly depth: number;
  private index: number;
  private priority = new Int32Array(0);
  private readonly changes: Int32Array;
  /** Below every priority so far. */
  private floor = 0;
  /** Steps of the longest execution of the stretch: the range of the change points. */
  private length = 1;
  constructor(seed: number, depth: number, firstIndex = 0) {
    this.seed = seed;
    this.depth = depth;
    this.index = firstIndex;
    this.changes = new Int32Array(Math.max(0, depth - 1));
  }
  start(fibers: Fibers): boolean {
    const { random } = this;
    if (this.index % STRETCH === 0) this.length = 1;
    random.reseed(this.seed, this.index++);
    if (this.priority.length !== fibers.processes) {
      this.priority = new Int32Array(fibers.processes);
    }
    for (let i = 0; i < fibers.processes; i++) {
      const j = random.below(i + 1);
      this.priority[i] = this.priority[j];
      this.priority[j] = this.depth + i;
    }
    this.floor = 0;
    for (let i = 0; i < this.changes.length; i++) this.changes[i] = random.below(this.length);
    return true;
  }
  pick(fibers: Fibers): number {
    let best = this.highest(fibers);
    if (best < 0) return -1;
    for (let i = 0; i < this.changes.length; i++) {
      if (this.changes[i] !== fibers.steps) continue;
      this.priority[best] = i;
      best = this.highest(fibers);
    }
    return best;
  }
  private highest(fibers: Fibers): number {
    let best = -1;
    for (let i = 0; i < fibers.processes; i++) {
      if (best >= 0 && this.priority[i] < this.priority[best]) continue;
      if (fibers.isEnabled(i)) best = i;
    }
    return best;
  }
  choose(_fibers: Fibers, count: number): number {
    return this.random.below(count);
  }
  performed(fibers: Fibers, process: number): void {
    if (process >= fibers.program.actors.length) return;
    if (fibers.pending.kind[process] === RELAX) this.priority[process] = --this.floor;
  }
  end(fibers: Fibers): boolean {
    if (fibers.steps > this.length) this.length = fibers.steps;
    return false;
  }
}
