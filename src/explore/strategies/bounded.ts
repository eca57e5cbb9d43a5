/**
 * Bounded searches: every schedule within a budget, cheapest first, each once. The budget is of
 * preemptions (Musuvathi and Qadeer, PLDI 2007) or of delays of a round-robin scheduler that
 * never preempts (Emmi, Qadeer, Rakamarić, POPL 2011).
 */
import type { Fibers } from '../fibers.ts';
import type { Strategy } from '../strategy.ts';

export class BoundedSearch implements Strategy {
  readonly name: string;
  private readonly delays: boolean;
  private readonly bound: number;
  /** By cost: the decisions that lead to schedules still to be explored. */
  private readonly waiting: number[][][] = [[[]]];
  private cost = 0;
  private prefix: readonly number[] = [];
  private decisions: number[] = [];
  private last = -1;
  private dropped = false;

  constructor(delays: boolean, bound: number) {
    this.delays = delays;
    this.name = delays ? 'delay-bounded' : 'preemption-bounded';
    this.bound = bound;
  }

  /** Nothing lay beyond the budget. */
  get exhaustive(): boolean {
    return !this.dropped;
  }

  start(): boolean {
    while (this.cost < this.waiting.length) {
      const next = this.waiting[this.cost]?.pop();
      if (next !== undefined) {
        this.prefix = next;
        this.decisions = [];
        this.last = -1;
        return true;
      }
      this.cost++;
    }
    return false;
  }

  pick(fibers: Fibers): number {
    const found = fibers.listEnabled();
    if (found === 0) return -1;
    const { enabled } = fibers;
    let first = 0;
    while (first < found && enabled[first] < this.last) first++;
    const goesOn = first < found && enabled[first] === this.last;
    const option = this.decide(found, goesOn);
    this.last = enabled[(first + option) % found];
    return this.last;
  }

  choose(_fibers: Fibers, count: number): number {
    return this.decide(count, false, true);
  }

  private decide(count: number, goesOn: boolean, free = false): number {
    if (count === 1) return 0;
    const depth = this.decisions.length;
    if (depth < this.prefix.length) {
      const option = this.prefix[depth];
      this.decisions.push(option);
      return option;
    }
    for (let option = count - 1; option > 0; option--) {
      let price = this.delays ? option : 1;
      if (free || (!this.delays && !goesOn)) price = 0;
      this.postpone(this.cost + price, option);
    }
    this.decisions.push(0);
    return 0;
  }

  private postpone(cost: number, option: number): void {
    if (cost > this.bound) {
      this.dropped = true;
      return;
    }
    while (this.waiting.length <= cost) this.waiting.push([]);
    this.waiting[cost].push([...this.decisions, option]);
  }

  performed(): void {}

  end(): boolean {
    return false;
  }
}
