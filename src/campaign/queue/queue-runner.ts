/**
 * Has work done by whoever takes it from a queue. A job is named after its campaign and its work,
 * so it is there once, however often it is asked for. Its outcome stays in Redis until it has been
 * kept in the store; then `forget` removes the job. Whatever gets lost on the way (an event, a job,
 * all of Redis) is noticed by looking again every few seconds.
 */
import type { Job, Queue, QueueEvents } from 'bullmq';
import type { Outcome, Runner, Work } from '../work.ts';
import type { Bull } from './bull.ts';
import { JOB_OPTIONS, PREFIX, queueName } from './bull.ts';
import type { Address } from './parcel.ts';
import { pack, unpackOutcome } from './parcel.ts';
import type { RedisConnection } from './redis.ts';
import { QueueError } from './redis.ts';

/** Damaged parcels that are sent again. */
const SENDS = 3;
const LOOK_MS = 2000;
/** Work that waits for each that is being done, and for those who come. */
const AHEAD = 2;
const FOR_THOSE_WHO_COME = 4;

interface Awaited {
  readonly key: string;
  readonly work: Work;
  readonly settle: (outcome: Outcome) => void;
  readonly fail: (error: Error) => void;
  sends: number;
  taken: boolean;
}

export class QueueRunner implements Runner {
  slots = FOR_THOSE_WHO_COME;
  private readonly queue: Queue;
  private readonly events: QueueEvents;
  private readonly of: Omit<Address, 'key'>;
  private readonly awaited = new Map<string, Awaited>();
  private readonly timer: NodeJS.Timeout;
  private looking = false;
  private jobs = 0;
  private busyMs = 0;
  private jobMs = 0;
  private waitMs = 0;

  constructor(bull: Bull, connection: RedisConnection, of: Omit<Address, 'key'>) {
    this.of = of;
    const name = queueName(of.code);
    this.queue = new bull.Queue(name, { connection: { ...connection }, prefix: PREFIX });
    this.events = new bull.QueueEvents(name, { connection: { ...connection }, prefix: PREFIX });
    // ioredis connects again by itself; meanwhile commands wait.
    this.queue.on('error', () => {});
    this.events.on('error', () => {});
    const ended = ({ jobId }: { jobId: string }): void => void this.look(jobId);
    this.events.on('completed', ended);
    this.events.on('failed', ended);
    this.timer = setInterval(() => void this.lookAtAll(), LOOK_MS);
  }

  private idOf(key: string): string {
    return `${this.of.campaign}.${key}`;
  }

  run(key: string, work: Work): Promise<Outcome> {
    return new Promise((settle, fail) => {
      const awaited = { key, work, settle, fail, sends: 0, taken: false };
      this.awaited.set(this.idOf(key), awaited);
      void this.send(awaited);
    });
  }

  private async send(awaited: Awaited): Promise<void> {
    const { key, work } = awaited;
    const jobId = this.idOf(key);
    try {
      const parcel = pack({ ...this.of, key }, work);
      await this.queue.add('work', parcel, { ...JOB_OPTIONS, jobId });
      // Before a kill, somebody may have done it already.
      if (awaited.sends++ === 0) await this.look(jobId);
    } catch {
      // Redis went away; looked at again soon.
    }
  }

  /** Looks whether a job has ended, or is gone. */
  private async look(jobId: string): Promise<void> {
    const awaited = this.awaited.get(jobId);
    if (awaited === undefined || awaited.taken) return;
    try {
      const job: Job | undefined = await this.queue.getJob(jobId);
      if (job === undefined) await this.send(awaited);
      else if (job.finishedOn !== undefined) await this.take(jobId, awaited, job);
    } catch {
      // Redis went away; looked at again soon.
    }
  }

  private async lookAtAll(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    for (const jobId of this.awaited.keys()) await this.look(jobId);
    try {
      const { active = 0 } = await this.queue.getJobCounts('active');
      this.slots = AHEAD * active + FOR_THOSE_WHO_COME;
    } catch {
      // As above.
    }
    this.looking = false;
  }

  private async take(jobId: string, awaited: Awaited, job: Job): Promise<void> {
    if (awaited.taken) return;
    let outcome: Outcome;
    try {
      outcome = this.outcomeOf(awaited.key, job);
    } catch (error) {
      await this.again(jobId, awaited, job, error as Error);
      return;
    }
    awaited.taken = true;
    this.awaited.delete(jobId);
    this.measure(job, outcome);
    awaited.settle(outcome);
  }

  /** @throws what was refused, here or there. */
  private outcomeOf(key: string, job: Job): Outcome {
    const { failedReason } = job;
    if (failedReason === undefined || failedReason === '') {
      return unpackOutcome(job.returnvalue, { ...this.of, key });
    }
    if (failedReason.startsWith('refused')) throw new QueueError(failedReason);
    // Taken over too often: whoever runs it dies of it.
    return { failure: { reason: 'crashed', message: failedReason, begun: 0 } };
  }

  /** A parcel was damaged on its way: it is sent again, a few times. */
  private async again(jobId: string, awaited: Awaited, job: Job, error: Error): Promise<void> {
    if (awaited.sends >= SENDS) {
      awaited.taken = true;
      this.awaited.delete(jobId);
      awaited.fail(error);
      return;
    }
    await job.remove();
    await this.send(awaited);
  }

  private measure({ timestamp, processedOn, finishedOn }: Job, outcome: Outcome): void {
    if (processedOn === undefined || finishedOn === undefined || 'failure' in outcome) return;
    this.jobs++;
    this.busyMs += outcome.milliseconds;
    this.jobMs += finishedOn - processedOn;
    this.waitMs += processedOn - timestamp;
  }

  async forget(key: string): Promise<void> {
    try {
      await (await this.queue.getJob(this.idOf(key)))?.remove();
    } catch {
      // It stays in Redis, and harms nobody: its shard is kept.
    }
  }

  /** Of the time that jobs took, the share in which nothing was computed. */
  usage(): object {
    const { jobs, busyMs, jobMs, waitMs } = this;
    const share = jobMs === 0 ? 0 : 1 - busyMs / jobMs;
    const rounded = { busyMs: Math.round(busyMs), jobMs, waitMs };
    return { queue: { jobs, ...rounded, share: Number(share.toFixed(4)) } };
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await Promise.allSettled([this.events.close(), this.queue.close()]);
  }
}
