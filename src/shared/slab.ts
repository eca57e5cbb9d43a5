/**
 * A pool of equal objects (what Linux takes from a kmem_cache), free slots found in a bitmap as
 * lib/sbitmap.c finds them: without a lock, one atomic bit operation a slot.
 *
 * bitmap word w, bit b   1 if object 32 * w + b is in use   [ANY]
 *
 * The owner declares a table of one field and one dimension (or takes a row of one with two), so
 * that the words lie together, and passes the first one. Allocating and freeing are full barriers.
 */
import { fetchAnd, fetchOr, readOnce, warnOn } from './operations.ts';
import { BUG_SLAB_DOUBLE_FREE } from './bugs.ts';
import type { Op } from './op.ts';

/** @returns words of a bitmap for `count` objects. */
export function slabWords(count: number): number {
  return (count + 31) >>> 5;
}

/** The lowest clear bit of a word. @returns 0 … 31, or 32 if every bit is set. */
export function lowestClear(bits: number): number {
  return 31 - Math.clz32(~bits & (bits + 1)) + (bits === -1 ? 33 : 0);
}

/**
 * Takes a free object.
 * @param bitmap - first word of the bitmap.
 * @param count - objects in the pool.
 * @returns the object's index, -1 if all are in use.
 */
export function* slabAlloc(bitmap: number, count: number): Op {
  const words = slabWords(count);
  for (let w = 0; w < words; w++) {
    let bits = yield* readOnce(bitmap + w);
    let bit = lowestClear(bits);
    while (bit < 32 && w * 32 + bit < count) {
      bits = yield* fetchOr(bitmap + w, 1 << bit);
      if ((bits & (1 << bit)) === 0) return w * 32 + bit;
      bit = lowestClear(bits);
    }
  }
  return -1;
}

/**
 * Gives an object back.
 * @param bitmap - first word of the bitmap.
 * @param index - the object.
 */
export function* slabFree(bitmap: number, index: number): Op<void> {
  const word = bitmap + (index >>> 5);
  const bit = 1 << (index & 31);
  const before = yield* fetchAnd(word, ~bit);
  warnOn((before & bit) === 0, BUG_SLAB_DOUBLE_FREE, word, index);
}

/**
 * @param bitmap - first word of the bitmap.
 * @param index - the object.
 * @returns 1 if it is in use.
 */
export function* slabInUse(bitmap: number, index: number): Op {
  return ((yield* readOnce(bitmap + (index >>> 5))) >>> (index & 31)) & 1;
}
