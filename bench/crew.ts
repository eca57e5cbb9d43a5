/**
 * The threads of a lookup's machine, and the start and stop lines between which they run. Threads
 * live as long as the machine.
 */
import { Worker } from 'node:worker_threads';
import type { Machine } from '../src/shared/layout.ts';
import { createMachine } from '../src/shared/layout.ts';
import { editionFile } from '../src/threads/crew.ts';
import { DISMISSED } from './loops/hold.ts';
import type { VariantName } from './lookups.ts';
import type { Shape } from './machine.ts';
import { WRITER, benchConfig, tablesOf, vcpuOfReader } from './machine.ts';
import type { Entries } from './populate.ts';
import type { Plan } from './sequences.ts';
import { Bench } from './tables.ts';
import type { OperationName } from './operations.ts';
import type { Did, Operated, Order, Reading, ThreadSetup, Watched } from './orders.ts';

/** How often the main thread looks whether all have come to the start line. */
const LOOK_MS = 1;
/** How long a thread may take to come there. */
const START_MS = 20_000;

/** A benchmark that could not be run. */
export class BenchError extends Error {}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** One thread as the main thread sees it: one order at a time. */
class Hand {
  private readonly worker: Worker;
  private gone: Error | undefined;
  private settle: { ok: (value: unknown) => void; failed: (error: Error) => void } | undefined;
  readonly ready: Promise<readonly VariantName[]>;

  constructor(setup: ThreadSetup) {
    this.worker = new Worker(editionFile('threads', 'bench/bench.worker.js'), {
      workerData: setup,
      name: `bench d0v${setup.vcpu}`,
    });
    this.ready = this.answer();
    this.worker.on('message', (value: unknown) => {
      this.settle?.ok(value);
    });
    const leave = (error: Error): void => {
      this.gone ??= error;
      this.settle?.failed(this.gone);
    };
    this.worker.on('error', leave);
    this.worker.on('exit', () => {
      leave(new BenchError(`the thread of d0v${setup.vcpu} ended`));
    });
  }

  private answer<T>(): Promise<T> {
    if (this.gone !== undefined) return Promise.reject(this.gone);
    return new Promise((resolve, reject) => {
      this.settle = { ok: resolve as (value: unknown) => void, failed: reject };
    });
  }

  ask<T>(order: Order): Promise<T> {
    const answer = this.answer<T>();
    this.worker.postMessage(order);
    return answer;
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Who runs beside an operation, by the other thread. */
export type Beside = 'nobody' | 'writer' | 'holder';

/** What a run asks for. */
export interface RunSpec {
  /** What each reader does; there are as many readers as this is long. */
  readonly readings: readonly Reading[];
  readonly writer: boolean;
  readonly ms: number;
}

/** What came of it. */
export interface RunResult<Reader = Did> {
  readonly readers: readonly Reader[];
  readonly writer: Did | null;
}

/** The threads of one machine. */
export class Crew {
  readonly shape: Shape;
  readonly machine: Machine;
  /** Variants that its threads can run. */
  variants: readonly VariantName[] = [];
  private readonly hands: Hand[];

  private constructor(shape: Shape) {
    this.shape = shape;
    this.machine = createMachine(tablesOf(shape), benchConfig(shape));
    this.hands = Array.from(
      { length: 1 + shape.readers },
      (_, vcpu) => new Hand({ shape, memory: this.machine.memory, vcpu }),
    );
  }

  /** Makes a machine, its threads, and what is looked up. */
  static async start(shape: Shape, plan: Plan): Promise<Crew> {
    const crew = new Crew(shape);
    try {
      const ready = await Promise.all(crew.hands.map((hand) => hand.ready));
      crew.variants = ready[0] ?? [];
      const entries = await crew.hand(WRITER).ask<Entries>({ do: 'populate', plan });
      for (const hand of crew.hands) await hand.ask({ do: 'prepare', entries });
      return crew;
    } catch (error) {
      await crew.end();
      throw error;
    }
  }

  private hand(vcpu: number): Hand {
    return this.hands[vcpu] as Hand;
  }

  /** One thread alone, for each reading about `ms`. */
  async time(readings: readonly Reading[], ms: number): Promise<readonly Did[]> {
    return this.hand(vcpuOfReader(0)).ask({ do: 'time', readings, ms });
  }

  /** Readies the operations of one reader's vCPU. */
  async readyOperations(): Promise<void> {
    await this.hand(vcpuOfReader(0)).ask({ do: 'ready-operations' });
  }

  /** One operation over and over for about `ms`, alone or beside the other thread. */
  async operate(
    operation: OperationName,
    size: number,
    beside: Beside,
    ms: number,
  ): Promise<Operated> {
    const { words } = this.machine;
    this.clearStart();
    Atomics.store(words, Bench.hold.word, 0);
    const operating = this.hand(vcpuOfReader(0)).ask<Operated>({ do: 'operate', operation, size });
    const others: Promise<Did>[] = [];
    if (beside === 'writer') others.push(this.hand(WRITER).ask({ do: 'write' }));
    if (beside === 'holder') others.push(this.hand(WRITER).ask({ do: 'hold', size }));
    const all = Promise.all([operating, ...others]);
    await Promise.race([this.startLine(1 + others.length), all]);
    Atomics.add(words, Bench.go.word, 1);
    Atomics.notify(words, Bench.go.word);
    await Promise.race([sleep(ms), all]);
    Atomics.store(words, Bench.stop.word, 1);
    await operating;
    Atomics.store(words, Bench.hold.word, DISMISSED);
    Atomics.notify(words, Bench.hold.word);
    return (await all)[0];
  }

  private clearStart(): void {
    const { words } = this.machine;
    Atomics.store(words, Bench.waiting.word, 0);
    Atomics.store(words, Bench.stop.word, 0);
  }

  /** Several threads at once, from one start line to one stop. */
  async run(spec: RunSpec): Promise<RunResult> {
    return this.runReaders(spec, (reading) => ({ do: 'read', reading }));
  }

  /** The same, and each lookup is timed. */
  async watch(spec: RunSpec): Promise<RunResult<Watched>> {
    const threads: (number | null)[] = [];
    for (const hand of this.hands) threads.push(await hand.ask({ do: 'thread-number' }));
    return this.runReaders(spec, (reading) => ({ do: 'watch', reading, threads }));
  }

  private async runReaders<Reader>(
    { readings, writer, ms }: RunSpec,
    order: (reading: Reading) => Order,
  ): Promise<RunResult<Reader>> {
    const { words } = this.machine;
    const count = readings.length + (writer ? 1 : 0);
    this.clearStart();
    const reading = readings.map((what, r) => this.hand(vcpuOfReader(r)).ask<Reader>(order(what)));
    const writing = writer ? this.hand(WRITER).ask<Did>({ do: 'write' }) : Promise.resolve(null);
    const all = Promise.all([Promise.all(reading), writing]);
    await Promise.race([this.startLine(count), all]);
    Atomics.add(words, Bench.go.word, 1);
    Atomics.notify(words, Bench.go.word);
    await Promise.race([sleep(ms), all]);
    Atomics.store(words, Bench.stop.word, 1);
    const [readers, wrote] = await all;
    return { readers, writer: wrote };
  }

  /** Resolves when so many threads sleep before the start. */
  private async startLine(count: number): Promise<void> {
    const { words } = this.machine;
    const until = performance.now() + START_MS;
    while (Atomics.load(words, Bench.waiting.word) < count) {
      if (performance.now() > until) throw new BenchError('a thread did not come to the start');
      await sleep(LOOK_MS);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.hands.map((hand) => hand.end()));
  }
}
