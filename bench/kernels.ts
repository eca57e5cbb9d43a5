/**
 * The lookups as WebAssembly (docs/compiled-kernels.md): one module for all machines, in which this
 * machine's numbers are put before it is compiled by the engine.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Machine } from '../src/shared/layout.ts';
import { SLEEP_MS } from '../src/shared/processor.ts';
import type { LookupName } from './lookup-names.ts';
import type { Run, Script } from './scripts.ts';
import { loadScript } from './scripts.ts';

/** Bytes of a number in the module: an i32.const with room for every value. */
const NUMBER_BYTES = 5;

/** The compiled lookups of a machine, as one vCPU runs them. */
export interface Kernels {
  /** Lookups one after the other; with `count` 1 a single call. */
  loop(lookup: LookupName): Run;
  /** Lookups in batches of 16, where there are any; else the loop. */
  batch(lookup: LookupName): Run;
  /** The lookup in JavaScript, which calls this instance for what is atomic. */
  script(lookup: LookupName): Script;
  /** The lookup in JavaScript written by hand, where there is one (bench/yardsticks). */
  yardstick(lookup: LookupName): Script | null;
  /** Handles interrupts that wait: to be called between two runs. */
  attend(): void;
  /** Lookups that had to look again so far. */
  retries(): number;
  /** Assertions of the simulated kernel that failed so far. */
  bugs(): number;
}

/** A number of a machine: a place of a table, or a boot parameter by its key in the sizes. */
interface LayoutNumber {
  readonly name: string;
  readonly table: string;
  readonly dimensions: readonly string[];
  readonly what: 'word' | 'outer' | 'count' | 'wordBytes' | 'outerBytes' | 'value';
  readonly key?: string;
  readonly offsets: readonly number[];
}

interface FixedParameter {
  readonly key: string;
  readonly value: number;
}

interface Description {
  readonly kernels: Record<
    LookupName,
    { readonly loop: string; readonly batch: string | null; readonly fixed: FixedParameter[] }
  >;
  readonly numbers: readonly LayoutNumber[];
  readonly vcpu: readonly number[];
}

/** Sleeps until a word is notified, unless it is no longer `seen`, and not for ever. */
export type Sleep = (word: number, seen: number) => void;

interface Exports {
  readonly attend: () => void;
  readonly retries: WebAssembly.Global;
  readonly bugs: WebAssembly.Global;
  readonly [run: string]: unknown;
}

function file(name: string): URL {
  return new URL(`../../kernels/${name}`, import.meta.url);
}

function numberOf(machine: Machine, { table, dimensions, what, key }: LayoutNumber): number {
  if (what === 'value') return machine.config[key as string] as number;
  const place = machine.places.find(
    ({ shape }) => shape.name === table && shape.dims.join() === dimensions.join(),
  );
  if (place === undefined) throw new Error(`the kernels need the table ${table}`);
  switch (what) {
    case 'word':
      return place.from;
    case 'outer':
      return place.outer;
    case 'count':
      return place.counts.at(-1) ?? 1;
    case 'wordBytes':
      return 4 * place.from;
    case 'outerBytes':
      return 4 * place.outer;
  }
}

function put(bytes: Uint8Array, offsets: readonly number[], value: number): void {
  for (const offset of offsets) {
    for (let i = 0; i < NUMBER_BYTES; i++) {
      const more = i < NUMBER_BYTES - 1 ? 0x80 : 0;
      bytes[offset + i] = (((value | 0) >> (7 * i)) & 0x7f) | more;
    }
  }
}

function checkFixed(machine: Machine, lookup: LookupName, fixed: readonly FixedParameter[]): void {
  for (const { key, value } of fixed) {
    const seen = machine.config[key];
    if (seen === value) continue;
    throw new Error(`${lookup} is compiled for machines with ${key} ${value}, not ${seen}`);
  }
}

/** Of a thread that is no actor: it sleeps a little, and looks at its interrupts afterwards. */
export function shortSleep({ words }: Machine): Sleep {
  return (word, seen) => {
    Atomics.wait(words, word, seen, SLEEP_MS);
  };
}

/**
 * Compiles the lookups for a machine that is laid out, booted or not.
 * @param v - vCPU that they run as: one instance for each thread.
 * @param sleep - how a wait sleeps while a word is what it was.
 */
export function loadKernels(machine: Machine, v: number, sleep: Sleep): Kernels {
  const { kernels, numbers, vcpu } = JSON.parse(
    readFileSync(file('lookups.json'), 'utf8'),
  ) as Description;
  const bytes = new Uint8Array(readFileSync(file('lookups.wasm')));
  const byName = new Map([['self$v', v]]);
  for (const number of numbers) {
    const value = numberOf(machine, number);
    byName.set(number.name, value);
    put(bytes, number.offsets, value);
  }
  put(bytes, vcpu, v);
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory: machine.memory, sleep },
  });
  const own = exports as Exports;
  const run = (lookup: LookupName, name: string): Run => {
    checkFixed(machine, lookup, kernels[lookup].fixed);
    return own[name] as Run;
  };
  return {
    loop: (lookup) => run(lookup, kernels[lookup].loop),
    batch: (lookup) => {
      const { loop, batch } = kernels[lookup];
      return run(lookup, batch ?? loop);
    },
    script: (lookup) => {
      checkFixed(machine, lookup, kernels[lookup].fixed);
      return loadScript(file(`${lookup}.js`), machine, byName, own);
    },
    yardstick: (lookup) => {
      const hand = file(`yardsticks/${lookup}.js`);
      return existsSync(hand) ? loadScript(hand, machine, byName, own) : null;
    },
    attend: own.attend,
    retries: () => own.retries.value,
    bugs: () => own.bugs.value,
  };
}
