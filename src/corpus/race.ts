/**
 * A race: a question that decides between designs, or a bug of the past. What it needs beyond a
 * booted machine, who runs, and where it is told of. It says nothing of how it ends: the general
 * invariants judge it.
 */
import type { Op } from '../shared/op.ts';
import type { Config } from '../shared/table.ts';

/** One side of a race. */
export interface RaceActor {
  /** What it does, in a word or two. */
  readonly role: string;
  /** The vCPU it runs on. */
  readonly vcpu: number;
  readonly body: () => Op<void>;
}

export interface Race {
  /** Name on the command line. */
  readonly name: string;
  readonly about: string;
  /** Where it is told of. */
  readonly sources: readonly string[];
  /** Designs that it can be asked of. */
  readonly designs: readonly string[];
  /** Sizes other than the tiny machine's. */
  readonly sizes: Config;
  /** Brings the booted machine to where the race begins; runs alone. */
  arrange(): Op<void>;
  readonly actors: readonly RaceActor[];
  /** Domains whose kernel thread takes part: deferred unmaps, deferred grants, RCU callbacks. */
  readonly kernelThreads: readonly number[];
}
