/**
 * What lockstep runs: the actors of one scenario on its machine. A module with casts exports
 * `createCast`; every actor's thread loads it from the lockstep edition.
 */
import type { Observer } from '../shared/observer.ts';
import type { Op } from '../shared/op.ts';
import type { AnyTable, Config } from '../shared/table.ts';

/** One actor of a scenario. */
export interface CastActor {
  readonly name: string;
  readonly body: () => Op<unknown>;
  /** This actor is an interrupt on the processor of that one. */
  readonly interrupts?: { readonly actor: number; readonly word: number };
}

export interface Cast {
  readonly tables: readonly AnyTable[];
  readonly config: Config;
  /** Asked once the machine is attached. */
  actors(): readonly CastActor[];
  /** Who is told of accesses to watched words, tracepoints and assertions, in each thread. */
  observer?(): Observer;
}

/** Plain data that says which scenario, and of which size. */
export interface CastOptions {
  readonly scenario: string;
  readonly design: string;
  readonly param: number;
  /** Numbers of actors that do nothing. */
  readonly without?: readonly number[];
}

/** What a module with casts exports as `createCast`. */
export type CreateCast = (options: CastOptions) => Cast;

/** For each actor the one whose processor it runs on. */
export function processorOf(actors: readonly Pick<CastActor, 'interrupts'>[], i: number): number {
  const up = actors[i]?.interrupts;
  return up === undefined ? i : processorOf(actors, up.actor);
}
