/** A machine of some words and the smallest programs over it, for tests of the engine. */
import type { Actor, CheckOptions } from '../../src/explore/check.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { choose, readOnce, writeOnce } from '../../src/shared/operations.ts';
import { defineTable } from '../../src/shared/table.ts';

export const Word = defineTable('word[%]', ['words'], { value: '[ALL] whatever the test needs' });
export const at = (i: number): number => Word.value.at(i);

/** Actors called `actor 0`, `actor 1`, … */
export function actorsOf(...bodies: (() => Op<unknown>)[]): Actor[] {
  return bodies.map((body, i) => ({ name: `actor ${i}`, body }));
}

/** Adds one to word 0 `rounds` times, without a lock. */
export function* increment(rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) yield* writeOnce(at(0), (yield* readOnce(at(0))) + 1);
}

/** Works on a word that nobody else uses. */
export function* idle(word: number): Op<void> {
  for (let i = 0; i < 3; i++) yield* writeOnce(at(word), yield* choose(3));
}

/** Two actors that lose updates of word 0, and one that has nothing to do with it. */
export function lostUpdate(rounds = 2): CheckOptions {
  return {
    machine: createMachine([Word], { words: 8 }),
    actors: actorsOf(
      () => idle(3),
      () => increment(rounds),
      () => increment(rounds),
    ),
    final: () => {
      const value = mem[at(0)];
      return value === 2 * rounds ? null : { invariant: 'sum', message: `${value}`, words: [] };
    },
  };
}
