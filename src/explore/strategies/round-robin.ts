/** Round robin: the running actor goes on for a quantum of steps, then the next enabled one. */
import type { Fibers } from '../fibers.ts';
import type { Strategy } from '../strategy.ts';

export class RoundRobin implements Strategy {
  readonly name = 'round-robin';
  readonly exhaustive = false;
  private readonly quantum: number;
  private last = 0;
  private left = 0;
  private execution: number;
  constructor(quantum: number, first: number) {
    this.quantum = quantum;
    this.execution = first;
  }
  start(fibers: Fibers): boolean {
    this.last = this.execution++ % fibers.processes;
    this.left = this.quantum;
    return true;
  }
  pick(fibers: Fibers): number {
    if (this.left > 0 && fibers.isEnabled(this.last)) {
      this.left--;
      return this.last;
    }
    for (let i = 1; i <= fibers.processes; i++) {
      const process = (this.last + i) % fibers.processes;
      if (!fibers.isEnabled(process)) continue;
      this.last = process;
      this.left = this.quantum - 1;
      return process;
    }
    return -1;
  }
  choose(_fibers: Fibers, count: number): number {
    return this.execution % count;
  }
  performed(): void {}
  end(): boolean {
    return false;
  }
}
