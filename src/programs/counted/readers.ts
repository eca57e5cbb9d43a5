/**
 * readers(n): one writer, n readers that have nothing to do with each other (Abdulla et al.,
 * POPL 2014). Each reader comes before or after the store: 2^n traces.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';
import { X } from './variables.ts';

const Own = defineTable('own[%]', ['readers'], { value: '[NONE] read by one reader only' });

/** Stores x. */
export function* readersWriter(): Op<void> {
  yield* writeOnce(X.value.word, 42);
}

/** Loads x, then a location of its own. @param i - number of the reader. */
export function* reader(i: number): Op<void> {
  yield* readOnce(X.value.word);
  yield* readOnce(Own.value.at(i));
}

export const readers: Program = {
  name: 'readers',
  about: 'One writer stores x; each of n readers loads x, then a location of its own.',
  param: { counts: 'readers', least: 1, usual: 8 },
  tables: [X, Own],
  config: (n) => ({ readers: n }),
  actors: (n) => [{ name: 'writer', body: readersWriter }, ...threads(n, 'reader', reader)],
};
