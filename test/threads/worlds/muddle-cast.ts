/** The muddle as a cast: `param` is the seed of its operations. */
import type { Cast, CastOptions } from '../../../src/threads/cast.ts';
import { Line, interrupt, muddle, muddleTables } from './muddle.ts';

const MUDDLERS = 3;
const STEPS = 12;
const WORDS = 3;

/** Scenario `plain` has no interrupt, `interrupted` has one on actor 0, `throws` fails. */
export function createCast({ scenario, param }: CastOptions): Cast {
  return {
    tables: muddleTables,
    config: { words: WORDS, actors: MUDDLERS + 1 },
    actors() {
      const actors = Array.from({ length: MUDDLERS }, (_, self) => ({
        name: `muddler${self}`,
        body: () => {
          if (scenario === 'throws' && self === 2) throw new Error('no part for me');
          return muddle(self, param, STEPS, WORDS);
        },
      }));
      if (scenario !== 'interrupted') return actors;
      const interrupts = { actor: 0, word: Line.value.word };
      return [
        ...actors,
        { name: 'irq', daemon: true, interrupts, body: () => interrupt(MUDDLERS) },
      ];
    },
  };
}
