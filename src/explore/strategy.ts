/**
 * A strategy decides, at every point, who goes next. It sees processes: actors by index, then the
 * flushes of store buffers. One strategy is one file under strategies/.
 */
import type { Fibers } from './fibers.ts';

/**
 * A random strategy that learns from its executions forgets after so many, at numbers that are
 * multiples of it: whoever begins at such a number makes the same executions as whoever went
 * through all before.
 */
export const STRETCH = 250;

/** A strategy that asks for what cannot be: that says nothing about the program. */
export class StrategyError extends Error {}

export interface Strategy {
  readonly name: string;
  /** Exhaustive strategies end by themselves, having covered every schedule up to equivalence. */
  readonly exhaustive: boolean;
  /**
   * Asked before `start` where executions can be resumed: how many steps of the last one the next
   * begins with. All later writes are undone in memory. -1: begin from the start.
   */
  keep?(fibers: Fibers): number;
  /** A new execution begins. @returns false if nothing is left to explore. */
  start(fibers: Fibers): boolean;
  /** @returns the process that goes next, enabled now; -1 if none is. */
  pick(fibers: Fibers): number;
  /** A choice of data by the running actor. @returns a number in [0, count). */
  choose(fibers: Fibers, count: number): number;
  /** Process `process` has just performed its operation; `fibers.model` says what it did. */
  performed(fibers: Fibers, process: number): void;
  /** The execution is over. @returns true if it was cut short because it is redundant. */
  end(fibers: Fibers): boolean;
}
