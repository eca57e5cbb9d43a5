/**
 * fib_bench (SV-COMP): two threads add x and y into each other n times; a third looks whether
 * one of them passed the Fibonacci number that bounds both.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, writeOnce } from '../../shared/operations.ts';
import type { Program } from '../program.ts';
import { assertThat } from '../program.ts';
import { X, Y } from './variables.ts';

/** x = y = 1. */
export function* fibSetup(): Op<void> {
  yield* writeOnce(X.value.word, 1);
  yield* writeOnce(Y.value.word, 1);
}

/** `rounds` times x = x + y. @param rounds - how often. */
export function* fibFirst(rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) {
    const x = yield* readOnce(X.value.word);
    const y = yield* readOnce(Y.value.word);
    yield* writeOnce(X.value.word, x + y);
  }
}

/** `rounds` times y = x + y. @param rounds - how often. */
export function* fibSecond(rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) {
    const x = yield* readOnce(X.value.word);
    const y = yield* readOnce(Y.value.word);
    yield* writeOnce(Y.value.word, x + y);
  }
}

/** Neither may exceed `bound`. @param bound - Fibonacci number of 2 rounds + 2. */
export function* fibWatcher(bound: number): Op<void> {
  const x = yield* readOnce(X.value.word);
  assertThat(x <= bound, x, bound);
  if (x > bound) return;
  const y = yield* readOnce(Y.value.word);
  assertThat(y <= bound, y, bound);
}

function fibonacci(n: number): number {
  let a = 0;
  let b = 1;
  for (let i = 0; i < n; i++) {
    const next = a + b;
    a = b;
    b = next;
  }
  return a;
}

export const fibBench: Program = {
  name: 'fib_bench',
  about: 'Two threads add x and y into each other n times; a third checks the Fibonacci bound.',
  param: { counts: 'rounds of each thread', least: 1, usual: 3 },
  tables: [X, Y],
  config: () => ({}),
  setup: fibSetup,
  actors: (n) => [
    { name: 'first', body: () => fibFirst(n) },
    { name: 'second', body: () => fibSecond(n) },
    { name: 'watcher', body: () => fibWatcher(fibonacci(2 * n + 2)) },
  ],
};
