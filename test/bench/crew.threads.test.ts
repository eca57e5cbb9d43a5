/**
 * Goal: threads of a benchmark look up beside each other and beside a writer, and find what is
 * there; how fast is no matter here.
 * Method: one tiny run of each lookup on threads; a wrong expectation must be seen.
 */
import { describe, expect, test } from 'vitest';
import { Crew } from '../../bench/crew.ts';
import { LOOKUP_NAMES } from '../../bench/lookup-names.ts';
import { CHUNK } from '../../bench/machine.ts';
import { BenchExpected } from '../../bench/tables.ts';

const plan = { seed: 1, sequences: [{ distribution: 'uniform', sharing: 'disjoint' }] } as const;
const reading = { variant: 'ts', batch: 16, firstChunk: 0, chunks: 1, changes: 0 } as const;

function shapeOf(lookup: (typeof LOOKUP_NAMES)[number]) {
  return { lookup, entries: 128, vmas: 3, readers: 2, keys: CHUNK };
}

describe('a benchmark', () => {
  test.each(LOOKUP_NAMES)('of %s finds what is there beside a writer', async (name) => {
    const crew = await Crew.start(shapeOf(name), plan);
    try {
      const alone = await crew.time([reading, { ...reading, batch: 1 }], 5);
      const { readers, writer } = await crew.run({
        readings: [reading, { ...reading, changes: 2 }],
        writer: true,
        ms: 30,
      });
      for (const did of [...alone, ...readers]) {
        expect(did).toMatchObject({ wrong: 0 });
        if (did.turns === 0) expect(did.lookups % CHUNK).toBe(0);
        expect(did.lookups).toBeGreaterThan(0);
      }
      expect(writer).toMatchObject({ wrong: 0, lookups: 0 });
      expect(writer?.turns).toBeGreaterThan(0);
      expect(readers[1]?.turns).toBeGreaterThan(0);
    } finally {
      await crew.end();
    }
  });

  test.each([0, 2])('notices a wrong result, with %i changes in a hundred', async (changes) => {
    const crew = await Crew.start(shapeOf('p2m'), plan);
    try {
      crew.machine.words[BenchExpected.value.at2(0, 0)]! ^= 1;
      const readings = [{ ...reading, changes }];
      const { readers } = await crew.run({ readings, writer: false, ms: 60 });
      expect(readers[0]?.wrong).toBeGreaterThan(0);
    } finally {
      await crew.end();
    }
  });

  test('refuses a machine that cannot be, by the error of its thread', async () => {
    const shape = { ...shapeOf('p2m'), entries: 0 };
    await expect(Crew.start(shape, plan)).rejects.toThrow('entries must be');
  });
});
