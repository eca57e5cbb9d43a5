/**
 * Compiled lookups against the same functions stripped, over one memory: every lookup, keys that are
 * there, keys that are not, and numbers that are no keys at all.
 */
import { describe, expect, it } from 'vitest';
import type * as KernelsModule from '../../bench/kernels.ts';
import type * as LookupsModule from '../../bench/lookups.ts';
import type * as MachineModule from '../../bench/machine.ts';
import type * as PopulateModule from '../../bench/populate.ts';
import type * as TablesModule from '../../bench/tables.ts';
import type * as LayoutModule from '../../src/shared/layout.ts';
import { LOOKUP_NAMES } from '../../bench/lookup-names.ts';
import { Prng } from '../../src/threads/prng.ts';

/** Kernels run where they are built: beside the threads edition. */
async function built<T>(path: string): Promise<T> {
  return (await import(new URL(`../../dist/threads/${path}.js`, import.meta.url).href)) as T;
}

const { loadKernels } = await built<typeof KernelsModule>('bench/kernels');
const { lookupOf } = await built<typeof LookupsModule>('bench/lookups');
const { CHUNK, benchConfig, benchTables, vcpuOfReader } =
  await built<typeof MachineModule>('bench/machine');
const { populate } = await built<typeof PopulateModule>('bench/populate');
const { BenchKey } = await built<typeof TablesModule>('bench/tables');
const { createMachine } = await built<typeof LayoutModule>('src/shared/layout');

const ENTRIES = 2 ** 10;
const KEYS = 4 * CHUNK;

/** Makes a machine whose keys are mostly there. */
function setUp(lookup: (typeof LOOKUP_NAMES)[number]) {
  const shape = { lookup, entries: ENTRIES, vmas: 7, readers: 1, keys: KEYS };
  const machine = createMachine(benchTables, benchConfig(shape));
  const { keys } = populate(shape);
  const first = BenchKey.value.at2(0, 0);
  const prng = new Prng(LOOKUP_NAMES.indexOf(lookup));
  for (let i = 0; i < KEYS; i++) {
    const draw = prng.below(100);
    const key = keys[prng.below(keys.length)] as number;
    const near = key + prng.below(64) - 32;
    const any = prng.below(2 ** 32) | 0;
    machine.words[first + i] = draw < 70 ? key : draw < 90 ? near : any;
  }
  return { machine, first, v: vcpuOfReader(0) };
}

describe.each(LOOKUP_NAMES)('%s as WebAssembly', (lookup) => {
  it('finds what the stripped code finds, key by key, in a loop and in batches', () => {
    const { machine, first, v } = setUp(lookup);
    const { ts } = lookupOf(lookup);
    const kernels = loadKernels(machine, v);
    const loop = kernels.loop(lookup);
    const batch = kernels.batch(lookup);
    for (let i = 0; i < KEYS; i++) {
      const key = machine.words[first + i];
      expect([key, loop(first + i, 1)]).toEqual([key, ts(v, first + i, 1)]);
    }
    for (const count of [0, 1, 15, 16, 17, 1000, KEYS]) {
      const wanted = ts(v, first, count);
      expect([count, loop(first, count)]).toEqual([count, wanted]);
      expect([count, batch(first, count)]).toEqual([count, wanted]);
    }
    expect(kernels.bugs()).toBe(0);
    expect(kernels.retries()).toBe(0);
  });

  it('leaves the machine as it was', () => {
    const { machine, first, v } = setUp(lookup);
    const kernels = loadKernels(machine, v);
    const scratch = new Set([lookup]);
    const before = machine.words.slice();
    kernels.loop(lookup)(first, KEYS);
    const changed: number[] = [];
    before.forEach((value, word) => {
      if (machine.words[word] !== value) changed.push(word);
    });
    expect(scratch.size).toBe(1);
    expect(changed.length).toBeLessThan(2);
  });
});
