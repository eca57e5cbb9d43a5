/**
 * Goal: the structures as they are built for threads exclude, publish and hand over on real
 * worker threads.
 * Method: two workers run programs over one machine of dist/threads; what the lock protects are
 * plain words, which come out wrong without it (the first test shows that they do).
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createMachine } from '../../src/shared/layout.ts';
import { sharedTables } from '../../src/shared/tables.ts';
import { Word } from './arena.ts';

const config = {
  words: 128 + 256,
  domains: 1,
  vcpusPerDomain: 2,
  vcpus: 2,
  rcuCallbacks: 4,
  delayedWorks: 4,
};
const machine = createMachine([Word, ...sharedTables], config);
const PAIR = Word.value.at(32);
const from = Word.value.at(0);
const workers = [0, 1].map(
  (me) =>
    new Worker(new URL('./structures-worker.mjs', import.meta.url), {
      workerData: { memory: machine.memory, config, me },
    }),
);

/** A worker that dies must not leave the tests waiting for its answer. */
const death = new Promise<never>((_, reject) => {
  for (const worker of workers) worker.once('error', reject);
});
death.catch(() => {});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.terminate()));
});

/** Runs a program on a worker. @returns what it counted as wrong. */
async function run(worker: Worker, program: string, rounds: number): Promise<number> {
  const answer = once(worker, 'message');
  // The rule means the postMessage of windows.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  worker.postMessage({ program, rounds });
  const [wrong] = await Promise.race([answer, death]);
  return wrong as number;
}

async function both(programs: readonly [string, string], rounds: number): Promise<number> {
  const results = await Promise.all(
    workers.map((worker, i) => run(worker, programs[i] as string, rounds)),
  );
  return results.reduce((sum, wrong) => sum + wrong, 0);
}

function pair(): [number, number] {
  return [Atomics.load(machine.words, PAIR), Atomics.load(machine.words, PAIR + 1)];
}

const ROUNDS = 20_000;

describe('on threads', () => {
  beforeEach(() => machine.words.fill(0, from));

  test('increments without a lock are lost, so the following tests can fail', async () => {
    for (let i = 0; i < 20; i++) {
      await both(['unprotected', 'unprotected'], 10 * ROUNDS);
      if (pair()[0] < (i + 1) * 20 * ROUNDS) return;
    }
    expect.fail('no increment was ever lost: the threads did not run at once');
  });

  test.each(['spinlock', 'queuedLock', 'mutex', 'rwlockWriter', 'percpuWriter'])(
    '%s: increments under the lock come out right',
    async (program) => {
      await both([program, program], ROUNDS);
      expect(pair()).toEqual([2 * ROUNDS, 2 * ROUNDS]);
    },
  );

  test.each([
    ['rwlockWriter', 'rwlockReader'],
    ['percpuWriter', 'percpuReader'],
    ['rwsemDowngrader', 'rwsemReader'],
    ['seqcountWriter', 'seqcountReader'],
  ] as const)('%s and %s: no reader sees a torn pair', async (writer, reader) => {
    expect(await both([writer, reader], ROUNDS)).toBe(0);
    expect(pair()).toEqual([ROUNDS, ROUNDS]);
  });

  test('rwsemDowngrader: nobody writes between a write and the reading after it', async () => {
    expect(await both(['rwsemDowngrader', 'rwsemDowngrader'], ROUNDS)).toBe(0);
    expect(pair()).toEqual([2 * ROUNDS, 2 * ROUNDS]);
  });

  test('a ring hands over every value, once and in order', async () => {
    expect(await both(['producer', 'consumer'], 2 * ROUNDS)).toBe(0);
  });
});
