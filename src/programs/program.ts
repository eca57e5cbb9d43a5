/**
 * What a program is: tables, actors and what must hold in the end, with one number that sizes it.
 * A program is posed to the explorer, to the command line (`gntrace explore program/NAME --param
 * N`) and to tests in the same form.
 */
import type { Op } from '../shared/op.ts';
import { awaitEqual, readLocal, warnOn } from '../shared/operations.ts';
import type { AnyTable, Config } from '../shared/table.ts';

/** One thread of a program. */
export interface ProgramActor {
  readonly name: string;
  readonly body: () => Op<void>;
}

/** A program of the catalogue. `n` is always its parameter. */
export interface Program {
  readonly name: string;
  /** One sentence: what its threads do, and what breaks it if it is a wrong version. */
  readonly about: string;
  /** What the parameter counts, its smallest and its usual value. */
  readonly param: { readonly counts: string; readonly least: number; readonly usual: number };
  readonly tables: readonly AnyTable[];
  /** Sizes of the tables. */
  config(n: number): Config;
  /** Writes initial values; all words are 0 before. */
  setup?(n: number): Op<void>;
  actors(n: number): readonly ProgramActor[];
  /** What is wrong when all actors have ended, or null. */
  final?(n: number): string | null;
}

/** The only parameter of a program that has one size. */
export const fixedSize = { counts: 'nothing: the program has one size', least: 1, usual: 1 };

/** Number of the assertion of a program's threads, for warnOn. */
export const ASSERTION = 1;

/** assert() of a program's thread; `a` and `b` are the values that disagree. */
export function assertThat(condition: boolean, a: number, b: number): void {
  warnOn(!condition, ASSERTION, a, b);
}

/**
 * assume(): an execution that does not satisfy the condition is not looked at further. It is a
 * wait that no memory can satisfy (mask 0), which the explorer tells from a deadlock.
 */
export function* assume(condition: boolean): Op<void> {
  if (!condition) yield* awaitEqual(0, 0, 1);
}

/** `count` actors with the same body, told apart by their number. */
export function threads(
  count: number,
  name: string,
  body: (i: number) => Op<void>,
): readonly ProgramActor[] {
  return Array.from({ length: count }, (_, i) => ({ name: `${name}${i}`, body: () => body(i) }));
}

/** Compares a word with what it must be in the end. */
export function mustBe(word: number, wanted: number, name: string): string | null {
  const value = readLocal(word);
  return value === wanted ? null : `${name} is ${value}, must be ${wanted}`;
}
