/**
 * Campaigns that are killed at random moments until so many kills are done, and then go on to their
 * end. The moments are drawn; they follow what the processes say, so that a slow machine has as
 * many of them in the middle of the work as a fast one.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Redis } from './children.ts';
import { Child, drawing, outcomeOf } from './children.ts';

const MOST_MS = 250;
const MOST_SHARDS = 5;

/** A plan of many small shards: programs right and wrong, searches; a race if there are many. */
export function writePlan(dir: string, seeds: number): string {
  const drawn = Array.from({ length: seeds }, (_, i) => ({
    scenarios: ['program/bakery-wrong', 'program/readers'],
    strategies: ['pct', 'random'],
    memory: ['sc', 'tso'],
    executions: 4000,
    seed: i + 1,
  }));
  const searched = [
    { scenarios: ['program/lastzero'], strategies: ['optimal', 'dpor'], param: 9 },
    { scenarios: ['program/casw'], strategies: ['dfs'] },
  ];
  const races = [
    { scenarios: ['race/unmap-in-use'], designs: ['m2p-override', 'vma-pages'], executions: 500 },
  ];
  const file = join(dir, 'plan.json');
  writeFileSync(
    file,
    JSON.stringify({ name: 'kills', cells: [...drawn, ...searched, ...(seeds > 1 ? races : [])] }),
  );
  return file;
}

/** Runs a plan without a disturbance. */
export async function undisturbed(plan: string, store: string): Promise<object> {
  const child = new Child(['campaign', plan, '--store', store, '--json', '--workers', '2']);
  const { status } = await child.ended;
  expect(child.stderr).toBe('');
  expect(status).toBe(1);
  return outcomeOf(store);
}

/** A moment amid the work. @returns false if the work came to its end before. */
async function amid(child: Child, draw: (below: number) => number): Promise<boolean> {
  if (draw(4) > 0) await child.until('shard', 1 + draw(MOST_SHARDS));
  else await child.until('campaign.start', 1);
  await sleep(draw(MOST_MS));
  return child.running;
}

/** Kills the campaign again and again. @returns how often. */
export async function killCampaign(plan: string, store: string, kills: number): Promise<number> {
  const draw = drawing(kills);
  const args = ['--store', store, '--json', '--workers', '2'];
  let child = new Child(['campaign', plan, ...args]);
  let done = 0;
  while (done < kills && (await amid(child, draw))) {
    child.kill();
    done++;
    await child.ended;
    child = new Child(['campaign', 'resume', ...args]);
  }
  const { status } = await child.ended;
  expect(child.stderr).toBe('');
  expect(status).toBe(1);
  return done;
}

/** Kills the campaign, its workers and Redis, one at a time. @returns how often each. */
export async function killQueue(
  plan: string,
  store: string,
  redis: Redis,
  kills: number,
): Promise<readonly [campaign: number, worker: number, redis: number]> {
  const draw = drawing(kills);
  const queue = ['--queue', redis.url, '--json'];
  const worker = (): Child =>
    new Child(['worker', ...queue, '--workers', '1', '--lock', '2s', '--stalled', '1s']);
  let campaign = new Child(['campaign', plan, '--store', store, ...queue]);
  const workers = [worker(), worker()];
  const counts: [number, number, number] = [0, 0, 0];
  for (let done = 0; done < kills && (await amid(campaign, draw)); done++) {
    const victim = draw(4);
    if (victim === 0) {
      campaign.kill();
      await campaign.ended;
      campaign = new Child(['campaign', 'resume', '--store', store, ...queue]);
      counts[0]++;
    } else if (victim === 3) {
      await redis.killAndStart();
      counts[2]++;
    } else {
      workers[victim - 1]?.kill();
      workers[victim - 1] = worker();
      counts[1]++;
    }
  }
  const { status } = await campaign.ended;
  for (const one of workers) one.kill();
  await Promise.all(workers.map((one) => one.ended));
  expect(status).toBe(1);
  return counts;
}

/** Runs a campaign whose writes fail before its end, then goes on with enough room. */
export async function outOfRoom(
  plan: string,
  store: string,
  wrapper: readonly string[],
  makeRoom: () => void,
): Promise<void> {
  const args = ['--store', store, '--json', '--workers', '2'];
  const first = new Child(['campaign', plan, ...args], wrapper);
  expect(await first.ended).toEqual({ status: 3, signal: null });
  expect(first.stderr).toContain('the store cannot be written: ');
  expect(first.count('shard')).toBeGreaterThan(0);
  expect(first.count('campaign.end')).toBe(0);
  makeRoom();
  const second = new Child(['campaign', 'resume', ...args]);
  expect((await second.ended).status).toBe(1);
}
