/** What one thread does alone, timed by tinybench. */
import { Bench as TinyBench } from 'tinybench';
import { CHUNK } from './machine.ts';
import type { Did } from './orders.ts';

/** Chunks between two looks at the clock: tinybench itself takes microseconds a sample. */
const CHUNKS_A_SAMPLE = 8;

/** @param steps - each looks its next chunk up and tells whether that was right. */
export function timeAlone(steps: readonly (() => boolean)[], ms: number): Did[] {
  const wrong = steps.map(() => 0);
  const bench = new TinyBench({ time: ms, iterations: 1, warmup: false, retainSamples: false });
  steps.forEach((step, i) => {
    bench.add(String(i), () => {
      for (let chunk = 0; chunk < CHUNKS_A_SAMPLE; chunk++) if (!step()) wrong[i]! += 1;
    });
  });
  bench.runSync();
  return bench.tasks.map(({ result }, i) => {
    if (result.state !== 'completed') throw new Error(`timing ended as ${result.state}`);
    const { latency, totalTime } = result;
    return {
      lookups: latency.samplesCount * CHUNKS_A_SAMPLE * CHUNK,
      turns: 0,
      ms: totalTime,
      retries: 0,
      wrong: wrong[i] as number,
      longestMs: latency.max,
    };
  });
}
