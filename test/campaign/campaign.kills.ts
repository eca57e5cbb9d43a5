/**
 * Goal: 50 random kills change nothing: of the campaign, of its threads, of queue workers, of the
 * campaign and of Redis in between, and writes that fail.
 * Method: the built command line, really killed; threads ended from outside. Minutes, not seconds:
 * `npm run test:kills`, GNTRACE_KILLS=10 for fewer.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Redis, freePort, noRedis, outcomeOf } from './children.ts';
import { killCampaign, killQueue, undisturbed, writePlan } from './killing.ts';

const KILLS = Number(process.env['GNTRACE_KILLS'] ?? 50);
const HOUR_MS = 3_600_000;
const dir = mkdtempSync(join(tmpdir(), 'gntrace-kills-'));
const plan = writePlan(dir, Math.ceil(KILLS / 2));
let expected: object;

beforeAll(async () => {
  expected = await undisturbed(plan, join(dir, 'undisturbed'));
}, HOUR_MS);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a campaign', () => {
  test(
    `killed ${KILLS} times comes to the same`,
    async () => {
      const store = join(dir, 'killed');
      const kills = await killCampaign(plan, store, KILLS);
      expect(outcomeOf(store)).toEqual(expected);
      expect(kills).toBe(KILLS);
    },
    HOUR_MS,
  );

  test.skipIf(noRedis() !== null)(
    `over a queue, with ${KILLS} kills of campaign, workers and Redis, comes to the same`,
    async () => {
      const store = join(dir, 'queued');
      mkdirSync(join(dir, 'redis'));
      const redis = new Redis(await freePort(), join(dir, 'redis'));
      try {
        const counts = await killQueue(plan, store, redis, KILLS);
        expect(outcomeOf(store)).toEqual(expected);
        expect(counts[0] + counts[1] + counts[2]).toBe(KILLS);
        const [campaign, worker, server] = counts;
        console.log(`killed: ${campaign} × campaign, ${worker} × worker, ${server} × Redis`);
      } finally {
        await redis.stop();
      }
    },
    HOUR_MS,
  );
});
