/**
 * What the tests of this folder share: a machine of plain words beside the tables of the room, ways
 * to run bodies against each other under SC and TSO, and a record of the operations of one call.
 */
import { expect } from 'vitest';
import type { CheckResult } from '../../src/explore/check.ts';
import { check } from '../../src/explore/check.ts';
import { SoloEngine } from '../../src/shared/engine.ts';
import { KIND_NAMES } from '../../src/shared/kinds.ts';
import type { Machine } from '../../src/shared/layout.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { mem } from '../../src/shared/memory.ts';
import type { Op } from '../../src/shared/op.ts';
import { finish, installEngine, read, warnOn, write } from '../../src/shared/operations.ts';
import { defineTable } from '../../src/shared/table.ts';
import { sharedTables } from '../../src/shared/tables.ts';

export const Word = defineTable('word[%]', ['words'], { value: '[ALL] whatever the test needs' });

/** Two domains of two vCPUs, 64 words, and short queues. */
export function arena(): Machine {
  return createMachine([Word, ...sharedTables], {
    words: 64,
    domains: 2,
    vcpusPerDomain: 2,
    vcpus: 4,
    rcuCallbacks: 4,
    delayedWorks: 4,
  });
}

/** The word index of word `i`. */
export function word(i: number): number {
  return Word.value.at(i);
}

/** The value of word `i` now. */
export function valueOf(i: number): number {
  return mem[word(i)] as number;
}

/** Bodies that run against each other, and what must hold at the end. */
export interface Race {
  readonly bodies: readonly (() => Op<unknown>)[];
  readonly daemons?: readonly (() => Op<unknown>)[];
  readonly final?: () => string | null;
  readonly memories?: readonly ('sc' | 'tso')[];
  /** Most executions of partial-order reduction; an eighth of it at random, and as PCT. */
  readonly executions?: number;
}

/**
 * Runs a race under each memory model: all of it by partial-order reduction, as far as the budget
 * goes, and some of it at random. @returns the first broken result, else the last one.
 */
export function race({
  bodies,
  daemons = [],
  final = () => null,
  memories = ['sc', 'tso'],
  executions = 2000,
}: Race): CheckResult {
  const machine = arena();
  const actors = [
    ...bodies.map((body, i) => ({ name: `actor ${i}`, body })),
    ...daemons.map((body, i) => ({ name: `daemon ${i}`, body, daemon: true })),
  ];
  let result: CheckResult | undefined;
  for (const memory of memories) {
    for (const strategy of ['optimal', 'random', 'pct'] as const) {
      const limit = strategy === 'optimal' ? executions : executions >> 3;
      const budget = { executions: limit, maxSteps: 10_000, seed: 7 };
      result = check({ machine, actors, final, strategy, memory, ...budget });
      if (result.verdict === 'broken') return result;
    }
  }
  return result as CheckResult;
}

/** Nothing breaks. */
export function expectSafe(options: Race): void {
  expect(race(options).finding?.message ?? 'safe').toBe('safe');
}

/** Something breaks: the invariant of that name, or the assertion of that number. */
export function expectBroken(what: string | number, options: Race): void {
  const name = typeof what === 'number' ? `bug ${what}` : what;
  expect(race(options).finding?.invariant).toBe(name);
}

/** A plain increment, as code under a lock does it: two of them at once lose one. */
export function* increment(i: number): Op<void> {
  const value = yield* read(word(i));
  yield* write(word(i), value + 1);
}

/** Number of the assertion of expectEqual. */
export const BUG_TORN = 0x7001;

/** Two words that a writer changes together. */
export function* expectEqual(i: number, j: number): Op<void> {
  const one = yield* read(word(i));
  const other = yield* read(word(j));
  warnOn(one !== other, BUG_TORN, one, other);
}

/** `final` of races that count: word `i` is `want`. */
export function counts(i: number, want: number): () => string | null {
  return () => (valueOf(i) === want ? null : `count: ${valueOf(i)} instead of ${want}`);
}

class Recorder extends SoloEngine {
  readonly kinds: string[] = [];
  override begin(kind: number, at: number, a: number, b: number, c: number): boolean {
    this.kinds.push(KIND_NAMES[kind] as string);
    return super.begin(kind, at, a, b, c);
  }
}

/** The kinds of operations that a call performs when nobody else is there. */
export function operationsOf(op: Op<unknown>): string[] {
  const recorder = new Recorder();
  const before = installEngine(recorder);
  try {
    finish(op);
  } finally {
    installEngine(before);
  }
  return recorder.kinds;
}
