/**
 * Goal: operations of the mapping side are done, and are what their names say: an unmap that is
 * told as deferred was deferred, each time.
 * Method: each for a moment on threads; a driver that does not wait for pages beside a holder of
 * one, which must be noticed; the command and its JSON.
 */
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import type { Beside } from '../../bench/crew.ts';
import { Crew } from '../../bench/crew.ts';
import { CHUNK } from '../../bench/machine.ts';
import type { OperationName } from '../../bench/operations.ts';
import type { Report } from '../../bench/results.ts';
import { DESIGN_NAMES } from '../../src/linux/designs/design.ts';
import { editionFile } from '../../src/threads/crew.ts';

const RUN_MS = 60;
const PAGES = 4;
const plan = { seed: 1, sequences: [{ distribution: 'uniform', sharing: 'disjoint' }] } as const;

let crew: Crew | undefined;

afterEach(async () => {
  await crew?.end();
  crew = undefined;
});

async function start(design: string): Promise<Crew> {
  const axes = { lookup: 'gup-fast-4', entries: 64, vmas: 1, readers: 1, keys: CHUNK } as const;
  crew = await Crew.start({ ...axes, design: DESIGN_NAMES.indexOf(design) }, plan);
  await crew.readyOperations();
  return crew;
}

function bench(...args: readonly string[]): Report {
  const main = editionFile('fibers', 'src/cli/main.js');
  const { stdout } = spawnSync(process.execPath, [main.pathname, 'bench', ...args, '--json']);
  return JSON.parse(stdout.toString()) as Report;
}

describe('operations', () => {
  test.each([
    ['map', 'nobody'],
    ['unmap', 'nobody'],
    ['deferred-unmap', 'holder'],
    ['vma-split', 'nobody'],
    ['gup-fast', 'writer'],
  ] as const)('%s beside %s is done', async (name: OperationName, beside: Beside) => {
    const threads = await start('vma-pages');
    // Twice, for one run must leave things as the next one needs them.
    for (let round = 0; round < 2; round++) {
      const did = await threads.operate(name, PAGES, beside, RUN_MS);
      expect(did.wrong).toBe(0);
      expect(did.turns).toBeGreaterThan(0);
      expect(did.latency.p50).toBeGreaterThan(0);
      expect(did.latency.max).toBeGreaterThanOrEqual(did.latency.p999);
    }
  });

  test('an unmap that does not wait for the page is not told as deferred', async () => {
    const threads = await start('m2p-override');
    const running = threads.operate('deferred-unmap', PAGES, 'holder', RUN_MS);
    await expect(running).rejects.toThrow('not deferred');
  });

  test('are told by the command, of the designs that wait', () => {
    const asked = ['--operation', 'deferred-unmap', '--pages', '2', '--quick'];
    const { results } = bench('operations', ...asked);
    expect(results.map(({ lookup, variant, batch }) => [lookup, variant, batch])).toEqual([
      ['deferred-unmap', 'vma-pages', 2],
      ['deferred-unmap', 'find-special-page', 2],
    ]);
    for (const { opsPerSecond, wrong } of results) {
      expect(opsPerSecond).toBeGreaterThan(0);
      expect(wrong).toBe(0);
    }
  });
});

test('the explorer is measured over lengths and numbers of threads', () => {
  const { results } = bench('explore', '--part', 'growth', '--seconds', '1');
  expect(new Set(results.map(({ readers }) => readers))).toEqual(new Set([3, 2, 4, 8, 16]));
  for (const { executionsPerSecond, opsPerSecond, readers, entries } of results) {
    // Each thread reads and writes once a round.
    const operations = 2 * readers * entries;
    expect(opsPerSecond / (executionsPerSecond as number)).toBeCloseTo(operations, 3);
  }
});
