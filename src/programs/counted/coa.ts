/**
 * CoA(n): coherence of x under two writers that also watch y and z, which n - 1 other threads
 * store (GenMC's test suite). Under TSO (2 n!)^2 execution graphs; under SC fewer.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, writeOnce } from '../../shared/operations.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';
import { X, Y, Z } from './variables.ts';

/** Stores 1 in x, loads y and x. */
export function* coaFirst(): Op<void> {
  yield* writeOnce(X.value.word, 1);
  yield* readOnce(Y.value.word);
  yield* readOnce(X.value.word);
}

/** Stores 2 in x, loads z and x. */
export function* coaSecond(): Op<void> {
  yield* writeOnce(X.value.word, 2);
  yield* readOnce(Z.value.word);
  yield* readOnce(X.value.word);
}

/** Stores its number in y and z. @param i - number of the thread. */
export function* coaOther(i: number): Op<void> {
  yield* writeOnce(Y.value.word, i);
  yield* writeOnce(Z.value.word, i);
}

export const coa: Program = {
  name: 'coa',
  about: 'Two threads store x and watch y or z, which n - 1 other threads store.',
  param: { counts: 'the threads that store y and z, and one', least: 1, usual: 3 },
  tables: [X, Y, Z],
  config: () => ({}),
  actors: (n) => [
    { name: 'first', body: coaFirst },
    { name: 'second', body: coaSecond },
    ...threads(n - 1, 'other', coaOther),
  ],
};
