/**
 * Goal: the arrows of a race are those of its memory accesses, and what is said to be in order is
 * in order by locks, release and acquire only. Method: message passing with and without them, a
 * lock, a buffered store, and random executions against a definition that looks at all pairs.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clocksOf, edgesOf, isOrdered } from '../../src/report/edges.ts';
import type { NarratedStep } from '../../src/report/narrate.ts';
import { INSERTS, READS, WRITES } from '../../src/explore/model.ts';
import {
  FETCH_ADD,
  LOAD_ACQUIRE,
  READ,
  READ_ONCE,
  STORE_RELEASE,
  WRITE,
  WRITE_ONCE,
} from '../../src/shared/kinds.ts';
import { buffered, step } from './small-race.ts';

const plain = { isLock: () => false, idleWords: [-1, -1, -1] };
const actors = [0, 1, 2];
const DATA = 20;
const FLAG = 21;

/** Message passing: one stores data and raises a flag, the other looks at the flag, then reads. */
function passing(store: number, load: number): NarratedStep[] {
  return [
    step(0, WRITE, DATA, [0, 7], 1),
    step(0, store, FLAG, [0, 1], 2),
    step(1, load, FLAG, [1, 1], 3),
    step(1, READ, DATA, [7, 7], 4),
  ];
}

test('a release that an acquire reads puts what is around them in order', () => {
  const steps = passing(STORE_RELEASE, LOAD_ACQUIRE);
  const edges = edgesOf(steps, [], plain);
  expect(edges).toEqual([
    [1, 2, 'sync'],
    [0, 3, 'rf'],
  ]);
  expect(isOrdered({ steps, edges, actors }, 0, 3)).toBe(true);
});

test.each([
  [WRITE_ONCE, LOAD_ACQUIRE],
  [STORE_RELEASE, READ_ONCE],
])('kinds %i and %i put nothing in order', (store, load) => {
  const steps = passing(store, load);
  const edges = edgesOf(steps, [], plain);
  expect(edges.map(([, , kind]) => kind)).toEqual(['rf', 'rf']);
  expect(isOrdered({ steps, edges, actors }, 0, 3)).toBe(false);
});

test('locks, interrupts and waits have edges of their own', () => {
  const steps = [step(0, FETCH_ADD, FLAG, [0, 1], 1), step(1, FETCH_ADD, FLAG, [1, 2], 2)];
  expect(edgesOf(steps, [], { ...plain, isLock: () => true })).toEqual([[0, 1, 'lock']]);
  expect(edgesOf(steps, [], { ...plain, idleWords: [-1, FLAG] })).toEqual([[0, 1, 'ipi']]);
  const woken = [step(0, WRITE_ONCE, FLAG, [0, 1], 1), step(1, READ_ONCE, FLAG, [1, 1], 2)];
  const waited = { before: 0, from: 1, to: 0, reason: 'waits', resumes: 1 } as const;
  expect(edgesOf(woken, [waited], plain)).toEqual([[0, 1, 'wake']]);
});

test('a store is before its flush, and only the flush is seen by others', () => {
  const store = buffered(step(0, WRITE, DATA, [0, 5], 1));
  const flush = { ...step(0, WRITE, DATA, [0, 5], 1), store: 0 };
  const steps = [store, step(1, READ, DATA, [0, 0], 2), flush, step(1, READ, DATA, [5, 5], 3)];
  expect(steps[0]?.effect).toBe(INSERTS);
  expect(edgesOf(steps, [], plain)).toEqual([
    [0, 2, 'flush'],
    [1, 2, 'rw'],
    [2, 3, 'rf'],
  ]);
});

test('over any execution, conflicts are joined by edges and the program’s order', () => {
  const access = fc.record({
    actor: fc.integer({ min: 0, max: 2 }),
    word: fc.integer({ min: 1, max: 3 }),
    writes: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(access, { maxLength: 30 }), (accesses) => {
      const steps = accesses.map(({ actor, word, writes }, i) => ({
        ...step(actor, writes ? FETCH_ADD : LOAD_ACQUIRE, word, writes ? [i, i + 1] : [i, i], 1),
        effect: writes ? WRITES : READS,
      }));
      const edges = edgesOf(steps, [], plain);
      // As if every edge put its ends in order: then all conflicting pairs are.
      const all = edges.map(([from, to]) => [from, to, 'sync'] as const);
      const clocks = clocksOf({ steps, edges: all, actors });
      steps.forEach((later, j) => {
        for (let i = 0; i < j; i++) {
          const earlier = steps[i] as NarratedStep;
          const conflict =
            earlier.word === later.word && (earlier.effect === WRITES || later.effect === WRITES);
          if (!conflict) continue;
          expect(isOrdered({ steps, edges: all, actors }, i, j, clocks)).toBe(true);
        }
      });
      for (const [from, to] of edges) {
        expect(from).toBeLessThan(to);
        expect(steps[from]?.actor).not.toBe(steps[to]?.actor);
        expect(steps[from]?.word).toBe(steps[to]?.word);
      }
    }),
  );
});
