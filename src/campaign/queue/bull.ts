/** BullMQ, an optional dependency: loaded when a queue is asked for, and not before. */
import type { JobsOptions } from 'bullmq';
import { QueueError } from './redis.ts';

export type Bull = typeof import('bullmq');

/** Keys in Redis begin with it. */
export const PREFIX = 'gntrace';

/** Times that a piece of work is taken over from a dead worker before it counts as failed. */
export const MOST_TAKEOVERS = 5;

/** What is done stays until its outcome has been kept. */
export const JOB_OPTIONS: JobsOptions = {
  removeOnComplete: false,
  removeOnFail: false,
  attempts: 1,
};

/** Work of one version of the code has a queue of its own: others never see it. */
export function queueName(code: string): string {
  return `work-${code}`;
}

/** @throws QueueError if it is not installed. */
export async function loadBull(): Promise<Bull> {
  try {
    await import('ioredis');
    return await import('bullmq');
  } catch {
    throw new QueueError(
      '--queue needs the packages bullmq and ioredis: npm install bullmq ioredis',
    );
  }
}
