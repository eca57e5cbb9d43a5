/** Threads that run tasks of one module (workers/task.worker.ts). */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { editionFile } from '../threads/crew.ts';

export class TaskPool<Task, Result> {
  readonly workers: number;
  private readonly pool: Piscina<Task, Result>;

  /** @param module - with `runTask`, from the root of an edition, without `.js`. */
  constructor(module: string, workers: number) {
    this.workers = workers;
    this.pool = new Piscina<Task, Result>({
      filename: fileURLToPath(editionFile('fibers', 'workers/task.worker.js')),
      workerData: module,
      minThreads: workers,
      maxThreads: workers,
      atomics: 'disabled',
    });
  }

  run(task: Task): Promise<Result> {
    return this.pool.run(task);
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}
