/**
 * Goal: compiled lookups wait as the threads edition does: giving a lock up, or answering a flush,
 * wakes who sleeps for it; who sleeps for one says so, and lets others handle its interrupts.
 * Method: sleepers by Atomics.waitAsync(), which tells a call from the end of its time; a reader on
 * a thread before a lock that is held from outside.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Crew } from '../../bench/crew.ts';
import type * as KernelsModule from '../../bench/kernels.ts';
import type { LookupName } from '../../bench/lookup-names.ts';
import { CHUNK, WRITER, vcpuOfReader } from '../../bench/machine.ts';
import { BenchKey } from '../../bench/tables.ts';
import { Call, CallQueue, Shootdown } from '../../src/hardware/shootdown.ts';
import { PHYS_FLUSH, UPCALL_PENDING, VECTOR_CALL_FUNCTION, Vcpu } from '../../src/hardware/vcpu.ts';
import { M2pOverride } from '../../src/linux/designs/m2p-override.ts';
import { CurrentMm } from '../../src/linux/mm/mm-life.ts';
import { Mm } from '../../src/linux/mm/mm.ts';
import { Vma } from '../../src/linux/mm/vma.ts';
import { attach } from '../../src/shared/layout.ts';
import { SLEEPER_SLOTS } from '../../src/shared/processor.ts';
import { Control, Sleepers } from '../../src/threads/control.ts';

const { loadKernels, shortSleep } = (await import(
  new URL('../../dist/threads/bench/kernels.js', import.meta.url).href
)) as typeof KernelsModule;

const plan = { seed: 1, sequences: [{ distribution: 'uniform', sharing: 'disjoint' }] } as const;
const V = vcpuOfReader(0);
/** Longer than it takes to be told of a call. */
const CALL_MS = 1000;
const LONG_MS = 5000;
const RUN_MS = 300;
/** Longer than a sleeper sleeps by itself. */
const SOME_SLEEPS_MS = 20;
const ASLEEP = 1;
const SERVED = 2;
const WRITER_HOLDS = 1;

let crew: Crew | undefined;

afterEach(async () => {
  await crew?.end();
  crew = undefined;
});

async function launch(lookup: LookupName): Promise<Crew> {
  crew = await Crew.start({ lookup, entries: 128, vmas: 1, readers: 1, keys: CHUNK }, plan);
  attach(crew.machine);
  return crew;
}

/** The word of the lock that a lookup of the first key takes. */
function lockOf(lookup: LookupName, words: Int32Array): number {
  if (lookup === 'm2p-override') return M2pOverride.lock.at(0);
  if (lookup !== 'vma-pages-per-vma-lock') return Mm.mmapLock.at(mmOf(words));
  const vpn = words[BenchKey.value.at2(0, 0)] as number;
  for (let vma = 0; vma < Vma.vmStart.count; vma++) {
    const start = words[Vma.vmStart.at(vma)] as number;
    if (start <= vpn && vpn < (words[Vma.vmEnd.at(vma)] as number)) return Vma.vmRefcnt.at(vma);
  }
  throw new RangeError('no VMA has the first key');
}

function mmOf(words: Int32Array): number {
  return words[CurrentMm.value.at(V)] as number;
}

/** Sleeps for a word while something is done. @returns whether the sleeper was called. */
async function wakes(words: Int32Array, word: number, act: () => void): Promise<string> {
  words[Sleepers.value.at(word & (SLEEPER_SLOTS - 1))]! += 1;
  const waiting = Atomics.waitAsync(words, word, words[word] as number, LONG_MS);
  act();
  if (!waiting.async) return waiting.value;
  const outcome = await Promise.race([waiting.value, sleep(CALL_MS, 'nobody called')]);
  Atomics.notify(words, word);
  return outcome;
}

describe.each([
  'm2p-override',
  'vm-foreign',
  'find-special-page',
  'vma-pages-per-vma-lock',
] as const)('%s', (lookup) => {
  it('wakes who sleeps for its lock, in WebAssembly and in JavaScript', async () => {
    const { machine } = await launch(lookup);
    const { words } = machine;
    const kernels = loadKernels(machine, V, shortSleep(machine));
    const lock = lockOf(lookup, words);
    for (const look of [kernels.loop(lookup), kernels.batch(lookup), kernels.script(lookup).loop]) {
      const outcome = await wakes(words, lock, () => {
        look(BenchKey.value.at2(0, 0), 1);
      });
      expect(outcome).toBe('ok');
    }
  });
});

describe('a compiled wait', () => {
  it('wakes who waits for the answer to its flush', async () => {
    const { machine } = await launch('vm-foreign');
    const { words } = machine;
    const kernels = loadKernels(machine, V, shortSleep(machine));
    words[Shootdown.flushMask.word] = 1 << V;
    words[Vcpu.physical.at(V)] = PHYS_FLUSH;
    expect(await wakes(words, Shootdown.flushMask.word, kernels.attend)).toBe('ok');
    expect(words[Shootdown.flushMask.word]).toBe(0);
  });

  it('wakes who waits for the answer to its call', async () => {
    const { machine } = await launch('vm-foreign');
    const { words } = machine;
    const kernels = loadKernels(machine, V, shortSleep(machine));
    const busy = Call.busy.at2(WRITER, V);
    words[busy] = 1;
    words[CallQueue.callers.at(V)] = 1 << WRITER;
    words[Vcpu.virtualPending.at(V)] = VECTOR_CALL_FUNCTION;
    words[Vcpu.upcall.at(V)] = UPCALL_PENDING;
    expect(await wakes(words, busy, kernels.attend)).toBe('ok');
    expect([words[busy], words[Vcpu.upcall.at(V)]]).toEqual([0, 0]);
  });

  it.each(['wasm', 'ts'] as const)(
    'of %s is woken, and stays where it is while served',
    async (variant) => {
      const { machine } = await launch('vm-foreign');
      const { words } = machine;
      const lock = Mm.mmapLock.at(mmOf(words));
      const asleep = Control.asleep.at(V);
      words[lock] = WRITER_HOLDS;
      const reading = { variant, batch: CHUNK, firstChunk: 0, chunks: 1, changes: 0 };
      const running = (crew as Crew).run({ readings: [reading], writer: false, ms: RUN_MS });
      const sleepers = Sleepers.value.at(lock & (SLEEPER_SLOTS - 1));
      while (Atomics.load(words, sleepers) === 0) await sleep(1);
      while (Atomics.compareExchange(words, asleep, ASLEEP, SERVED) !== ASLEEP);
      Atomics.store(words, lock, 0);
      Atomics.notify(words, lock);
      await sleep(SOME_SLEEPS_MS);
      expect(words[lock]).toBe(0);
      expect(words[asleep]).toBe(SERVED);
      Atomics.store(words, asleep, ASLEEP);
      Atomics.notify(words, asleep);
      const { readers } = await running;
      expect(readers[0]).toMatchObject({ wrong: 0 });
      expect(readers[0]?.lookups).toBeGreaterThan(0);
      expect(words[sleepers]).toBe(0);
    },
  );
});
