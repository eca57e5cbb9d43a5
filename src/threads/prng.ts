/**
 * Chance in free-running threads: a small generator for each actor, seeded by the run's seed, so
 * that the choices of a workload come from the seed although their interleaving does not.
 */
export class Prng {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** splitmix32. @returns a number in [0, count). */
  below(count: number): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    z ^= z >>> 15;
    return Math.floor(((z >>> 0) * count) / 0x100000000);
  }
}

/** The seed of one actor of a run. */
export function actorSeed(seed: number, actor: number): number {
  return Math.imul(seed ^ Math.imul(actor + 1, 0x85ebca6b), 0xc2b2ae35) ^ (seed >>> 13);
}
