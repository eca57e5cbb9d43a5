/** Threads that decide cells. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { editionFile } from '../../threads/crew.ts';
import type { Cell } from './cell.ts';
import type { Attempt } from './decide.ts';
import type { Decider } from './run.ts';

export class DecisionPool implements Decider {
  readonly workers: number;
  private readonly pool: Piscina<Attempt, Cell>;

  constructor(workers: number) {
    this.workers = workers;
    this.pool = new Piscina<Attempt, Cell>({
      filename: fileURLToPath(editionFile('fibers', 'workers/task.worker.js')),
      workerData: 'src/campaign/matrix/task',
      minThreads: workers,
      maxThreads: workers,
      atomics: 'disabled',
    });
  }

  decide(attempt: Attempt): Promise<Cell> {
    return this.pool.run(attempt);
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
