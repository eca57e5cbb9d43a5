/**
 * Runs work on threads of this process. A thread that dies, runs out of memory or hangs takes its
 * work with it: the work is run once more, on another thread, and then its failure is its outcome.
 * The pool goes on with a new thread.
 */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { editionFile } from '../threads/crew.ts';
import type { Failure, Outcome, Runner, Work, WorkResult } from './work.ts';

/** What a thread is handed. */
export interface WorkTask {
  readonly work: Work;
  /** Two shared words: executions begun; 1 once the thread has the task. */
  readonly beat: Int32Array;
}

export interface PoolLimits {
  readonly workers: number;
  /** A thread in which no execution begins or ends for so long hangs. */
  readonly hangSeconds: number;
  /** Memory of a thread's heap. */
  readonly megabytes: number;
}

/** Runs of a piece of work before it counts as failed. */
const ATTEMPTS = 2;
const WATCH_MS = 250;

export class WorkPool implements Runner {
  readonly slots: number;
  private readonly pool: Piscina<WorkTask, WorkResult>;
  private readonly hangMs: number;
  private closed = false;

  /** @param module - with `runTask` for a WorkTask, from the root of an edition, without `.js`. */
  constructor(module: string, { workers, hangSeconds, megabytes }: PoolLimits) {
    this.slots = workers;
    this.hangMs = hangSeconds * 1000;
    this.pool = new Piscina<WorkTask, WorkResult>({
      filename: fileURLToPath(editionFile('fibers', 'workers/task.worker.js')),
      workerData: module,
      minThreads: workers,
      maxThreads: workers,
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: megabytes },
    });
    // A thread that dies between two tasks is replaced like any other.
    this.pool.on('error', () => {});
  }

  async run(_key: string, work: Work): Promise<Outcome> {
    let outcome = await this.attempt(work);
    for (let tried = 1; tried < ATTEMPTS && 'failure' in outcome && !this.closed; tried++) {
      outcome = await this.attempt(work);
    }
    // What a pool that is closed did to its work is not the work's failure.
    if (this.closed && 'failure' in outcome) throw new Error('the pool is closed');
    return outcome;
  }

  private async attempt(work: Work): Promise<Outcome> {
    const beat = new Int32Array(new SharedArrayBuffer(8));
    const hung = new AbortController();
    const stopWatching = this.watch(beat, hung);
    const from = performance.now();
    try {
      const result = await this.pool.run({ work, beat }, { signal: hung.signal });
      return { result, milliseconds: performance.now() - from };
    } catch (error) {
      const failure = failureOf(error, hung.signal.aborted, Atomics.load(beat, 0));
      return { failure };
    } finally {
      stopWatching();
    }
  }

  /** Ends the thread that stands still; Piscina does so when the signal of a task fires. */
  private watch(beat: Int32Array, hung: AbortController): () => void {
    let seen = -1;
    let sinceMs = performance.now();
    const timer = setInterval(() => {
      const now = Atomics.load(beat, 1) === 0 ? -1 : Atomics.load(beat, 0);
      const moved = now !== seen || now === -1;
      seen = now;
      if (moved) sinceMs = performance.now();
      else if (performance.now() - sinceMs > this.hangMs) hung.abort();
    }, WATCH_MS);
    return () => clearInterval(timer);
  }

  /** Ends one thread at once, whatever it is doing. */
  async kill(index: number): Promise<void> {
    await this.pool.threads[index]?.terminate();
  }

  async forget(): Promise<void> {}

  async close(): Promise<void> {
    this.closed = true;
    await this.pool.destroy();
  }
}

function failureOf(error: unknown, hung: boolean, begun: number): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (hung) return { reason: 'hung', message: 'no execution began or ended', begun };
  const { code } = error as { code?: string };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return { reason: 'out of memory', message, begun };
  const died = /exited|terminated/i.test(message);
  return { reason: died ? 'crashed' : 'failed', message, begun };
}
