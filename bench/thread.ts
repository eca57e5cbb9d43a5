/**
 * A thread of a benchmark: one vCPU of the lookup's machine. It lives as long as the machine, so
 * that what the compiler learnt stays learnt, and does one thing after the other when it is told.
 *
 * A run: 1. the thread takes its place: `waiting` + 1, and sleeps for `go`. 2. the main thread
 * moves `go` when all are there. 3. chunk after chunk until `stop` is 1. What a run measures is
 * between its own first and last look at the clock. While the thread does not run, it has stepped
 * out: interrupts for its vCPU are handled by whoever raises them.
 */
import { Bench as TinyBench } from 'tinybench';
import { handlePhysical, handleUpcall } from '../src/hardware/irq.ts';
import { UPCALL_PENDING, Vcpu } from '../src/hardware/vcpu.ts';
import { TRACE_LOOKUP_RETRY } from '../src/linux/mm/tracepoints.ts';
import { openMachine } from '../src/shared/layout.ts';
import type { Machine } from '../src/shared/layout.ts';
import type { Observer } from '../src/shared/observer.ts';
import {
  COUNTER_COUNT,
  RETRIES,
  attend,
  becomeActor,
  comeBack,
  stepOut,
} from '../src/shared/processor.ts';
import { Control, Run, Sleepers } from '../src/threads/control.ts';
import { wasmLookup } from './compiled.ts';
import type { VariantName } from './lookups.ts';
import { lookupOf } from './lookups.ts';
import type { Shape } from './machine.ts';
import { CHUNK, benchConfig, benchTables, writersEntries } from './machine.ts';
import { populate } from './populate.ts';
import type { Entries } from './populate.ts';
import type { Plan } from './sequences.ts';
import { writeSequences } from './sequences.ts';
import { Bench, BenchExpected, BenchKey } from './tables.ts';
import type { Turn } from './turns.ts';
import { makeTurn } from './turns.ts';

/** What a thread is started with. */
export interface ThreadSetup {
  readonly shape: Shape;
  readonly memory: WebAssembly.Memory;
  /** The vCPU: 0 the writer, 1 … the readers. */
  readonly vcpu: number;
}

/** What a reader does in a run. */
export interface Reading {
  readonly variant: VariantName;
  /** Lookups a call; 1: each is a call of its own. */
  readonly batch: number;
  /** The first chunk of the keys, and how many there are. */
  readonly firstChunk: number;
  readonly chunks: number;
  /** Turns of changes in a hundred operations of the reader itself. */
  readonly changes: number;
}

/** What the main thread asks for. */
export type Order =
  | { readonly do: 'populate'; readonly plan: Plan }
  | { readonly do: 'prepare'; readonly entries: Entries }
  | { readonly do: 'read'; readonly reading: Reading }
  | { readonly do: 'write' }
  | { readonly do: 'time'; readonly readings: readonly Reading[]; readonly ms: number };

/** What a thread did in a run. */
export interface Did {
  readonly lookups: number;
  readonly turns: number;
  readonly ms: number;
  /** Lookups that had to look again, and compare-and-swaps that failed. */
  readonly retries: number;
  /** Chunks whose sum was wrong, and turns that the kernel refused. */
  readonly wrong: number;
  /** The longest that a chunk took. */
  readonly longestMs: number;
}

const noEntries: Entries = { keys: new Int32Array(0), results: new Int32Array(0) };

/** One vCPU of the machine. */
export class BenchThread {
  private readonly setup: ThreadSetup;
  private readonly machine: Machine;
  private readonly counters = new Float64Array(COUNTER_COUNT);
  private readonly variants = new Map<VariantName, (keys: number, count: number) => number>();
  private entries = noEntries;
  private turn: Turn | undefined;
  private retraced = 0;

  constructor(setup: ThreadSetup) {
    this.setup = setup;
    this.machine = openMachine(benchTables, benchConfig(setup.shape), setup.memory);
    this.becomeActor();
    stepOut();
    const { ts } = lookupOf(setup.shape.lookup);
    const { vcpu } = setup;
    this.variants.set('ts', (keys, count) => ts(vcpu, keys, count));
  }

  /** Readies the variants that need compiling. */
  async compile(): Promise<void> {
    const { shape, vcpu } = this.setup;
    const wasm = await wasmLookup(shape.lookup, this.machine, vcpu);
    if (wasm === null) return;
    const { words } = this.machine;
    const { batch, call } = wasm;
    this.variants.set('wasm', (keys, count) =>
      count === 1 ? call(words[keys] as number) : batch(keys, count),
    );
  }

  /** Variants that this thread can run. */
  variantNames(): readonly VariantName[] {
    return [...this.variants.keys()];
  }

