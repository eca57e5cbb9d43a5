/**
 * Goal: a queue hands work over and its outcome back once, refuses what it must not take, and says
 * no password; a campaign that is interrupted keeps what was in flight, and stores of other code
 * are refused.
 * Method: a Redis of our own with a password; jobs by hand beside those of a campaign; the built
 * command line.
 */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CAMPAIGN_ROOMS, codeVersion } from '../../../src/campaign/code-version.ts';
import { PREFIX, loadBull, queueName } from '../../../src/campaign/queue/bull.ts';
import { pack } from '../../../src/campaign/queue/parcel.ts';
import { QueueRunner } from '../../../src/campaign/queue/queue-runner.ts';
import { QueueWorker } from '../../../src/campaign/queue/queue-worker.ts';
import type { RedisConnection } from '../../../src/campaign/queue/redis.ts';
import { redisConnection } from '../../../src/campaign/queue/redis.ts';
import { StoreWriter } from '../../../src/campaign/store/writer.ts';
import type { Work } from '../../../src/campaign/work.ts';
import { Child, Redis, freePort, noRedis, outcomeOf as told } from '../children.ts';
import { Here, cell, folder, outcomeOf, record, runIn } from '../here.ts';

const SECRET = 'pass-word-42';
const cells = [
  cell(),
  cell({ scenario: 'program/casw', param: 3, strategy: 'dfs', executions: null }),
];
const { executions: _executions, ...question } = cell();
const draw: Work = { kind: 'draw', question, first: 0, executions: 250 };

describe.skipIf(noRedis() !== null)(`a queue ${noRedis() ?? ''}`, () => {
  let redis: Redis;
  let connection: RedisConnection;

  beforeAll(async () => {
    const dir = folder();
    mkdirSync(dir, { recursive: true });
    redis = new Redis(await freePort(), dir, SECRET);
    connection = redisConnection(redis.url, {});
  });

  afterAll(() => redis.stop());

  test('hands work over and its outcome back, and forgets both', async () => {
    const bull = await loadBull();
    const runner = new QueueRunner(bull, connection, { campaign: 'c1', code: 'code' });
    const here = new Here();
    const options = { code: 'code', lockMs: 5000, stalledMs: 2000 };
    const deaf = { onWork: () => {}, onRefused: () => {}, onConnection: () => {} };
    const worker = new QueueWorker(bull, connection, here, { ...options, ...deaf });
    const { store } = await runIn(folder(), cells, runner);
    const alone = await runIn(folder(), cells, new Here());
    expect(outcomeOf(store)).toEqual(outcomeOf(alone.store));
    expect(new Set(here.ran).size).toBe(here.ran.length);
    expect(runner.usage()).toHaveProperty('queue.jobs', here.ran.length);
    const queue = new Queue(queueName('code'), { connection: { ...connection }, prefix: PREFIX });
    expect(await queue.getJobCountByTypes('completed', 'failed', 'wait', 'active')).toBe(0);
    await queue.close();
    await worker.close();
    await runner.close();
    await store.close();
    await alone.store.close();
  });

  test('refuses other code and damage, and says no password', async () => {
    const code = codeVersion(CAMPAIGN_ROOMS);
    const args = ['worker', '--queue', redis.url, '--workers', '1', '--json'];
    const worker = new Child(args);
    await worker.until('worker.start', 1);
    const built = worker.lines[0]?.['code'] as string;
    const queue = new Queue(queueName(built), { connection: { ...connection }, prefix: PREFIX });
    const address = { campaign: 'c2', code: built, key: '0.0' };
    const good = pack(address, draw);
    await queue.add('work', { ...good, content: good.content.replace('250', '251') });
    await queue.add('work', pack({ ...address, code }, draw));
    await queue.add('work', { command: 'rm' });
    await queue.add('work', good);
    await worker.until('work', 4);
    // The worker says what it did before the queue has been told.
    await expect.poll(() => queue.getCompletedCount()).toBe(1);
    await expect.poll(() => queue.getFailedCount()).toBe(3);
    const failed = await queue.getFailed();
    expect(failed.map(({ failedReason }) => failedReason).sort()).toEqual([
      expect.stringContaining('refused: damaged'),
      expect.stringContaining('refused: for other code'),
      expect.stringContaining('refused: no parcel'),
    ]);
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ status: 0, signal: null });
    expect(worker.stderr).toContain('refused: damaged');
    expect(JSON.stringify(worker.lines) + worker.stderr).not.toContain(SECRET);
    await queue.close();
  });
});

describe('a worker', () => {
  const leaves = async (worker: Child): Promise<void> => {
    while (!worker.stderr.includes('waiting for')) await sleep(20);
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ status: 0, signal: null });
  };
  const argsFor = (url: string): string[] => ['worker', '--queue', url, '--workers', '1', '--json'];

  test('that waits for a Redis leaves when it is told to', async () => {
    await leaves(new Child(argsFor(`redis://127.0.0.1:${await freePort()}`)));
  });

  test.skipIf(noRedis() !== null)('whose Redis has gone leaves when it is told to', async () => {
    const dir = folder();
    mkdirSync(dir, { recursive: true });
    const redis = new Redis(await freePort(), dir);
    const worker = new Child(argsFor(redis.url));
    await worker.until('worker.start', 1);
    await redis.stop();
    await leaves(worker);
  });
});

describe('a campaign on the command line', () => {
  test('that is interrupted keeps what was in flight, and goes on', async () => {
    const store = folder();
    const how = ['--scenarios', 'program/bakery-wrong', '--strategies', 'random,pct'];
    const bound = ['--executions', '60000', '--store', store, '--workers', '1', '--json'];
    const child = new Child(['campaign', ...how, ...bound]);
    await child.until('shard', 1);
    child.kill('SIGINT');
    expect(await child.ended).toEqual({ status: 130, signal: null });
    expect(child.stderr).toContain('gntrace campaign resume');
    expect(child.lines.at(-1)).toMatchObject({ t: 'campaign.end', interrupted: true });
    const executions = child.lines.at(-1)?.['executions'];
    expect(told(store)).toHaveProperty('totals.executions', executions);
    const second = new Child(['campaign', 'resume', '--store', store, '--workers', '1', '--json']);
    expect((await second.ended).status).toBe(1);
    expect(told(store)).toHaveProperty('totals.executions', 120_000);
  });

  test('refuses a store of other code', async () => {
    const dir = folder();
    await StoreWriter.create(dir, record(cells), { index: 0, of: 1 }).close();
    const child = new Child(['campaign', 'resume', '--store', dir]);
    expect((await child.ended).status).toBe(2);
    expect(child.stderr).toMatch(/written by other code \(code, this is [0-9a-f]{16}\)/);
  });
});
