/**
 * reorder and twostage (Inspect's benchmarks, in SCTBench with up to 100 threads): small bugs
 * among many threads that have nothing to do with them. n counts the threads beside main, as in
 * the names reorder_20 and twostage_100 there. As there, main starts one after the other, the
 * checker last: by then most schedules have let a setter through.
 */
import type { Op } from '../../shared/op.ts';
import {
  acquireWhen,
  awaitEqual,
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
const Started = defineTable('started[%]', ['threads'], { value: '[MAIN] 1: the thread runs' });
const Stage = defineTable('stage', [], {
  firstLock: '[ANY] 1 while held',
  first: '[HOLDER] set in the first stage',
  secondLock: '[ANY] 1 while held',
  second: '[HOLDER] first + 1, set in the second stage',
});

/** pthread_create() of all threads, in order. @param count - threads. */
export function* startAll(count: number): Op<void> {
  for (let i = 0; i < count; i++) yield* storeRelease(Started.value.at(i), 1);
}

function* begin(i: number): Op<void> {
  yield* awaitEqual(Started.value.at(i), -1, 1);
}

/** a = 1, b = -1. @param i - number of the thread. */
export function* reorderSetter(i: number): Op<void> {
  yield* begin(i);
  yield* writeOnce(Pair.a.word, 1);
  yield* writeOnce(Pair.b.word, -1);
}

/** Neither or both must be set: `(a == 0 && b == 0) || (a == 1 && b == -1)`. @param i - thread. */
export function* reorderChecker(i: number): Op<void> {
  yield* begin(i);
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

/** Sets the first datum, then the second, each under its lock. @param i - thread. */
export function* twostageSetter(i: number): Op<void> {
  yield* begin(i);
  yield* lock(Stage.firstLock.word);
  yield* write(Stage.first.word, 1);
  yield* unlock(Stage.firstLock.word);
  yield* lock(Stage.secondLock.word);
  yield* write(Stage.second.word, (yield* read(Stage.first.word)) + 1);
  yield* unlock(Stage.secondLock.word);
}

/** Once the first datum is set, the second must be one more. @param i - thread. */
export function* twostageChecker(i: number): Op<void> {
  yield* begin(i);
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
  param: { counts: 'threads beside main', least: 2, usual: 20 },
  tables: [Pair, Started],
  config: (n) => ({ threads: n }),
  actors: (n) => [
    { name: 'main', body: () => startAll(n) },
    ...threads(n - 1, 'setter', (i) => reorderSetter(i)),
    { name: 'checker', body: () => reorderChecker(n - 1) },
  ],
};

export const twostage: Program = {
  name: 'twostage',
  about: 'n - 1 threads set two data in two critical sections, one looks between: twostage_n.',
  param: { counts: 'threads beside main', least: 2, usual: 100 },
  tables: [Stage, Started],
  config: (n) => ({ threads: n }),
  actors: (n) => [
    { name: 'main', body: () => startAll(n) },
    ...threads(n - 1, 'setter', (i) => twostageSetter(i)),
    { name: 'checker', body: () => twostageChecker(n - 1) },
  ],
};
