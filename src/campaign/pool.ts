/**
 * Who runs ranges of executions (explore/range.ts): a pool of threads, or this thread. A thread
 * of the pool that dies fails the range that it was given.
 */
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { CheckResult } from '../explore/check.ts';
import type { Range } from '../explore/range.ts';
import { RangeRunner } from '../explore/range.ts';
import type { ScenarioModule } from '../explore/scenario.ts';
import { editionFile } from '../threads/crew.ts';

export interface Runner {
  /** How many ranges it runs at a time. */
  readonly workers: number;
  run(range: Range): Promise<CheckResult>;
  close(): Promise<void>;
}

/** Runs ranges here; between two of them signals are heard. */
export class ThisThread implements Runner {
  readonly workers = 1;
  private readonly runner: RangeRunner;

  constructor(find: ScenarioModule['findScenario']) {
    this.runner = new RangeRunner(find);
  }

  async run(range: Range): Promise<CheckResult> {
    await setImmediate();
    return this.runner.run(range);
  }

  async close(): Promise<void> {}
}

export class ExplorationPool implements Runner {
  readonly workers: number;
  private readonly pool: Piscina<Range, CheckResult>;
  /** Never resolves; rejects when a thread dies that has no task, as one that cannot start. */
  private readonly broken: Promise<never>;

  /** @param scenarioModule - a ScenarioModule, from the root of an edition, without `.js`. */
  constructor(workers: number, scenarioModule: string) {
    this.workers = workers;
    this.pool = new Piscina<Range, CheckResult>({
      filename: fileURLToPath(editionFile('fibers', 'workers/exploration.worker.js')),
      workerData: scenarioModule,
      minThreads: workers,
      maxThreads: workers,
      atomics: 'disabled',
    });
    this.broken = new Promise((_, reject) => {
      this.pool.on('error', reject);
    });
    this.broken.catch(() => {});
  }

  run(range: Range): Promise<CheckResult> {
    return Promise.race([this.pool.run(range), this.broken]);
  }

  /** Ends one thread at once, whatever it is doing. */
  async kill(index: number): Promise<void> {
    await this.pool.threads[index]?.terminate();
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
