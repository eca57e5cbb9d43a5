/**
 * The one source of chance: a 32-bit generator with 128 bits of state (xoshiro128**), seeded by
 * two integers. The same seed gives the same numbers on every machine and Node version.
 */
export class Random {
  private a = 1;
  private b = 2;
  private c = 3;
  private d = 4;

  /** Starts the stream of (seed, index): the executions of a run use successive indices. */
  reseed(seed: number, index: number): void {
    let state = (seed ^ Math.imul(index, 0x9e3779b9)) | 0;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.a = mix();
    this.b = mix() ^ index;
    this.c = mix();
    this.d = mix() | 1;
  }

  /** @returns 32 random bits as a signed integer. */
  bits(): number {
    const { b } = this;
    const scaled = Math.imul(b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9);
    const shifted = b << 9;
    this.c ^= this.a;
    this.d ^= b;
    this.b = b ^ this.c;
    this.a ^= this.d;
    this.c ^= shifted;
    this.d = (this.d << 11) | (this.d >>> 21);
    return result;
  }

  /** @returns a whole number in [0, count). */
  below(count: number): number {
    return Math.floor(((this.bits() >>> 0) / 0x100000000) * count);
  }

  /** @returns a number in [0, 1). */
  unit(): number {
    return (this.bits() >>> 0) / 0x100000000;
  }
}
