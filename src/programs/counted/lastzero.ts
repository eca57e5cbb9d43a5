/**
 * lastzero(n): a search for the last zero of an array whose elements change (Abdulla et al.,
 * POPL 2014). 2^(n-2) (n+3) traces; source sets alone block here, wake-up trees do not.
 */
import type { Op } from '../../shared/op.ts';
import { readOnce, writeOnce } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { threads } from '../program.ts';

const Cell = defineTable('array[%]', ['cells'], { value: '[ANY] 0, or its left neighbour + 1' });

/** Walks down from the last cell until it loads 0. @param last - index of the last cell. */
export function* lastzeroReader(last: number): Op<void> {
  let i = last;
  while ((yield* readOnce(Cell.value.at(i))) !== 0) i--;
}

/** Stores one more than the left neighbour. @param i - index of the cell. */
export function* lastzeroWriter(i: number): Op<void> {
  const left = yield* readOnce(Cell.value.at(i - 1));
  yield* writeOnce(Cell.value.at(i), left + 1);
}

export const lastzero: Program = {
  name: 'lastzero',
  about: 'One thread looks for the last zero of an array, n threads each set one cell.',
  param: { counts: 'writers', least: 1, usual: 5 },
  tables: [Cell],
  config: (n) => ({ cells: n + 1 }),
  actors: (n) => [
    { name: 'reader', body: () => lastzeroReader(n) },
    ...threads(n, 'writer', (i) => lastzeroWriter(i + 1)),
  ],
};
