/**
 * Ordered pairs of accesses that a cell's executions have shown: a word each, in order; the number
 * of the pair, doubled, and 1 if more than one shard has shown it.
 */

export class SeenPairs {
  private readonly seen = new Map<number, number>();
  /** Pairs that one shard only has shown. */
  once = 0;

  constructor(words: Uint32Array = new Uint32Array()) {
    for (const word of words) this.set(word >>> 1, (word & 1) + 1);
  }

  get count(): number {
    return this.seen.size;
  }

  /** A shard has shown these. @returns did that change anything? */
  add(pairs: Iterable<number>): boolean {
    let changed = false;
    for (const pair of pairs) {
      const shards = this.seen.get(pair) ?? 0;
      if (shards === 2) continue;
      this.set(pair, shards + 1);
      changed = true;
    }
    return changed;
  }

  /** What others have seen is seen here. Twice the same changes nothing. */
  union(others: SeenPairs): boolean {
    let changed = false;
    for (const [pair, shards] of others.seen) {
      const here = this.seen.get(pair) ?? 0;
      if (here >= shards) continue;
      this.set(pair, shards);
      changed = true;
    }
    return changed;
  }

  private set(pair: number, shards: number): void {
    if (this.seen.get(pair) === 1) this.once--;
    if (shards === 1) this.once++;
    this.seen.set(pair, shards);
  }

  /** All of them, as they are kept. */
  words(): Uint32Array {
    const words = [...this.seen].map(([pair, shards]) => pair * 2 + shards - 1);
    return Uint32Array.from(words).sort();
  }
}
