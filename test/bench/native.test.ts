/**
 * Goal: the C reference looks up what the simulated kernel does, so that its speed can be compared.
 * Method: a copy of a small machine for each lookup; every chunk's sum must be right, with one key
 * a call and with all of them, by two readers at once. Without a C compiler nothing can be
 * compared.
 */
import { describe, expect, it } from 'vitest';
import { CHUNK, benchConfig, benchTables, vcpuOfReader } from '../../bench/machine.ts';
import { NATIVE_LOOKUPS, NativeReference, findCompiler } from '../../bench/native-reference.ts';
import { populate } from '../../bench/populate.ts';
import { BenchExpected, BenchKey } from '../../bench/tables.ts';
import { createMachine } from '../../src/shared/layout.ts';
import { Prng } from '../../src/threads/prng.ts';

const compiler = await findCompiler();
if (compiler === null) console.warn('no C compiler (cc, gcc, clang): the reference is not tested');

const ENTRIES = 2 ** 9;
const CHUNKS = 2;

describe.skipIf(compiler === null).each(NATIVE_LOOKUPS)('%s in C', (lookup) => {
  it('finds what was put there, and tells when it does not', async () => {
    const shape = { lookup, entries: ENTRIES, vmas: 7, readers: 2, keys: CHUNKS * CHUNK };
    const { machine, readers } = setUp(shape);
    const reference = await NativeReference.start(compiler as string, machine);
    const run = { lookup, chunk: CHUNK, ms: 3, readers: readers };
    for (const batch of [1, 16, CHUNK]) {
      for (const did of await reference.run({ ...run, batch })) {
        expect(did).toMatchObject({ wrong: 0 });
        expect(did.lookups).toBeGreaterThan(0);
      }
    }
    const shifted = readers.map((reader) => ({ ...reader, sums: reader.sums + 1, chunks: 1 }));
    const [did] = await reference.run({ ...run, batch: CHUNK, readers: shifted });
    expect(did?.wrong).toBeGreaterThan(0);
    await reference.end();
  });
});

function setUp(shape: Parameters<typeof populate>[0]) {
  const machine = createMachine(benchTables, benchConfig(shape));
  const { keys, results } = populate(shape);
  const prng = new Prng(1);
  const readers = [0, 1].map((r) => {
    const first = BenchKey.value.at2(r, 0);
    const sums = BenchExpected.value.at2(r, 0);
    for (let i = 0; i < shape.keys; i++) {
      const entry = keys.length - 1 - prng.below(shape.entries);
      const sum = sums + Math.floor(i / CHUNK);
      machine.words[first + i] = keys[entry] as number;
      machine.words[sum] = ((machine.words[sum] as number) + (results[entry] as number)) | 0;
    }
    return { vcpu: vcpuOfReader(r), keys: first, sums, chunks: CHUNKS };
  });
  return { machine, readers };
}
