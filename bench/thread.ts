/**
 * A thread of a benchmark: one vCPU of the lookup's machine. It lives as long as the machine, so
 * that what the compiler learnt stays learnt, and does one thing after the other when it is told.
 *
 * A run: 1. the thread takes its place: `waiting` + 1, and sleeps for `go`. 2. the main thread
 * moves `go` when all are there. 3. chunk after chunk until `stop` is 1. What a run measures is
 * between its own first and last look at the clock. While the thread does not run, it has stepped
 * out: interrupts for its vCPU are handled by whoever raises them.
 */
import { availableParallelism } from 'node:os';
import { build } from 'hdr-histogram-js';
import { handlePhysical, handleUpcall } from '../src/hardware/irq.ts';
import { UPCALL_PENDING, Vcpu } from '../src/hardware/vcpu.ts';
import { TRACE_LOOKUP_RETRY } from '../src/linux/mm/tracepoints.ts';
import { TRACE_UNMAP_BUSY } from '../src/linux/tracepoints.ts';
import { createOracle } from '../src/oracle/oracle.ts';
import { openMachine } from '../src/shared/layout.ts';
import type { Machine } from '../src/shared/layout.ts';
import type { Observer } from '../src/shared/observer.ts';
import { runAlone } from '../src/shared/operations.ts';
import {
  COUNTER_COUNT,
  RETRIES,
  attend,
  becomeActor,
  comeBack,
  ownCore,
  sleepOn,
  stepOut,
} from '../src/shared/processor.ts';
import { Control, Run as RunWords, Sleepers } from '../src/threads/control.ts';
import { timeAlone } from './alone.ts';
import { batchesPay, coreCacheBytes } from './caches.ts';
import { callEach } from './kernel-calls.ts';
import type { Kernels } from './kernels.ts';
import { loadKernels } from './kernels.ts';
import { callBack, holdPage } from './loops/hold.ts';
import type { VariantName } from './lookups.ts';
import { lookupOf } from './lookups.ts';
import { CHUNK, benchConfig, tablesOf, vcpuOfReader, writersEntries } from './machine.ts';
import type { OperationName } from './operations.ts';
import { Operations, latencyOf } from './operations.ts';
import type { Did, Operated, Reading, ThreadSetup, Watched } from './orders.ts';
import { populate } from './populate.ts';
import type { Entries } from './populate.ts';
import type { Run, Script } from './scripts.ts';
import type { Plan } from './sequences.ts';
import { writeSequences } from './sequences.ts';
import { Bench, BenchExpected, BenchKey } from './tables.ts';
import type { Turn } from './turns.ts';
import { addressesOf, makeTurn } from './turns.ts';
import { WaitWatch } from './waits.ts';

const noEntries: Entries = { keys: new Int32Array(0), results: new Int32Array(0) };

/** One vCPU of the machine. */
export class BenchThread {
  private readonly setup: ThreadSetup;
  private readonly machine: Machine;
  private readonly counters = new Float64Array(COUNTER_COUNT);
  private readonly kernels: Kernels;
  private readonly script: Script;
  private readonly variants = new Map<VariantName, Run>();
  /** The same with a call for each lookup. */
  private readonly singles = new Map<VariantName, Run>();
  private entries = noEntries;
  private turn: Turn | undefined;
  private retraced = 0;
  /** Assertions of the kernel that failed, and what the oracle found. */
  private broken = 0;
  private operations: Operations | undefined;

  constructor(setup: ThreadSetup) {
    this.setup = setup;
    this.machine = openMachine(tablesOf(setup.shape), benchConfig(setup.shape), setup.memory);
    this.becomeActor();
    stepOut();
    const { lookup } = setup.shape;
    const { vcpu } = setup;
    this.kernels = loadKernels(this.machine, vcpu, sleepOn);
    this.script = this.kernels.script(lookup);
    const { threads } = lookupOf(lookup);
    const plain: Run = (keys, count) => threads(vcpu, keys, count);
    this.addVariant('threads', plain, plain);
    const { batches = batchesPay(lookup, setup.shape.entries, coreCacheBytes()) } = setup.shape;
    const { loop, batch } = this.script;
    const compiled = this.kernels.loop(lookup);
    this.addVariant('ts', loop, batches ? batch : loop);
    this.addVariant('wasm', compiled, batches ? this.kernels.batch(lookup) : compiled);
  }

