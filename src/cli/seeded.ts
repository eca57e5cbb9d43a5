/** From a pasted seed or a trace file to the program that it speaks of. */
import { readSeed } from './saved.ts';
import type { Seeded } from './seed-program.ts';
import { programOf } from './seed-program.ts';

export type { Seeded } from './seed-program.ts';

/** Reads a seed and makes its program. What is wrong with a seed is wrong use. */
export function seededProgram(text: string): Seeded {
  return programOf(readSeed(text));
}
