/**
 * Programs whose threads all do the same few steps on one, two or three integers (ainc, binc,
 * cinc, inc, rw, wainc, cas, casw of GenMC's test suite; lost update of the textbooks). Their
 * trace counts have closed forms: ainc n!; binc (n!)^2; cinc (n!)^3; inc and rw (n!)^2;
 * wainc (n+1)!; cas n; increments under a lock n!.
 */
import type { Op } from '../../shared/op.ts';
import {
  acquireWhen,
  cmpxchg,
  fetchAdd,
  read,
  readOnce,
  storeRelease,
  write,
  writeOnce,
} from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import type { Program } from '../program.ts';
import { mustBe, threads } from '../program.ts';
import { X, Y, Z } from './variables.ts';

const Lock = defineTable('lock', [], { value: '[ANY] 1 while held' });

const many = { counts: 'threads', least: 1, usual: 4 };

/** x++. */
export function* addOne(): Op<void> {
  yield* fetchAdd(X.value.word, 1);
}

/** x++, y++. */
export function* addTwo(): Op<void> {
  yield* fetchAdd(X.value.word, 1);
  yield* fetchAdd(Y.value.word, 1);
}

/** x++, y++, z++. */
export function* addThree(): Op<void> {
  yield* fetchAdd(X.value.word, 1);
  yield* fetchAdd(Y.value.word, 1);
  yield* fetchAdd(Z.value.word, 1);
}

/** x = x + 2^i in two steps. @param i - number of the thread. */
export function* addInTwoSteps(i: number): Op<void> {
  const before = yield* readOnce(X.value.word);
  yield* writeOnce(X.value.word, before + (1 << i));
}

/** Loads x, stores i. @param i - number of the thread. */
export function* readThenWrite(i: number): Op<void> {
  yield* readOnce(X.value.word);
  yield* writeOnce(X.value.word, i);
}

/** Stores 42. */
export function* storeAnswer(): Op<void> {
  yield* writeOnce(X.value.word, 42);
}

/** CAS of x from 0 to i. @param i - number of the thread, from 1. */
export function* claim(i: number): Op<void> {
  yield* cmpxchg(X.value.word, 0, i);
}

/** CAS of x from 0 to 1, then x = i + 3. @param i - number of the thread. */
export function* claimThenStore(i: number): Op<void> {
  yield* cmpxchg(X.value.word, 0, 1);
  yield* writeOnce(X.value.word, i + 3);
}

/** x = x + 1 in two steps, `rounds` times. @param rounds - how often. */
export function* loseUpdates(rounds: number): Op<void> {
  for (let i = 0; i < rounds; i++) {
    const before = yield* readOnce(X.value.word);
    yield* writeOnce(X.value.word, before + 1);
  }
}

/** x = x + 1 in two steps under a lock. */
export function* addUnderLock(): Op<void> {
  yield* acquireWhen(Lock.value.word, -1, 0, 1);
  const before = yield* read(X.value.word);
  yield* write(X.value.word, before + 1);
  yield* storeRelease(Lock.value.word, 0);
}

export const ainc: Program = {
  name: 'ainc',
  about: 'Each of n threads adds 1 to x atomically.',
  param: many,
  tables: [X],
  config: () => ({}),
  actors: (n) => threads(n, 'adder', addOne),
  final: (n) => mustBe(X.value.word, n, 'x'),
};

export const binc: Program = {
  name: 'binc',
  about: 'Each of n threads adds 1 to x and then to y atomically.',
  param: { ...many, usual: 3 },
  tables: [X, Y],
  config: () => ({}),
  actors: (n) => threads(n, 'adder', addTwo),
  final: (n) => mustBe(X.value.word, n, 'x') ?? mustBe(Y.value.word, n, 'y'),
};

export const cinc: Program = {
  name: 'cinc',
  about: 'Each of n threads adds 1 to x, y and z atomically.',
  param: { ...many, usual: 3 },
  tables: [X, Y, Z],
  config: () => ({}),
  actors: (n) => threads(n, 'adder', addThree),
  final: (n) => mustBe(X.value.word, n, 'x') ?? mustBe(Z.value.word, n, 'z'),
};

export const inc: Program = {
  name: 'inc',
  about: 'Thread i adds 2^i to x by a load and a store.',
  param: { ...many, usual: 3 },
  tables: [X],
  config: () => ({}),
  actors: (n) => threads(n, 'adder', addInTwoSteps),
};

export const rw: Program = {
  name: 'rw',
  about: 'Thread i loads x and stores i.',
  param: { ...many, usual: 3 },
  tables: [X],
  config: () => ({}),
  actors: (n) => threads(n, 'thread', readThenWrite),
};

export const wainc: Program = {
  name: 'wainc',
  about: 'One thread stores 42 in x, n threads add 1 atomically.',
  param: { ...many, usual: 3 },
  tables: [X],
  config: () => ({}),
  actors: (n) => [{ name: 'storer', body: storeAnswer }, ...threads(n, 'adder', addOne)],
};

export const cas: Program = {
  name: 'cas',
  about: 'Thread i compares x with 0 and swaps in i: one wins.',
  param: many,
  tables: [X],
  config: () => ({}),
  actors: (n) => threads(n, 'thread', (i) => claim(i + 1)),
};

export const casw: Program = {
  name: 'casw',
  about: 'Thread i swaps 1 into x if x is 0, then stores i + 3.',
  param: many,
  tables: [X],
  config: () => ({}),
  actors: (n) => threads(n, 'thread', claimThenStore),
};

export const lostUpdate: Program = {
  name: 'lost-update',
  about: 'Three threads add 1 to x by a load and a store, n times each; updates get lost.',
  param: { counts: 'rounds of each thread', least: 1, usual: 2 },
  tables: [X],
  config: () => ({}),
  actors: (n) => threads(3, 'adder', () => loseUpdates(n)),
  final: (n) => mustBe(X.value.word, 3 * n, 'x'),
};

export const lockedIncrement: Program = {
  name: 'locked-increment',
  about: 'Each of n threads adds 1 to x by a load and a store under one lock.',
  param: many,
  tables: [X, Lock],
  config: () => ({}),
  actors: (n) => threads(n, 'adder', addUnderLock),
  final: (n) => mustBe(X.value.word, n, 'x'),
};
