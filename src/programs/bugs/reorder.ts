/**
 * reorder and twostage (Inspect's benchmarks, in SCTBench with up to 100 threads): small bugs
 * among many threads that have nothing to do with them. n counts all threads, as in the names
 * reorder_20 and twostage_100 there.
 */
import type { Op } from '../../shared/op.ts';
import {
  acquireWhen,
  read,
  readOnce,
  storeRelease,
  write,
  writeOnce,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { assertThat, threads } from '../program.ts';

const Pair = defineTable('pair', [], { a: '[SETTER] 1 once set', b: '[SETTER] -1 once set' });
const Stage = defineTable('stage', [], {
  firstLock: '[ANY] 1 while held',
  first: '[HOLDER] set in the first stage',
  secondLock: '[ANY] 1 while held',
  second: '[HOLDER] first + 1, set in the second stage',
});

/** a = 1, b = -1. */
export function* reorderSetter(): Op<void> {
  yield* writeOnce(Pair.a.word, 1);
  yield* writeOnce(Pair.b.word, -1);
}

/** Neither or both must be set: `(a == 0 && b == 0) || (a == 1 && b == -1)`. */
export function* reorderChecker(): Op<void> {
  if ((yield* readOnce(Pair.a.word)) === 0) {
    if ((yield* readOnce(Pair.b.word)) === 0) return;
  }
  const a = yield* readOnce(Pair.a.word);
  assertThat(a === 1, a, 0);
  if (a !== 1) return;
  const b = yield* readOnce(Pair.b.word);
  assertThat(b === -1, a, b);
}

function* lock(word: number): Op<void> {
  yield* acquireWhen(word, -1, 0, 1);
}

function* unlock(word: number): Op<void> {
  yield* storeRelease(word, 0);
}

/** Sets the first datum, then the second, each under its lock. */
export function* twostageSetter(): Op<void> {
  yield* lock(Stage.firstLock.word);
  yield* write(Stage.first.word, 1);
  yield* unlock(Stage.firstLock.word);
  yield* lock(Stage.secondLock.word);
  yield* write(Stage.second.word, (yield* read(Stage.first.word)) + 1);
  yield* unlock(Stage.secondLock.word);
}

/** Once the first datum is set, the second must be one more. */
export function* twostageChecker(): Op<void> {
  yield* lock(Stage.firstLock.word);
  const first = yield* read(Stage.first.word);
  yield* unlock(Stage.firstLock.word);
  if (first === 0) return;
  yield* lock(Stage.secondLock.word);
  const second = yield* read(Stage.second.word);
  yield* unlock(Stage.secondLock.word);
  assertThat(second === first + 1, second, first + 1);
}

export const reorder: Program = {
  name: 'reorder',
  about: 'n - 1 threads set a and then b, one looks between: reorder_n of SCTBench.',
  param: { counts: 'threads', least: 2, usual: 20 },
  tables: [Pair],
  config: () => ({}),
  actors: (n) => [
    ...threads(n - 1, 'setter', () => reorderSetter()),
    { name: 'checker', body: () => reorderChecker() },
  ],
};

export const twostage: Program = {
  name: 'twostage',
  about: 'n - 1 threads set two data in two critical sections, one looks between: twostage_n.',
  param: { counts: 'threads', least: 2, usual: 100 },
  tables: [Stage],
  config: () => ({}),
  actors: (n) => [
    ...threads(n - 1, 'setter', () => twostageSetter()),
    { name: 'checker', body: () => twostageChecker() },
  ],
};
