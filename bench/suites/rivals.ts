/**
 * `gntrace bench rivals`: the same gets from what npm offers to several threads: `sharedmap`, a
 * hash map of strings in a SharedArrayBuffer, and `lmdb`, a B+ tree in a memory-mapped file. Both
 * are general stores of strings and bytes, and lookups here are of integers in tables: the ratio
 * tells what an index that is made for its machine is worth, not that they are bad.
 *
 * All run in this thread, in rounds one beside the other, over the same entries and keys.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { positiveNumber } from '../../src/cli/usage.ts';
import { Prng } from '../../src/threads/prng.ts';
import { Crew, BenchError } from '../crew.ts';
import { entriesOf } from '../keys.ts';
import type { LookupName } from '../lookup-names.ts';
import { CHUNK } from '../machine.ts';
import { NoiseMeter } from '../noise.ts';
import type { Output } from '../output.ts';
import { withOutput } from '../output.ts';
import type { Result } from '../results.ts';
import { chunksOf } from '../sequences.ts';
import { median, spread } from '../statistics.ts';
import { aligned, power } from '../table.ts';
import { ratioOf } from './measure.ts';

const ENTRIES = 2 ** 14;
const ROUNDS = 9;
/** Lookups that are set against the rivals: by address, by frame, by handle. */
const OURS: readonly LookupName[] = ['gup-fast-4', 'vma-pages-rcu', 'maptrack', 'p2m'];
const RIVALS = ['sharedmap', 'lmdb'] as const;

/** A store of ENTRIES entries: the sum of what some gets give. */
interface Rival {
  readonly name: (typeof RIVALS)[number];
  get(key: number): number;
  close(): Promise<void> | void;
}

type SharedMapClass = new (
  size: number,
  keySize: number,
  valueSize: number,
) => { set(key: string, value: string): void; get(key: string): string | undefined };

async function sharedmap(): Promise<Rival> {
  // Its own declarations do not parse.
  const module: string = 'sharedmap';
  const { default: SharedMap } = (await import(module)) as { default: SharedMapClass };
  const map = new SharedMap(2 * ENTRIES, 16, 16);
  for (let i = 0; i < ENTRIES; i++) map.set(String(i), String(i));
  return { name: 'sharedmap', get: (key) => Number(map.get(String(key))), close() {} };
}

async function lmdb(): Promise<Rival> {
  const { open } = await import('lmdb');
  const path = mkdtempSync(join(tmpdir(), 'gntrace-bench-'));
  const store = open<number, number>({ path: join(path, 'store'), cache: false });
  await store.transaction(() => {
    for (let i = 0; i < ENTRIES; i++) void store.put(i, i);
  });
  return {
    name: 'lmdb',
    get: (key) => store.get(key) ?? -1,
    async close() {
      await store.close();
      rmSync(path, { recursive: true });
    },
  };
}

/** Gets one chunk of keys after another for about `ms`. @returns gets a second. */
function getFor(rival: Rival, keys: Int32Array, ms: number): number {
  const began = performance.now();
  let gets = 0;
  let now = began;
  while (now - began < ms) {
    for (let i = 0; i < 256; i++) {
      const key = keys[(gets + i) % keys.length] as number;
      if (rival.get(key) !== key) throw new BenchError(`${rival.name} gave a wrong value`);
    }
    gets += 256;
    now = performance.now();
  }
  return (gets / (now - began)) * 1000;
}

function resultOf(lookup: string, variant: string, samples: readonly number[]): Result {
  return {
    suite: 'rivals',
    lookup,
    variant,
    entries: ENTRIES,
    vmas: 1,
    distribution: 'uniform',
    sharing: 'disjoint',
    batch: variant === 'ts' || variant === 'wasm' ? CHUNK : 1,
    readers: 1,
    writer: 0,
    changes: 0,
    opsPerSecond: median(samples),
    spread: spread(samples),
    samples: [...samples],
    retries: 0,
    writerTurnsPerSecond: 0,
    longestMs: 0,
    wrong: 0,
    shareOfNative: null,
    timesOneReader: null,
    latencyNs: null,
  };
}

/** One lookup beside the rivals. */
async function beside(lookup: LookupName, rivals: readonly Rival[], ms: number, noise: NoiseMeter) {
  const plan = { seed: 1, sequences: [{ distribution: 'uniform', sharing: 'disjoint' }] } as const;
  const shape = { lookup, entries: ENTRIES, vmas: 1, readers: 1, keys: ENTRIES };
  const crew = await Crew.start(shape, plan);
  const draw = entriesOf('uniform', new Prng(1), ENTRIES);
  const keys = Int32Array.from({ length: ENTRIES }, () => draw());
  const names = crew.variants;
  const samples = new Map<string, number[]>([...names, ...RIVALS].map((name) => [name, []]));
  const chunks = chunksOf(shape, plan);
  try {
    for (let round = -2; round < ROUNDS; round++) {
      noise.sample();
      for (const variant of names) {
        const reading = { variant, batch: CHUNK, firstChunk: 0, chunks, changes: 0 };
        const [did] = await crew.time([reading], ms);
        if (did === undefined || did.wrong > 0) throw new BenchError(`${lookup} was wrong`);
        if (round >= 0) samples.get(variant)?.push((did.lookups / did.ms) * 1000);
      }
      for (const rival of rivals) {
        const rate = getFor(rival, keys, ms);
        if (round >= 0) samples.get(rival.name)?.push(rate);
      }
    }
  } finally {
    await crew.end();
  }
  return [...samples].map(([variant, rates]) => resultOf(lookup, variant, rates));
}

/** The table: each lookup's rate, and how many times a rival's. */
export function rivalTable(results: readonly Result[]): string[] {
  const rows = results
    .filter(({ variant }) => !RIVALS.some((name) => name === variant))
    .map((result) => {
      const rival = (name: string): string => {
        const found = results.find((r) => r.lookup === result.lookup && r.variant === name);
        if (found === undefined) return '';
        return `× ${ratioOf(result.samples, found.samples).toFixed(0)}`;
      };
      return [
        result.lookup,
        result.variant,
        power(result.entries),
        `${(result.opsPerSecond / 1e6).toFixed(2)} M/s`,
        ...RIVALS.map(rival),
      ];
    });
  const rates = RIVALS.map((name) => {
    const samples = results.filter((r) => r.variant === name).flatMap((r) => r.samples);
    return `${name} ${(median(samples) / 1e6).toFixed(2)} M/s`;
  });
  return [
    ...aligned(['lookup', 'variant', 'entries', 'lookups', ...RIVALS], rows),
    rates.join(', '),
  ];
}

async function run(raw: { readonly seconds: string }, output: Output): Promise<void> {
  const seconds = positiveNumber(raw.seconds, '--seconds', 1e6);
  const noise = new NoiseMeter();
  const began = performance.now();
  const rivals = [await sharedmap(), await lmdb()];
  const ms = (seconds * 1000) / (OURS.length * (ROUNDS + 2) * 4);
  const results: Result[] = [];
  try {
    for (const lookup of OURS) results.push(...(await beside(lookup, rivals, ms, noise)));
  } finally {
    for (const rival of rivals) await rival.close();
  }
  output.report(results, noise.noise(), (performance.now() - began) / 1000, rivalTable);
}

/** The command. */
export function rivalsCommand(): Command {
  const command = new Command('rivals')
    .description('lookups beside gets from sharedmap and lmdb, which share data between threads')
    .option('--seconds <s>', 'time for all of it', '20');
  return withOutput(command, run);
}
