/**
 * Compiled lookups against the functions that they are made from, nobody else running: every way
 * looks the same random keys up, each from the same words; results must be those of the
 * threads edition, in which this module runs, and so must all words but for batches, which take a
 * lock or a section for several keys.
 */
import { createMachine } from '../src/shared/layout.ts';
import type { Prng } from '../src/threads/prng.ts';
import { loadKernels, shortSleep } from './kernels.ts';
import type { LookupName } from './lookup-names.ts';
import { lookupOf } from './lookups.ts';
import { CHUNK, benchConfig, benchTables, vcpuOfReader } from './machine.ts';
import { populate } from './populate.ts';
import type { Tally, Way } from './random-inputs.ts';
import { compiledWays, drawKey, randomShape } from './random-inputs.ts';
import { BenchKey } from './tables.ts';

/** Rounds of keys for one machine. */
const ROUNDS = 64;

function bytesOf(words: Int32Array): Buffer {
  return Buffer.from(words.buffer as ArrayBuffer, words.byteOffset, words.byteLength);
}

/** Compares ways over the words of one machine. */
export class Comparison {
  private readonly words: Int32Array;
  private readonly before: Int32Array;
  private readonly after: Int32Array;

  constructor(words: Int32Array) {
    this.words = words;
    this.before = new Int32Array(words.length);
    this.after = new Int32Array(words.length);
  }

  /** @returns what differs from the first way, or null. */
  differ(ways: readonly Way[], first: number, count: number): string | null {
    const { words, before, after } = this;
    before.set(words);
    let wanted: number | undefined;
    for (const { variant, run, exact } of ways) {
      words.set(before);
      const found = run(first, count);
      if (wanted === undefined) {
        wanted = found;
        after.set(words);
      }
      if (found !== wanted) return `${variant} gives ${found}, not ${wanted}`;
      if (!exact || bytesOf(words).compare(bytesOf(after)) === 0) continue;
      const word = after.findIndex((value, i) => words[i] !== value);
      return `${variant} leaves word ${word} as ${words[word]}, not ${after[word]}`;
    }
    return null;
  }

  /** The same for keys one by one. @returns the first key that differs, and how; or null. */
  firstKey(ways: readonly Way[], first: number, count: number): string | null {
    for (let i = 0; i < count; i++) {
      const key = this.words[first + i];
      const said = this.differ(ways, first + i, 1);
      if (said !== null) return `key ${key}: ${said}`;
    }
    return null;
  }
}

/** One machine, alone. @param goOn - asked before each round. */
export function compareAlone(
  lookup: LookupName,
  prng: Prng,
  tally: Tally,
  goOn: () => boolean,
): void {
  const shape = randomShape(lookup, prng, 1);
  const machine = createMachine(benchTables, benchConfig(shape));
  const entries = populate(shape);
  const v = vcpuOfReader(0);
  const kernels = loadKernels(machine, v, shortSleep(machine));
  const script = kernels.script(lookup);
  const { threads } = lookupOf(lookup);
  const ways: Way[] = [
    { variant: 'threads', run: (keys, count) => threads(v, keys, count), exact: true },
    ...compiledWays(lookup, kernels, script),
  ];
  const comparison = new Comparison(machine.words);
  const first = BenchKey.value.at2(0, 0);
  tally.machines++;
  for (let round = 0; round < ROUNDS && goOn(); round++) {
    const count = 1 + prng.below(CHUNK);
    for (let i = 0; i < count; i++) machine.words[first + i] = drawKey(prng, entries.keys);
    const said = comparison.differ(ways, first, count);
    for (const { variant } of ways) tally.alone[variant] += count;
    if (said === null) continue;
    const key = comparison.firstKey(ways, first, count) ?? said;
    tally.findings.push(`${lookup}: ${count} keys, ${shape.vmas} VMAs: ${key}`);
    return;
  }
  const bugs = kernels.bugs() + script.bugs();
  if (bugs > 0) tally.findings.push(`${lookup}: ${bugs} assertions failed`);
}
