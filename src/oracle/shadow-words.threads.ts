/** The threads edition of shadow-words.ts: observers of several threads keep one shadow. */
import { mem } from '../shared/memory.ts';

/** Reads a word of any table without being seen. */
export function peek(word: number): number {
  return Atomics.load(mem, word);
}

/** Is the object in use? @param bitmap - first word of the pool's bitmap (shared/slab.ts). */
export function inUse(bitmap: number, index: number): boolean {
  return ((peek(bitmap + (index >>> 5)) >>> (index & 31)) & 1) === 1;
}

/** Adds to a shadow word. @returns its new value. */
export function shadowAdd(word: number, delta: number): number {
  return (Atomics.add(mem, word, delta) + delta) | 0;
}

/** Stores a shadow word. */
export function shadowSet(word: number, value: number): void {
  Atomics.store(mem, word, value);
}
