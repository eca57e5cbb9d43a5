/** Who runs the shards of a campaign: threads here, or whoever takes them from a queue. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { loadBull } from '../campaign/queue/bull.ts';
import { checkCertificate } from '../campaign/queue/certificate.ts';
import { QueueRunner } from '../campaign/queue/queue-runner.ts';
import type { RedisConnection } from '../campaign/queue/redis.ts';
import { QueueError, redisConnection } from '../campaign/queue/redis.ts';
import type { CampaignRecord } from '../campaign/store/records.ts';
import type { Runner } from '../campaign/work.ts';
import { WorkPool } from '../campaign/work-pool.ts';
import { UsageError, positiveNumber, wholeNumber } from './usage.ts';

/** The module that threads run. */
export const TASKS = 'src/cli/campaign-task';
const MOST_WORKERS = 256;

export interface RawPoolOptions {
  readonly workers?: string;
  readonly hang: string;
  readonly workerMemory: string;
}

export interface RawRunnerOptions extends RawPoolOptions {
  readonly queue?: string;
}

export function withPoolOptions(command: Command): Command {
  return command
    .option('--workers <n>', 'threads (default: one for each core)')
    .option('--hang <s>', 'give up a shard in which no execution ends for so long', '60')
    .option('--worker-memory <mb>', 'heap of a thread', '1024');
}

export function withRunnerOptions(command: Command): Command {
  return withPoolOptions(command).option(
    '--queue <url>',
    'let gntrace worker do the work: redis://host:6379, or rediss:// for TLS',
  );
}

/** The threads that the options ask for. */
export function poolOf(raw: RawPoolOptions): WorkPool {
  const workers = readWorkers(raw.workers);
  const hangSeconds = positiveNumber(raw.hang, '--hang', 1e6);
  const megabytes = wholeNumber(raw.workerMemory, '--worker-memory', 16);
  return new WorkPool(TASKS, { workers, hangSeconds, megabytes });
}

/** The runner of a campaign. */
export async function makeRunner(
  raw: RawRunnerOptions,
  { id, code }: CampaignRecord,
): Promise<Runner> {
  if (raw.queue === undefined) return poolOf(raw);
  if (raw.workers !== undefined) {
    throw new UsageError('--workers is for gntrace worker, if there is a --queue');
  }
  const connection = await connectionOf(raw.queue);
  return new QueueRunner(await loadBull(), connection, { campaign: id, code });
}

/** Reads `--queue`. */
export async function connectionOf(url: string): Promise<RedisConnection> {
  try {
    const connection = redisConnection(url, process.env);
    await checkCertificate(connection);
    return connection;
  } catch (error) {
    throw error instanceof QueueError ? new UsageError(error.message) : error;
  }
}

function readWorkers(text: string | undefined): number {
  if (text === undefined) return Math.min(availableParallelism(), MOST_WORKERS);
  const workers = wholeNumber(text, '--workers', 1);
  if (workers <= MOST_WORKERS) return workers;
  throw new UsageError(`--workers can be at most ${MOST_WORKERS}, not ${text}`);
}
