/**
 * How steady the host is: a loop of integer arithmetic that touches no memory takes as long as the
 * processor is given, and nothing else. Its spread over a run is what no ratio can beat.
 */
import { spread } from './statistics.ts';

const ROUNDS = 400_000;

export class NoiseMeter {
  private readonly samples: number[] = [];
  /** Keeps the loop's result alive. */
  sink = 0;

  /** Takes about a millisecond. */
  sample(): void {
    const from = performance.now();
    let x = 1;
    for (let i = 0; i < ROUNDS; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
    this.sink ^= x;
    this.samples.push(performance.now() - from);
  }

  /** The spread of the loop's time. */
  noise(): number {
    return this.samples.length < 2 ? 0 : spread(this.samples);
  }
}
