/** A call a lookup: a loop of its own for each function, so that its call site sees no other. */
import type { Run } from './scripts.ts';

let made = 0;

/**
 * @param lookup - looks up `count` keys from a word on. @returns a function that calls it for each
 *   key. Compilers learn by the text of a function, so each has a text of its own.
 */
export function callEach(lookup: Run): Run {
  const text =
    `const call = lookup; return (keys, count) => { /* ${made++} */ let sum = 0; ` +
    `for (let i = 0; i < count; i++) sum = (sum + call((keys + i) | 0, 1)) | 0; return sum; };`;
  // oxlint-disable-next-line typescript/no-implied-eval
  return (new Function('lookup', text) as (lookup: Run) => Run)(lookup);
}
