/**
 * big0 (GenMC's test suite): four threads without any decision, two that load four variables and
 * two that store them three times each; 69112 traces.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, writeOnce } from '../../shared/operations.ts';
import type { Program } from '../program.ts';
import { fixedSize } from '../program.ts';
import { W, X, Y, Z } from './variables.ts';

/** Loads x, y, z. */
export function* big0LoadsThree(): Op<void> {
  yield* readOnce(X.value.word);
  yield* readOnce(Y.value.word);
  yield* readOnce(Z.value.word);
}

/** Loads x, y, z, w, x, y, z. */
export function* big0LoadsSeven(): Op<void> {
  yield* big0LoadsThree();
  yield* readOnce(W.value.word);
  yield* big0LoadsThree();
}

/** Stores 1, 2, 3 in turn into two words. @param a - word. @param b - word. */
export function* big0Stores(a: number, b: number): Op<void> {
  for (let value = 1; value <= 3; value++) {
    yield* writeOnce(a, value);
    yield* writeOnce(b, value);
  }
}

export const big0: Program = {
  name: 'big0',
  about: 'Two threads load x, y, z, w; one stores x and y, one z and w, three times each.',
  param: fixedSize,
  tables: [X, Y, Z, W],
  config: () => ({}),
  actors: () => [
    { name: 'seven', body: big0LoadsSeven },
    { name: 'three', body: big0LoadsThree },
    { name: 'xy', body: () => big0Stores(X.value.word, Y.value.word) },
    { name: 'zw', body: () => big0Stores(Z.value.word, W.value.word) },
  ],
};
