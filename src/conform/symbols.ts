/**
 * Bytes that a recording does not tell: what a program put into its own memory, a file or a pipe
 * before a step, and what other programs keep in the pages of the granting domain. Each is carried
 * through the machine as a symbol, a value that no byte has. Where a step first sees a symbol, the
 * recorded byte is its value; from then on it must have that value wherever it is seen.
 */
const FIRST_SYMBOL = 1 << 16;

export class Symbols {
  private next = FIRST_SYMBOL;
  private readonly values = new Map<number, number>();
  private readonly free = new Set<number>();

  /** A new symbol. @param rewritable - its holder may write anew unseen: a program's own memory. */
  fresh(rewritable = false): number {
    if (rewritable) this.free.add(this.next);
    return this.next++;
  }

  /** Is what is in memory what was seen? @param byte - in memory. @param seen - recorded. */
  agrees(byte: number, seen: number): boolean {
    if (byte < FIRST_SYMBOL) return byte === seen;
    const known = this.values.get(byte);
    if (known === undefined) this.values.set(byte, seen);
    return known === undefined || known === seen;
  }

  /** Is it a symbol whose holder may have put another value there since? */
  isRewritable(byte: number): boolean {
    return this.free.has(byte);
  }

  /** The byte as a report shows it. */
  show(byte: number): number | string {
    if (byte < FIRST_SYMBOL) return byte;
    return this.values.get(byte) ?? '(not told)';
  }
}
