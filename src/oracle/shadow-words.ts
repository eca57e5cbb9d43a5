/**
 * How the oracle keeps its shadow tables in fibers: through `poke`, so that going back to the
 * start of an execution takes the shadow back too. On threads several observers write at once:
 * shadow-words.threads.ts.
 */
import { mem, poke } from '../shared/memory.ts';

/** Reads a word of any table without being seen. */
export function peek(word: number): number {
  return mem[word] as number;
}

/** Is the object in use? @param bitmap - first word of the pool's bitmap (shared/slab.ts). */
export function inUse(bitmap: number, index: number): boolean {
  return ((peek(bitmap + (index >>> 5)) >>> (index & 31)) & 1) === 1;
}

/** Adds to a shadow word. @returns its new value. */
export function shadowAdd(word: number, delta: number): number {
  const value = ((mem[word] as number) + delta) | 0;
  poke(word, value);
  return value;
}

/** Stores a shadow word. */
export function shadowSet(word: number, value: number): void {
  poke(word, value);
}
