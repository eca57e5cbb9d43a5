/** Who runs: an actor of an exploration, and what fibers are told about interrupts. */
import type { Op } from '../shared/op.ts';

/** One actor: a simulated function that the scheduler interleaves with the others. */
export interface Actor {
  readonly name: string;
  readonly body: () => Op<unknown>;
  /** A daemon may wait for ever: it counts neither for the end of a run nor for deadlock. */
  readonly daemon?: boolean;
  /**
   * This actor is an interrupt on the processor of `actor`: idle while it waits on `word`. While
   * it is not idle, the interrupted actor cannot run. Of several interrupts of one processor, one
   * that interrupts the other, else the one later in the list, goes first.
   */
  readonly interrupts?: { readonly actor: number; readonly word: number };
}

/** Processors: which actors share one, and in which order they pre-empt each other. */
export interface Processors {
  /** Processor of each actor: the index of the actor that is interrupted by all others on it. */
  readonly cpu: Int32Array;
  /** 1 for interrupts. */
  readonly interrupt: Uint8Array;
  /** The word that an interrupt waits on when it is idle; -1 for other actors. */
  readonly idleWord: Int32Array;
  /** For each actor, those that keep it from running while they are not idle. */
  readonly above: readonly (readonly number[])[];
  readonly any: boolean;
}

/** Sorts out who interrupts whom. */
export function processorsOf(actors: readonly Actor[]): Processors {
  const count = actors.length;
  const cpu = new Int32Array(count);
  const depth = new Int32Array(count);
  const interrupt = new Uint8Array(count);
  const idleWord = new Int32Array(count).fill(-1);
  actors.forEach((actor, i) => {
    if (actor.interrupts !== undefined) {
      interrupt[i] = 1;
      idleWord[i] = actor.interrupts.word;
    }
    let root = i;
    for (let up = actors[root].interrupts; up !== undefined; up = actors[root].interrupts) {
      root = up.actor;
      if (++depth[i] > count || actors[root] === undefined) {
        throw new RangeError(`actor ${actor.name} interrupts nobody that runs`);
      }
    }
    cpu[i] = root;
  });
  const before = (i: number, j: number): boolean =>
    cpu[i] === cpu[j] && (depth[j] > depth[i] || (depth[j] === depth[i] && j > i));
  const all = actors.map((_, i) => i);
  const above = all.map((i) => all.filter((j) => j !== i && before(i, j)));
  return { cpu, interrupt, idleWord, above, any: interrupt.includes(1) };
}
