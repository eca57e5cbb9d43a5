/**
 * Who runs ranges of executions (explore/range.ts) and portions of searches (explore/portion.ts): a
 * pool of threads, or this thread. A thread of the pool that dies fails what it was given.
 */
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { CheckResult } from '../explore/check.ts';
import type { Portion, Portioned } from '../explore/portion.ts';
import { PortionRunner } from '../explore/portion.ts';
import type { Range } from '../explore/range.ts';
import { RangeRunner } from '../explore/range.ts';
import type { ScenarioModule } from '../explore/scenario.ts';
import { editionFile } from '../threads/crew.ts';

export interface Runner {
  /** How many ranges it runs at a time. */
  readonly workers: number;
  run(range: Range): Promise<CheckResult>;
  share(portion: Portion): Promise<Portioned>;
  close(): Promise<void>;
}

/** Runs ranges here; between two of them signals are heard. */
export class ThisThread implements Runner {
  readonly workers = 1;
  private readonly ranges: RangeRunner;
  private readonly portions: PortionRunner;

  constructor(find: ScenarioModule['findScenario']) {
    this.ranges = new RangeRunner(find);
    this.portions = new PortionRunner(find);
  }

  async run(range: Range): Promise<CheckResult> {
    await setImmediate();
    return this.ranges.run(range);
  }

  async share(portion: Portion): Promise<Portioned> {
    await setImmediate();
    return this.portions.run(portion);
  }

  async close(): Promise<void> {}
}

export class ExplorationPool implements Runner {
  readonly workers: number;
  private readonly pool: Piscina;
  /** Never resolves; rejects when a thread dies that has no task, as one that cannot start. */
  private readonly broken: Promise<never>;

  /** @param scenarioModule - a ScenarioModule, from the root of an edition, without `.js`. */
  constructor(workers: number, scenarioModule: string) {
    this.workers = workers;
    this.pool = new Piscina({
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
    return Promise.race([this.pool.run(range) as Promise<CheckResult>, this.broken]);
  }

  share(portion: Portion): Promise<Portioned> {
    const run = this.pool.run(portion, { name: 'runPortion' }) as Promise<Portioned>;
    return Promise.race([run, this.broken]);
  }

  /** Ends one thread at once, whatever it is doing. */
  async kill(index: number): Promise<void> {
    await this.pool.threads[index]?.terminate();
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
