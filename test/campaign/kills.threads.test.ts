/**
 * Goal: a campaign that is killed comes to the same totals and findings as one that is not; so does
 * one whose threads, queue workers or Redis are killed, and one whose disk is full.
 * Method: the built command line, really killed, a few times; `npm run test:kills` does it 50
 * times.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Redis, freePort, noRedis, outcomeOf } from './children.ts';
import { killCampaign, killQueue, outOfRoom, undisturbed, writePlan } from './killing.ts';

const KILLS = 4;
const dir = mkdtempSync(join(tmpdir(), 'gntrace-kills-'));
const plan = writePlan(dir, 1);
let expected: object;

beforeAll(async () => {
  expected = await undisturbed(plan, join(dir, 'undisturbed'));
}, 120_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A file system of 60 KB. @returns why there is none; null if there is. */
function mountSmall(path: string): string | null {
  mkdirSync(path);
  const { status, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=60k', 'tmpfs', path]);
  return error === undefined && status === 0 ? null : '(skipped: nothing can be mounted here)';
}

function remount(path: string): void {
  spawnSync('mount', ['-o', 'remount,size=10m', path]);
}

describe('a campaign', () => {
  test('that is killed again and again comes to the same', async () => {
    const store = join(dir, 'killed');
    expect(await killCampaign(plan, store, KILLS)).toBeGreaterThan(1);
    expect(outcomeOf(store)).toEqual(expected);
  });

  test('whose file must not grow comes to the same when it may', async () => {
    const store = join(dir, 'limited');
    const limited = ['bash', '-c', 'ulimit -f 60; exec "$@"', 'bash'];
    await outOfRoom(plan, store, limited, () => {});
    expect(outcomeOf(store)).toEqual(expected);
  });

  const small = join(dir, 'small');
  const mounted = mountSmall(small);
  test.skipIf(mounted !== null)(`on a full disk comes to the same ${mounted ?? ''}`, async () => {
    const store = join(small, 'store');
    try {
      await outOfRoom(plan, store, [], () => remount(small));
      expect(outcomeOf(store)).toEqual(expected);
    } finally {
      spawnSync('umount', [small]);
    }
  });

  const why = noRedis();
  test.skipIf(why !== null)(
    `over a queue that is killed comes to the same ${why ?? ''}`,
    async () => {
      const store = join(dir, 'queued');
      mkdirSync(join(dir, 'redis'));
      const redis = new Redis(await freePort(), join(dir, 'redis'));
      try {
        const counts = await killQueue(plan, store, redis, KILLS);
        expect(counts[0] + counts[1] + counts[2]).toBeGreaterThan(1);
        expect(outcomeOf(store)).toEqual(expected);
      } finally {
        await redis.stop();
      }
    },
  );
});
