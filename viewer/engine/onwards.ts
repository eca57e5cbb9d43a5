/**
 * A recorded execution up to a step, then chance: whoever runs mostly goes on, so that switches
 * are as rare as in life.
 */
import type { Fibers } from '../../src/explore/fibers.ts';
import { Random } from '../../src/explore/random.ts';
import type { Schedule } from '../../src/explore/replay.ts';
import { Replay } from '../../src/explore/strategies/replay.ts';
import type { Strategy } from '../../src/explore/strategy.ts';

/** One step in so many switches. */
const SWITCH = 12;

export class Onwards implements Strategy {
  readonly name = 'onwards';
  readonly exhaustive = false;
  private readonly recorded: Schedule;
  private readonly step: number;
  private readonly random = new Random();
  private inner: Replay;
  private run = 0;
  private running = -1;

  constructor(recorded: Schedule, step: number) {
    this.recorded = recorded;
    this.step = step;
    this.inner = new Replay(recorded.schedule, recorded.choices, true);
  }

  start(): boolean {
    this.random.reseed(this.step + 1, this.run++);
    this.inner = new Replay(this.recorded.schedule, this.recorded.choices, true);
    this.running = -1;
    return this.inner.start();
  }

  pick(fibers: Fibers): number {
    if (fibers.steps < this.step) {
      this.running = this.inner.pick(fibers);
      return this.running;
    }
    const count = fibers.listEnabled();
    if (count === 0) return -1;
    const goesOn = this.running >= 0 && fibers.isEnabled(this.running);
    if (goesOn && this.random.below(SWITCH) !== 0) return this.running;
    this.running = fibers.enabled[this.random.below(count)] ?? -1;
    return this.running;
  }

  choose(fibers: Fibers, count: number): number {
    return fibers.steps <= this.step ? this.inner.choose(fibers, count) : this.random.below(count);
  }

  performed(): void {}

  end(): boolean {
    return false;
  }
}
