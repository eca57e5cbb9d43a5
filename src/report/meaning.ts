/**
 * What the numbers of a machine mean. Reports know words by their names only; whoever knows the
 * simulated kernel hands this over (src/decode).
 */

/** A word of a table, taken apart. */
export interface NamedWord {
  readonly word: number;
  /** `gnttab[d1].entry[8].hdr`. */
  readonly name: string;
  /** Name of the table as it was declared: `gnttab[d%].entry[%]`. */
  readonly table: string;
  readonly field: string;
  /** Indices along the table's dimensions, outermost first. */
  readonly index: readonly number[];
  /** `[WRITERS] meaning`, as declared. */
  readonly doc: string;
}

/** Kinds of locks that words can be. */
export type LockKind = 'spinlock' | 'rwlock' | 'rwsem' | 'mutex' | 'seqcount';

export interface Meaning {
  /** What kind of structure its record is part of: `page-table`, `vma`, … */
  structure(word: NamedWord): string;
  /** The kind of lock that a word is; null if it is none. */
  lock(word: NamedWord): LockKind | null;
  /** A value as a person says it: `GTF_permit_access|GTF_reading, d1`; null: the number says it. */
  value(word: NamedWord, value: number): string | null;
  /** What a value counts: `{ references: 2 }`, `{ hstw: 1, devw: 0, … }`; null: it is no count. */
  count(word: NamedWord, value: number): Readonly<Record<string, number>> | null;
  /** A tracepoint with its arguments in words. */
  event(point: number, a: number, b: number, c: number): string;
  /** That an assertion of the kernel fired, by its number. */
  assertion(id: number): string;
  /** What a broken invariant means; null if it is not known. */
  rule(invariant: string, message: string): string | null;
}

/** For programs whose words are numbers and nothing else. */
export const plainMeaning: Meaning = {
  structure: () => 'words',
  lock: () => null,
  value: () => null,
  count: () => null,
  event: (point, a, b, c) => `tracepoint 0x${point.toString(16)} (${a}, ${b}, ${c})`,
  assertion: (id) => `assertion 0x${id.toString(16)} fired`,
  rule: () => null,
};