  private becomeActor(): void {
    const { shape, vcpu } = this.setup;
    const vcpus = Array.from({ length: 1 + shape.readers }, (_, v) => v);
    const observer: Observer = {
      access() {},
      trace: (_actor, point) => {
        if (point === TRACE_LOOKUP_RETRY) this.retraced++;
      },
      bug(_actor, id, a, b) {
        throw new Error(`assertion 0x${id.toString(16)} failed: ${a}, ${b}`);
      },
    };
    becomeActor({
      index: vcpu,
      controlWord: Control.request.at(vcpu),
      lines: vcpus.map((v) => ({
        physicalWord: Vcpu.physical.at(v),
        upcallWord: Vcpu.upcall.at(v),
        upcallDeliverable: UPCALL_PENDING,
        physical: () => {
          handlePhysical(v);
        },
        upcall: () => {
          handleUpcall(v);
        },
      })),
      sleepWords: vcpus.map((v) => Control.asleep.at(v)),
      sleepersWord: Sleepers.value.word,
      waitsWord: Control.waits.at(vcpu),
      fenceWord: Control.fence.at(vcpu),
      zeroWord: Run.zero.word,
      counters: this.counters,
      observer,
      watchedFrom: 0x7fffffff,
      choose: () => 0,
      obey() {},
    });
  }

  /** Boots and fills the machine. @returns what the writers change. */
  populate(plan: Plan): Entries {
    comeBack();
    const { shape } = this.setup;
    const { keys, results } = populate(shape);
    const own = writersEntries(shape);
    writeSequences(this.machine.words, shape, plan, {
      keys: keys.subarray(own),
      results: results.subarray(own),
    });
    stepOut();
    return { keys: keys.slice(0, own), results: results.slice(0, own) };
  }

  /** Readies this vCPU's changes. Alone. */
  prepare(entries: Entries): void {
    comeBack();
    this.entries = entries;
    this.turn = makeTurn(this.setup.shape.lookup, this.setup.shape, this.setup.vcpu, entries);
    stepOut();
  }

  /** One run of a reader. */
  read(reading: Reading): Did {
    const step = this.stepOf(reading);
    return this.run((did) => {
      if (!step()) did.wrong++;
      did.lookups += CHUNK;
      did.turns += reading.changes === 0 ? 0 : turnsOfChunk(reading.changes);
    });
  }

  /** One run of the writer: turns at full speed. */
  write(): Did {
    const turn = this.turn as Turn;
    return this.run((did) => {
      if (turn() !== 0) did.wrong++;
      did.turns++;
    });
  }

  private run(step: (did: { lookups: number; turns: number; wrong: number }) => void): Did {
    const { words } = this.machine;
    const did = { lookups: 0, turns: 0, wrong: 0 };
    const go = Atomics.load(words, Bench.go.word);
    Atomics.add(words, Bench.waiting.word, 1);
    while (Atomics.load(words, Bench.go.word) === go) Atomics.wait(words, Bench.go.word, go, 1000);
    comeBack();
    this.counters[RETRIES] = 0;
    this.retraced = 0;
    let longestMs = 0;
    const began = performance.now();
    let at = began;
    while (Atomics.load(words, Bench.stop.word) === 0) {
      step(did);
      attend();
      const now = performance.now();
      longestMs = Math.max(longestMs, now - at);
      at = now;
    }
    stepOut();
    const retries = this.retraced + (this.counters[RETRIES] as number);
    return { ...did, ms: at - began, retries, longestMs };
  }

  /** One thread alone: each reading is a task of tinybench, its function looks a chunk up. */
  time(readings: readonly Reading[], ms: number): Did[] {
    comeBack();
    const wrong = readings.map(() => 0);
    const bench = new TinyBench({ time: ms, iterations: 8, warmup: false, retainSamples: false });
    readings.forEach((reading, i) => {
      const step = this.stepOf(reading);
      bench.add(String(i), () => {
        if (!step()) wrong[i]! += 1;
      });
    });
    bench.runSync();
    stepOut();
    return bench.tasks.map(({ result }, i) => {
      if (result.state !== 'completed') throw new Error(`timing ended as ${result.state}`);
      const { latency, totalTime } = result;
      return {
        lookups: latency.samplesCount * CHUNK,
        turns: 0,
        ms: totalTime,
        retries: 0,
        wrong: wrong[i] as number,
        longestMs: latency.max,
      };
    });
  }

  /** Looks up the next chunk, over and over. @returns a function that tells if the sum was right. */
  private stepOf({ variant, batch, firstChunk, chunks, changes }: Reading): () => boolean {
    const run = this.variants.get(variant);
    if (run === undefined) throw new RangeError(`this thread has no variant ${variant}`);
    const { words } = this.machine;
    const reader = this.setup.vcpu - 1;
    const keys = BenchKey.value.at2(reader, firstChunk * CHUNK);
    const expected = BenchExpected.value.at2(reader, firstChunk);
    const { turn } = this;
    const perTurn = changes === 0 ? CHUNK : lookupsPerTurn(changes);
    const size = Math.min(batch, perTurn);
    let chunk = 0;
    return () => {
      const first = keys + chunk * CHUNK;
      let sum = 0;
      let until = perTurn;
      let refused = 0;
      for (let i = 0; i < CHUNK;) {
        const count = Math.min(size, until - i, CHUNK - i);
        sum = (sum + run(first + i, count)) | 0;
        i += count;
        if (i === until) {
          until += perTurn;
          if (changes !== 0 && turn?.() !== 0) refused++;
        }
      }
      const right = refused === 0 && sum === words[expected + chunk];
      chunk = (chunk + 1) % chunks;
      return right;
    };
  }
}

/** Lookups between two turns, of a reader that changes things itself. */
function lookupsPerTurn(changes: number): number {
  return Math.max(1, Math.round((100 - changes) / changes));
}

function turnsOfChunk(changes: number): number {
  return Math.floor(CHUNK / lookupsPerTurn(changes));
}
