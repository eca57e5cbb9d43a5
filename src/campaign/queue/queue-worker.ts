/** Takes work from a queue and runs it here. Comes and goes as it likes. */
import type { Job, Worker } from 'bullmq';
import type { Runner } from '../work.ts';
import type { Bull } from './bull.ts';
import { MOST_TAKEOVERS, PREFIX, queueName } from './bull.ts';
import type { Parcel } from './parcel.ts';
import { RefusedError, pack, unpackWork } from './parcel.ts';
import type { RedisConnection } from './redis.ts';

export interface WorkerOptions {
  readonly code: string;
  /** A worker that has not been heard of for so long has lost its work. */
  readonly lockMs: number;
  /** How often workers look for work that others have lost. */
  readonly stalledMs: number;
  readonly onWork: (done: WorkerTally) => void;
  /** Told once of each thing that was refused. */
  readonly onRefused: (why: string) => void;
  /** Told when Redis goes away, and when it is there again. */
  readonly onConnection: (there: boolean) => void;
}

export interface WorkerTally {
  readonly jobs: number;
  readonly executions: number;
  /** Threads' time that was spent on work, and in all. */
  readonly busyMs: number;
  readonly elapsedMs: number;
  readonly refused: number;
}

export class QueueWorker {
  private readonly worker: Worker;
  private readonly pool: Runner;
  private readonly options: WorkerOptions;
  private readonly bull: Bull;
  private readonly fromMs = performance.now();
  private lastMs = performance.now();
  private jobs = 0;
  private executions = 0;
  private busyMs = 0;
  private refused = 0;
  private running = 0;
  private there = true;

  constructor(bull: Bull, connection: RedisConnection, pool: Runner, options: WorkerOptions) {
    this.bull = bull;
    this.pool = pool;
    this.options = options;
    this.worker = new bull.Worker(queueName(options.code), (job: Job) => this.work(job), {
      connection: { ...connection },
      prefix: PREFIX,
      concurrency: pool.slots,
      lockDuration: options.lockMs,
      stalledInterval: options.stalledMs,
      maxStalledCount: MOST_TAKEOVERS,
    });
    this.worker.on('error', () => this.connected(false));
    this.worker.on('active', () => this.connected(true));
    this.worker.on('ready', () => this.connected(true));
  }

  private connected(there: boolean): void {
    if (this.there !== there) this.options.onConnection(there);
    this.there = there;
  }

  private async work(job: Job): Promise<Parcel> {
    this.running++;
    try {
      const { address, work } = unpackWork(job.data, this.options.code);
      const outcome = await this.pool.run(address.key, work);
      if ('result' in outcome) {
        this.busyMs += outcome.milliseconds;
        this.executions += outcome.result.executions;
      }
      this.jobs++;
      return pack(address, outcome);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.refused++;
      this.options.onRefused(error.message);
      throw new this.bull.UnrecoverableError(error.message);
    } finally {
      this.running--;
      this.lastMs = performance.now();
      this.options.onWork(this.tally());
    }
  }

  tally(): WorkerTally {
    const { jobs, executions, busyMs, refused } = this;
    return { jobs, executions, busyMs, refused, elapsedMs: performance.now() - this.fromMs };
  }

  /** Milliseconds without work. */
  get idleMs(): number {
    return this.running > 0 ? 0 : performance.now() - this.lastMs;
  }

  /**
   * Takes no more work, ends what it has, and leaves. While Redis is away nobody can be told of an
   * end: the worker leaves at once, and others take its work over.
   */
  async close(): Promise<void> {
    await this.worker.close(!this.there);
    await this.pool.close();
  }
}
