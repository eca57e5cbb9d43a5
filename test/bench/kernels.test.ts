/**
 * Goal: a lookup in WebAssembly or JavaScript does what the functions of the threads edition do
 * that it is made from; so does the yardstick that is written by hand.
 * Method: all over one memory, every lookup, with keys that are there, keys that are not, and
 * numbers that are no keys at all; results and all words are compared.
 */
import { describe, expect, it } from 'vitest';
import type * as KernelsModule from '../../bench/kernels.ts';
import type * as LookupsModule from '../../bench/lookups.ts';
import type * as MachineModule from '../../bench/machine.ts';
import type * as PopulateModule from '../../bench/populate.ts';
import type * as TablesModule from '../../bench/tables.ts';
import type * as PageModule from '../../src/linux/mm/page.ts';
import type * as LayoutModule from '../../src/shared/layout.ts';
import type { Run } from '../../bench/scripts.ts';
import { LOOKUP_NAMES } from '../../bench/lookup-names.ts';
import { Prng } from '../../src/threads/prng.ts';

/** Kernels run where they are built: beside the threads edition. */
async function built<T>(path: string): Promise<T> {
  return (await import(new URL(`../../dist/threads/${path}.js`, import.meta.url).href)) as T;
}

const { loadKernels, shortSleep } = await built<typeof KernelsModule>('bench/kernels');
const { lookupOf } = await built<typeof LookupsModule>('bench/lookups');
const { CHUNK, benchConfig, benchTables, vcpuOfReader } =
  await built<typeof MachineModule>('bench/machine');
const { populate } = await built<typeof PopulateModule>('bench/populate');
const { BenchKey } = await built<typeof TablesModule>('bench/tables');
const { Page } = await built<typeof PageModule>('src/linux/mm/page');
const { createMachine } = await built<typeof LayoutModule>('src/shared/layout');

const ENTRIES = 2 ** 9;
const KEYS = 2 * CHUNK;

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
  // Others hold some of the pages: an operation that expects the usual count must not rely on it.
  for (let pg = 0; pg < Page.refcount.count; pg++) {
    if (prng.below(4) === 0) machine.words[Page.refcount.at(pg)]! += prng.below(3);
  }
  const v = vcpuOfReader(0);
  const kernels = loadKernels(machine, v, shortSleep(machine));
  const script = kernels.script(lookup);
  const hand = kernels.yardstick(lookup);
  const ways: Way[] = [
    { name: 'WebAssembly', loop: kernels.loop(lookup), batch: kernels.batch(lookup) },
    { name: 'JavaScript', loop: script.loop, batch: script.batch },
    ...(hand === null ? [] : [{ name: 'by hand', loop: hand.loop, batch: hand.batch }]),
  ];
  const bugs = (): number => kernels.bugs() + script.bugs();
  return { machine, first, v, threads: lookupOf(lookup).threads, ways, bugs };
}

interface Way {
  readonly name: string;
  readonly loop: Run;
  readonly batch: Run;
}

describe.each(LOOKUP_NAMES)('%s, in WebAssembly and in JavaScript,', (lookup) => {
  it('finds what the threads edition finds, key by key, in a loop and in batches', () => {
    const { machine, first, v, threads, ways, bugs } = setUp(lookup);
    for (let i = 0; i < KEYS; i++) {
      const wanted = threads(v, first + i, 1);
      for (const { name, loop } of ways) {
        const found = loop(first + i, 1);
        if (found !== wanted) expect([name, machine.words[first + i], found]).toEqual([wanted]);
      }
    }
    for (const count of [0, 1, 15, 16, 17, KEYS]) {
      const wanted = threads(v, first, count);
      for (const { name, loop, batch } of ways) {
        expect([name, count, loop(first, count)]).toEqual([name, count, wanted]);
        expect([name, count, batch(first, count)]).toEqual([name, count, wanted]);
      }
    }
    expect(bugs()).toBe(0);
  });

  it('writes what the threads edition writes: every count, lock and section', () => {
    const { machine, first, v, threads, ways } = setUp(lookup);
    const before = machine.words.slice();
    threads(v, first, KEYS);
    const wanted = machine.words.slice();
    for (const { name, loop } of ways) {
      machine.words.set(before);
      loop(first, KEYS);
      const differ = wanted.findIndex((value, word) => machine.words[word] !== value);
      expect([name, differ]).toEqual([name, -1]);
    }
  });
});
