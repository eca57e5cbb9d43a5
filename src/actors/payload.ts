/**
 * What requests carry: every page is filled with words that follow from a seed, and a checksum goes
 * with the request, so that whoever reads the page later sees at once if it is another's.
 */

/** A word of a page. @param seed - of the page's contents, not 0. @param offset - word in it. */
export function payloadWord(seed: number, offset: number): number {
  if (seed === 0) return 0;
  return Math.imul(seed + offset * 0x3c6ef35f, 0x9e3779b1) & 0x7fffffff;
}

/** The checksum of the words so far and one more. @param sum - so far, 0 at first. */
export function checksumOf(sum: number, word: number): number {
  return (Math.imul(sum, 31) + word) | 0;
}

/** The checksum of a page. @param seed - of its contents. @param words - words of the page. */
export function checksumOfSeed(seed: number, words: number): number {
  let sum = 0;
  for (let offset = 0; offset < words; offset++) sum = checksumOf(sum, payloadWord(seed, offset));
  return sum;
}