  private addVariant(name: VariantName, call: Run, batch: Run): void {
    this.variants.set(name, (keys, count) => (count === 1 ? call : batch)(keys, count));
    this.singles.set(name, callEach(call));
  }

  /** Variants that this thread can run. */
  variantNames(): readonly VariantName[] {
    return [...this.variants.keys()];
  }

  private becomeActor(): void {
    const { shape, vcpu } = this.setup;
    const vcpus = Array.from({ length: 1 + shape.readers }, (_, v) => v);
    const oracle = shape.oracle === true ? this.oracleOf(vcpus) : undefined;
    const observer: Observer = {
      access: (actor, kind, word, before, after) => {
        oracle?.access(actor, kind, word, before, after);
      },
      trace: (actor, point, a, b, c) => {
        if (point === TRACE_UNMAP_BUSY) runAlone(callBack());
        if (point === TRACE_LOOKUP_RETRY) this.retraced++;
        else oracle?.trace(actor, point, a, b, c);
      },
      bug: (actor, id, a, b) => {
        this.broken++;
        oracle?.bug(actor, id, a, b);
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
      zeroWord: RunWords.zero.word,
      counters: this.counters,
      observer,
      watchedFrom: oracle === undefined ? 0x7fffffff : this.machine.watchedFrom,
      choose: () => 0,
      obey() {},
    });
  }

