/**
 * Random priorities with a fair cpu_relax(). Who relaxes has looked at memory in vain and would
 * find the same again until somebody else has changed it: until then it goes only if nobody else
 * can. Each time that it relaxes, the priorities that it draws become smaller, so that those who
 * wake each other by retrying can't keep a third one from its turn.
 */
import { RELAX } from '../../shared/kinds.ts';
import type { Fibers } from '../fibers.ts';
import { WRITES } from '../model.ts';
import type { Random } from '../random.ts';

export class Priorities {
  private readonly random: Random;
  private of = new Float64Array(0);
  /** How often the process has relaxed in this execution. */
  private relaxed = new Int32Array(0);
  /** 1: relaxes until somebody else changes memory. */
  private asleep = new Uint8Array(0);
  private sleepers = 0;
  /** 1: the strategy holds the process back. */
  held = new Uint8Array(0);

  constructor(random: Random) {
    this.random = random;
  }

  /** A new execution: everybody draws. */
  start({ processes }: Fibers): void {
    if (this.of.length !== processes) {
      this.of = new Float64Array(processes);
      this.relaxed = new Int32Array(processes);
      this.asleep = new Uint8Array(processes);
      this.held = new Uint8Array(processes);
    }
    this.relaxed.fill(0);
    this.asleep.fill(0);
    this.held.fill(0);
    this.sleepers = 0;
    for (let i = 0; i < processes; i++) this.of[i] = this.random.unit();
  }

  /** The process draws a new priority. */
  draw(process: number): void {
    this.of[process] = this.random.unit() / (1 + this.relaxed[process]);
  }

  isAsleep(process: number): boolean {
    return this.asleep[process] === 1;
  }

  /** Nobody is held back any more. */
  letGo(): void {
    const { held } = this;
    for (let i = 0; i < held.length; i++) held[i] = 0;
  }

  /** @returns the enabled process of the highest priority that is not held back, or -1. */
  highest(fibers: Fibers): number {
    const best = this.highestAwake(fibers);
    if (best >= 0 || this.sleepers === 0) return best;
    return this.held.includes(1) ? -1 : this.wakeAndPick(fibers);
  }

  private highestAwake(fibers: Fibers): number {
    const { of, asleep, held } = this;
    let best = -1;
    for (let i = 0; i < of.length; i++) {
      if (asleep[i] + held[i] > 0 || (best >= 0 && of[i] <= of[best])) continue;
      if (fibers.isEnabled(i)) best = i;
    }
    return best;
  }

  /** Nobody else can go. */
  private wakeAndPick(fibers: Fibers): number {
    this.wake();
    return this.highestAwake(fibers);
  }

  private wake(): void {
    const { asleep } = this;
    for (let i = 0; i < asleep.length; i++) asleep[i] = 0;
    this.sleepers = 0;
  }

  /** The process has performed its operation. @returns whether it relaxes now. */
  performed(fibers: Fibers, process: number): boolean {
    const { model, pending } = fibers;
    if (this.sleepers > 0 && model.effect === WRITES && model.before !== model.after) this.wake();
    if (process >= fibers.count || pending.kind[process] !== RELAX) return false;
    this.relaxed[process]++;
    this.asleep[process] = 1;
    this.sleepers++;
    return true;
  }
}
