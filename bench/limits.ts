/**
 * How far from the limit: one lookup in C and in the ways that JavaScript has, turn by turn in one
 * run, on one thread (suites/limits.ts). The best of all turns, and the share of C, like for like:
 * a call a lookup against a call a lookup, all keys in one call against all keys in one call.
 */
import type { Machine } from '../src/shared/layout.ts';
import { createMachine } from '../src/shared/layout.ts';
import { Prng } from '../src/threads/prng.ts';
import { callEach } from './kernel-calls.ts';
import { loadKernels, shortSleep } from './kernels.ts';
import type { LookupName } from './lookup-names.ts';
import { lookupOf } from './lookups.ts';
import type { Shape } from './machine.ts';
import { CHUNK, benchConfig, benchTables, vcpuOfReader } from './machine.ts';
import type { NativeReader } from './native-reference.ts';
import { NATIVE_LOOKUPS, NativeReference } from './native-reference.ts';
import { populate } from './populate.ts';
import type { Run } from './scripts.ts';
import { BenchExpected, BenchKey } from './tables.ts';

/** What is measured, and for how long. */
export interface LimitPlan {
  readonly lookup: LookupName;
  readonly entries: number;
  readonly vmas: number;
  /** Rounds of all ways. */
  readonly turns: number;
  /** Of one way in one round. */
  readonly milliseconds: number;
  /** Of CHUNK keys each, looked up one after the other. */
  readonly chunks: number;
}

/** What one way came to. */
export interface LimitResult {
  readonly lookup: LookupName;
  readonly entries: number;
  readonly vmas: number;
  /** `C`, `wasm`, `ts`, by `hand`, and `threads`; in a loop, in batches, or a call a lookup. */
  readonly way: string;
  /** Of the best turn. */
  readonly lookupsPerSecond: number;
  /** Of C in a loop or, for a call a lookup, of C called so; null without C. */
  readonly shareOfNative: number | null;
}

/** One way of looking up. @returns lookups per second of one slice. */
type Slice = () => Promise<number>;

interface Way {
  readonly name: string;
  /** The way in C that it is compared with. */
  readonly limit: string;
  readonly slice: Slice;
}

/** Looks chunk after chunk up for a while, one chunk first to warm caches up. */
function slices(machine: Machine, reader: NativeReader, name: string, run: Run, ms: number): Slice {
  const { words } = machine;
  const look = (chunk: number): void => {
    const sum = run(reader.keys + chunk * CHUNK, CHUNK);
    if (sum !== words[reader.sums + chunk]) throw new Error(`${name}: a chunk's sum is wrong`);
  };
  return () => {
    for (let chunk = 0; chunk < reader.chunks; chunk++) look(chunk);
    const began = performance.now();
    let now = began;
    let chunks = 0;
    while (now - began < ms) {
      look(chunks++ % reader.chunks);
      now = performance.now();
    }
    return Promise.resolve((chunks * CHUNK) / ((now - began) / 1000));
  };
}

function nativeSlice(
  reference: NativeReference,
  lookup: LookupName,
  reader: NativeReader,
  batch: number,
  ms: number,
): Slice {
  return async () => {
    const run = { lookup, batch, chunk: CHUNK, ms, readers: [reader] };
    await reference.run({ ...run, ms: 2 });
    const [did] = await reference.run(run);
    if (did === undefined || did.wrong > 0) throw new Error(`C: ${lookup}: a sum is wrong`);
    return did.lookups / (did.ms / 1000);
  };
}

/** A machine with keys that are drawn from all entries alike, and the sums of its chunks. */
function fill(shape: Shape): { machine: Machine; reader: NativeReader } {
  const machine = createMachine(benchTables, benchConfig(shape));
  const { keys, results } = populate(shape);
  const { words } = machine;
  const prng = new Prng(1);
  const reader = {
    vcpu: vcpuOfReader(0),
    keys: BenchKey.value.at2(0, 0),
    sums: BenchExpected.value.at2(0, 0),
    chunks: shape.keys / CHUNK,
  };
  for (let i = 0; i < shape.keys; i++) {
    const entry = keys.length - 1 - prng.below(shape.entries);
    words[reader.keys + i] = keys[entry] as number;
    const sum = reader.sums + Math.floor(i / CHUNK);
    words[sum] = ((words[sum] as number) + (results[entry] as number)) | 0;
  }
  return { machine, reader };
}

/** Measures one lookup. @param compiler - of C, null if there is none. */
export async function measureLimit(
  compiler: string | null,
  plan: LimitPlan,
): Promise<readonly LimitResult[]> {
  const { lookup, entries, vmas, turns, milliseconds, chunks } = plan;
  const shape = { lookup, entries, vmas, readers: 1, keys: chunks * CHUNK };
  const { machine, reader } = fill(shape);
  const v = reader.vcpu;
  const { threads } = lookupOf(lookup);
  const kernels = loadKernels(machine, v, shortSleep(machine));
  const script = kernels.script(lookup);
  const hand = kernels.yardstick(lookup);
  const js = (name: string, limit: string, run: Run): Way => {
    return { name, limit, slice: slices(machine, reader, name, run, milliseconds) };
  };
  const ways: Way[] = [
    js('wasm batch', 'C', kernels.batch(lookup)),
    js('wasm loop', 'C', kernels.loop(lookup)),
    js('wasm call', 'C call', callEach(kernels.loop(lookup))),
    ...(hand === null ? [] : [js('hand loop', 'C', hand.loop)]),
    ...(hand === null ? [] : [js('hand batch', 'C', hand.batch)]),
    js('ts batch', 'C', script.batch),
    js('ts loop', 'C', script.loop),
    js('ts call', 'C call', callEach(script.loop)),
    js('threads', 'C', (keys, count) => threads(v, keys, count)),
  ];
  const native = NATIVE_LOOKUPS.includes(lookup) ? compiler : null;
  const reference = native === null ? null : await NativeReference.start(native, machine);
  if (reference !== null) {
    const c = (name: string, batch: number): Way => {
      return {
        name,
        limit: name,
        slice: nativeSlice(reference, lookup, reader, batch, milliseconds),
      };
    };
    ways.unshift(c('C', CHUNK), c('C call', 1));
  }
  const best = new Map<string, number>(ways.map(({ name }) => [name, 0]));
  for (let turn = 0; turn < turns; turn++) {
    for (const { name, slice } of ways) {
      best.set(name, Math.max(best.get(name) as number, await slice()));
    }
  }
  await reference?.end();
  return ways.map(({ name, limit }) => {
    const rate = best.get(name) as number;
    const shareOfNative = reference === null ? null : rate / (best.get(limit) as number);
    return { lookup, entries, vmas, way: name, lookupsPerSecond: Math.round(rate), shareOfNative };
  });
}
