/**
 * Goal: lookups in WebAssembly and JavaScript are right while another thread unmaps, maps and
 * splits.
 * Method: a reader's thread looks up entries that stay, in every form, beside a writer at full
 * speed: each chunk's sum must be right. A third vCPU looks up what the writer changes: it may find
 * a page or none, but no other number, and afterwards no reference, lock or section is left.
 */
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Crew } from '../../bench/crew.ts';
import type * as KernelsModule from '../../bench/kernels.ts';
import type { LookupName } from '../../bench/lookup-names.ts';
import { CHUNK, vcpuOfReader } from '../../bench/machine.ts';
import type { Run } from '../../bench/scripts.ts';
import type { Plan } from '../../bench/sequences.ts';
import { BenchKey } from '../../bench/tables.ts';
import { addressesOf } from '../../bench/turns.ts';
import { Page } from '../../src/linux/mm/page.ts';
import { attach } from '../../src/shared/layout.ts';
import { RcuReader } from '../../src/shared/rcu.ts';

const { loadKernels, shortSleep } = (await import(
  new URL('../../dist/threads/bench/kernels.js', import.meta.url).href
)) as typeof KernelsModule;

const RUN_MS = 60;
const ENTRIES = 2 ** 10;
const CHUNKS = 4;
/** Addresses that the writer maps and unmaps. */
const WRITERS = 8;
const plan: Plan = {
  seed: 1,
  sequences: [{ distribution: 'uniform', sharing: 'disjoint' }],
};

const byAddress: readonly LookupName[] = [
  'gup-fast-4',
  'vma-pages-seqcount',
  'vma-pages-per-vma-lock',
  'vma-pages-rcu',
];
const others: readonly LookupName[] = ['gup-fast-2', 'm2p-override-bucket-locks'];

let crew: Crew | undefined;

afterEach(async () => {
  await crew?.end();
  crew = undefined;
});

async function start(lookup: LookupName, readers: number) {
  const keys = CHUNKS * CHUNK;
  const shape = { lookup, entries: ENTRIES, vmas: 4, readers, keys, batches: true };
  crew = await Crew.start(shape, plan);
  return { crew, shape };
}

const variants = ['wasm', 'ts'] as const;

function reading(batch: number, variant: (typeof variants)[number]) {
  return { variant, batch, firstChunk: 0, chunks: CHUNKS, changes: 0 };
}

describe.each([...byAddress, ...others])('%s beside a writer', (lookup) => {
  it('finds the right page each time, a key, sixteen or a thousand a call', async () => {
    const { crew: threads } = await start(lookup, 1);
    for (const [variant, batch] of variants.flatMap((name) =>
      [1, 16, CHUNK].map((size) => [name, size] as const),
    )) {
      const { readers, writer } = await threads.run({
        readings: [reading(batch, variant)],
        writer: true,
        ms: RUN_MS,
      });
      expect(readers[0]).toMatchObject({ wrong: 0 });
      expect(readers[0]?.lookups).toBeGreaterThan(0);
      expect(writer).toMatchObject({ wrong: 0 });
      expect(writer?.turns).toBeGreaterThan(0);
    }
  });
});

describe.each(byAddress)('%s of addresses that come and go', (lookup) => {
  it('finds a page or none, and leaves nothing taken', async () => {
    const { crew: threads, shape } = await start(lookup, 2);
    const { machine } = threads;
    const { words } = machine;
    attach(machine);
    const v = vcpuOfReader(1);
    const kernels = loadKernels(machine, v, shortSleep(machine));
    const script = kernels.script(lookup);
    const single = [kernels.loop(lookup), script.loop];
    const batch = [kernels.batch(lookup), script.batch];
    const keys = BenchKey.value.at2(1, 0);
    const own = addressesOf(shape, 0);
    for (let i = 0; i < CHUNK; i++) words[keys + i] = own + (i % WRITERS);
    const counts = pageCounts();
    const ending = threads.run({ readings: [reading(CHUNK, 'ts')], writer: true, ms: 3 * RUN_MS });
    const state = { over: false };
    void ending.finally(() => {
      state.over = true;
    });
    const found = [0, 0];
    while (!state.over) {
      for (const [way, look] of single.entries()) {
        for (let i = 0; i < CHUNK; i++) {
          const pg = look(keys + i, 1);
          if (!(pg >= -1 && pg < Page.refcount.count)) expect(pg).toBe(-1);
          if (pg >= 0) found[way]! += 1;
        }
        (batch[way] as Run)(keys, CHUNK);
      }
      await setImmediate();
    }
    const { readers } = await ending;
    expect(readers[0]).toMatchObject({ wrong: 0 });
    expect(Math.min(...found)).toBeGreaterThan(0);
    expect(kernels.bugs() + script.bugs()).toBe(0);
    expect((words[RcuReader.section.at2(0, v)] as number) & 0xff).toBe(0);
    if (lookup.startsWith('gup-fast')) expect(pageCounts()).toBe(counts);

    /** References of all pages; a turn gives back what it takes. */
    function pageCounts(): number {
      let sum = 0;
      for (let pg = 0; pg < Page.refcount.count; pg++) sum += words[Page.refcount.at(pg)] as number;
      return sum;
    }
  });
});