  /** The oracle, whose findings count as wrong. */
  private oracleOf(vcpus: readonly number[]): Observer {
    const who = vcpus.map((v) => ({ vcpu: v, domid: 0, device: false }));
    return createOracle(this.machine, who, () => {
      this.broken++;
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
    if (reading.changes > 0) return this.run(this.mixedStep(reading));
    return this.readBy(this.stepOf(reading));
  }

  private readBy(step: () => boolean): Did {
    return this.run((did) => {
      if (!step()) did.wrong++;
      did.lookups += CHUNK;
    });
  }

  /** One run of a reader whose lookups are calls of their own, each timed. */
  watch(reading: Reading, threads: readonly (number | null)[]): Watched {
    const watch = new WaitWatch(threads, this.setup.vcpu);
    const run = watch.timed(this.variants.get(reading.variant) as Run);
    const step = this.stepOf({ ...reading, batch: CHUNK }, run);
    return { ...this.readBy(step), waits: watch.end() };
  }

  /** One run of the writer: turns at full speed. */
  write(): Did {
    const turn = this.turn as Turn;
    return this.run((did) => {
      if (turn() !== 0) did.wrong++;
      did.turns++;
    });
  }

  /** One run beside operate(), until the main thread dismisses this one. @param size - pages. */
  hold(size: number): Did {
    const { shape, vcpu } = this.setup;
    const last = addressesOf(shape, vcpuOfReader(0)) + size - 1;
    return this.run((did) => {
      for (;;) {
        const held = runAlone(holdPage(vcpu, last));
        if (held === 0) return;
        if (held < 0) did.wrong++;
        did.turns++;
      }
    });
  }

  /** Readies what operate() needs. Alone. */
  readyOperations(): void {
    comeBack();
    this.operations = new Operations(this.setup.shape, this.setup.vcpu);
    stepOut();
  }

  /** One operation after another; each is timed. */
  operate(name: OperationName, size: number): Operated {
    const { before, run, after } = (this.operations as Operations).make(name, size);
    const histogram = build({ highestTrackableValue: 1e11, numberOfSignificantValueDigits: 3 });
    let spentMs = 0;
    const did = this.run((soFar) => {
      before();
      const from = performance.now();
      const status = run();
      const took = performance.now() - from;
      after();
      if (status < 0) soFar.wrong++;
      histogram.recordValue(Math.max(1, Math.round(took * 1e6)));
      spentMs += took;
      soFar.turns++;
    });
    return { ...did, ms: spentMs, latency: latencyOf(histogram) };
  }

  private run(step: Step): Did {
    const { words } = this.machine;
    const did = { lookups: 0, turns: 0, wrong: 0 };
    const go = Atomics.load(words, Bench.go.word);
    Atomics.add(words, Bench.waiting.word, 1);
    while (Atomics.load(words, Bench.go.word) === go) Atomics.wait(words, Bench.go.word, go, 1000);
    ownCore(Atomics.load(words, Bench.waiting.word) <= availableParallelism());
    comeBack();
    this.counters[RETRIES] = 0;
    this.retraced = -this.kernels.retries() - this.script.retries();
    this.broken = -this.kernels.bugs() - this.script.bugs();
    let longestMs = 0;
    const began = performance.now();
    let at = began;
    // One step at least: on a busy host the run may be over before this thread gets a core.
    do {
      step(did);
      attend();
      const now = performance.now();
      longestMs = Math.max(longestMs, now - at);
      at = now;
    } while (Atomics.load(words, Bench.stop.word) === 0);
    stepOut();
    const again = this.retraced + this.kernels.retries() + this.script.retries();
    const retries = again + (this.counters[RETRIES] as number);
    const wrong = did.wrong + this.broken + this.kernels.bugs() + this.script.bugs();
    return { ...did, wrong, ms: at - began, retries, longestMs };
  }

  /** One thread alone, one reading after the other. */
  time(readings: readonly Reading[], ms: number): Did[] {
    comeBack();
    const did = timeAlone(
      readings.map((reading) => this.stepOf(reading)),
      ms,
    );
    stepOut();
    return did;
  }

  /** How a reading looks keys up. */
  private runOf({ variant, batch, changes }: Reading): Run {
    const single = batch === 1 && changes === 0;
    const run = (single ? this.singles : this.variants).get(variant);
    if (run === undefined) throw new RangeError(`this thread has no variant ${variant}`);
    return run;
  }

  /** Looks up the next chunk, over and over. @returns a function that tells if it was right. */
  private stepOf(reading: Reading, run = this.runOf(reading)): () => boolean {
    const { batch, chunks } = reading;
    const { words } = this.machine;
    const { keys, expected } = this.wordsOf(reading);
    const size = batch === 1 ? CHUNK : batch;
    let chunk = 0;
    return () => {
      const first = keys + chunk * CHUNK;
      let sum = 0;
      for (let i = 0; i < CHUNK; i += size) {
        sum = (sum + run(first + i, Math.min(size, CHUNK - i))) | 0;
      }
      const right = sum === words[expected + chunk];
      chunk = (chunk + 1) % chunks;
      return right;
    };
  }

  /** The lookups up to the reader's next turn, and the turn; sums are compared chunk by chunk. */
  private mixedStep(reading: Reading): Step {
    const { batch, chunks, changes } = reading;
    const run = this.runOf(reading);
    const turn = this.turn as Turn;
    const { words } = this.machine;
    const { keys, expected } = this.wordsOf(reading);
    const perTurn = lookupsPerTurn(changes);
    let [chunk, at, sum] = [0, 0, 0];
    return (did) => {
      for (let left = perTurn; left > 0;) {
        const count = Math.min(batch, left, CHUNK - at);
        sum = (sum + run(keys + chunk * CHUNK + at, count)) | 0;
        at += count;
        left -= count;
        if (at < CHUNK) continue;
        if (sum !== words[expected + chunk]) did.wrong++;
        [chunk, at, sum] = [(chunk + 1) % chunks, 0, 0];
      }
      if (turn() !== 0) did.wrong++;
      did.lookups += perTurn;
      did.turns++;
    };
  }

  /** Words of a reading's first key and of its first chunk's sum. */
  private wordsOf({ firstChunk }: Reading): { keys: number; expected: number } {
    const reader = this.setup.vcpu - 1;
    return {
      keys: BenchKey.value.at2(reader, firstChunk * CHUNK),
      expected: BenchExpected.value.at2(reader, firstChunk),
    };
  }
}

/** Does a part of a run and counts it. */
type Step = (did: { lookups: number; turns: number; wrong: number }) => void;

/** Lookups between two turns, of a reader that changes things itself. */
function lookupsPerTurn(changes: number): number {
  return Math.max(1, Math.round((100 - changes) / changes));
}
