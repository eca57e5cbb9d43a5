/**
 * Readers of the torn seqlock. They differ in how they look at the sequence the second time.
 *
 * The worker loads this module again and again under other names, for it is young code that tears:
 * the first of V8's two optimising compilers (Maglev, in Node 24 and later) takes one load for two
 * of the same word if nothing is written and nothing is called between them. When code has run
 * longer, the second (TurboFan) compiles it, which loads a word of shared memory as often as it is
 * read.
 */

/** The words, each on a cache line of its own; the sequence's writer holds it odd. */
export const SEQUENCE = 0;
export const FIRST = 16;
export const SECOND = 32;
/** Set to stop. */
export const STOP = 48;
export const WORDS = 64;

/** What readers saw. */
export interface Seen {
  /** Snapshots that passed the second look. */
  snapshots: number;
  /** Those of them whose words were not written together. */
  torn: number;
}

/** The mistake: the second look may be the first one. */
export function readPlain(mem: Int32Array, reads: number, seen: Seen): void {
  let snapshots = 0;
  let torn = 0;
  for (let i = 0; i < reads; i++) {
    const before = mem[SEQUENCE] as number;
    if ((before & 1) !== 0) continue;
    const first = mem[FIRST] as number;
    const second = mem[SECOND] as number;
    if (mem[SEQUENCE] !== before) continue;
    snapshots++;
    torn += first === second ? 0 : 1;
  }
  seen.snapshots += snapshots;
  seen.torn += torn;
}

/** As readSeqBegin and readSeqRetry do it. */
export function readAtomic(mem: Int32Array, reads: number, seen: Seen): void {
  let snapshots = 0;
  let torn = 0;
  for (let i = 0; i < reads; i++) {
    const before = Atomics.load(mem, SEQUENCE);
    if ((before & 1) !== 0) continue;
    const first = Atomics.load(mem, FIRST);
    const second = Atomics.load(mem, SECOND);
    if (Atomics.load(mem, SEQUENCE) !== before) continue;
    snapshots++;
    torn += first === second ? 0 : 1;
  }
  seen.snapshots += snapshots;
  seen.torn += torn;
}
