/** The keys of every reader, written into the machine before anything is measured. */
import { Prng, actorSeed } from '../src/threads/prng.ts';
import type { Distribution } from './keys.ts';
import { entriesOf } from './keys.ts';
import type { Shape } from './machine.ts';
import { CHUNK } from './machine.ts';
import type { Entries } from './populate.ts';
import { BenchExpected, BenchKey } from './tables.ts';

/** Whether readers look up the same entries, or each a part of its own. */
export const SHARINGS = ['disjoint', 'shared'] as const;
export type Sharing = (typeof SHARINGS)[number];

/** A sequence that every reader has. */
export interface Sequence {
  readonly distribution: Distribution;
  readonly sharing: Sharing;
}

/** What is written: one sequence behind the other, all equally long. */
export interface Plan {
  readonly seed: number;
  readonly sequences: readonly Sequence[];
}

/** Chunks of each sequence. */
export function chunksOf({ keys }: Shape, { sequences }: Plan): number {
  return keys / CHUNK / sequences.length;
}

/** Draws the sequences of all readers, and what the sum of each chunk must be. */
export function writeSequences(
  words: Int32Array,
  shape: Shape,
  plan: Plan,
  { keys, results }: Entries,
): void {
  const chunks = chunksOf(shape, plan);
  const share = Math.max(1, Math.floor(shape.entries / shape.readers));
  for (let reader = 0; reader < shape.readers; reader++) {
    plan.sequences.forEach(({ distribution, sharing }, i) => {
      const prng = new Prng(actorSeed(plan.seed, reader * plan.sequences.length + i));
      const from = sharing === 'disjoint' ? (reader * share) % shape.entries : 0;
      const draw = entriesOf(distribution, prng, sharing === 'disjoint' ? share : shape.entries);
      for (let chunk = i * chunks; chunk < (i + 1) * chunks; chunk++) {
        const at = BenchKey.value.at2(reader, chunk * CHUNK);
        let sum = 0;
        for (let k = 0; k < CHUNK; k++) {
          const entry = from + draw();
          words[at + k] = keys[entry] as number;
          sum = (sum + (results[entry] as number)) | 0;
        }
        words[BenchExpected.value.at2(reader, chunk)] = sum;
      }
    });
  }
}
