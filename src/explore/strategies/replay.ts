/**
 * Replay: follows a recorded schedule. Where it ends, store buffers are flushed at once and the
 * actor that runs goes on as long as it can, then the first that can: so a schedule may stop where
 * nothing is left to decide, and an empty one runs the actors one after the other.
 */
import type { Fibers } from '../fibers.ts';
import type { Strategy } from '../strategy.ts';
import { StrategyError } from '../strategy.ts';

/** The recorded schedule does not fit the program: code, sizes or design have changed. */
export class DivergedError extends StrategyError {}

export class Replay implements Strategy {
  readonly name = 'replay';
  readonly exhaustive = false;
  /** Switches away from an actor that could have gone on. */
  preemptions = 0;
  private readonly schedule: readonly number[];
  private readonly choices: readonly number[];
  private readonly lenient: boolean;
  private position = 0;
  private chosen = 0;
  private running = -1;

  /** @param lenient - skips what is not possible, as a shrinker needs it. */
  constructor(schedule: readonly number[], choices: readonly number[], lenient = false) {
    this.schedule = schedule;
    this.choices = choices;
    this.lenient = lenient;
  }

  start(): boolean {
    this.position = 0;
    this.chosen = 0;
    this.running = -1;
    this.preemptions = 0;
    return true;
  }

  pick(fibers: Fibers): number {
    const process = this.next(fibers);
    if (process < 0 || process >= fibers.count) return process;
    const left = this.running >= 0 && process !== this.running;
    if (left && fibers.isEnabled(this.running)) this.preemptions++;
    this.running = process;
    return process;
  }

  private next(fibers: Fibers): number {
    while (this.position < this.schedule.length) {
      const process = this.schedule[this.position++];
      if (process < fibers.processes && fibers.isEnabled(process)) return process;
      if (this.lenient) continue;
      throw new DivergedError(
        `step ${fibers.steps}: the recorded schedule lets process ${process} go, which cannot`,
      );
    }
    const found = fibers.listEnabled();
    if (found === 0) return -1;
    if (fibers.enabled[found - 1] >= fibers.count) return fibers.enabled[found - 1];
    return this.running >= 0 && fibers.isEnabled(this.running) ? this.running : fibers.enabled[0];
  }

  choose(_fibers: Fibers, count: number): number {
    const recorded = this.choices[this.chosen++] ?? 0;
    return recorded < count ? recorded : count - 1;
  }

  performed(): void {}

  end(): boolean {
    return false;
  }
}
