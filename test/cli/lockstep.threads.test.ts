/**
 * Goal: a seed that leaves actors out does the same on threads as in fibers, whatever the kind of
 * its scenario.
 * Method: the commands, in this process, on shrunk seeds of a race, a fuzzed program and a
 * published program; digests are compared.
 */
import { expect, test, vi } from 'vitest';
import type { Command } from 'commander';
import { exploreCommand } from '../../src/cli/explore.ts';
import { replayCommand } from '../../src/cli/replay.ts';
import { shrinkCommand } from '../../src/cli/shrink.ts';
import { parseSeed } from '../../src/explore/seed.ts';

interface Shown {
  readonly seed: string;
  readonly digest: string;
  readonly difference?: string;
  readonly finding: { readonly seed: string };
}

async function run(make: (exit: () => void) => Command, ...args: string[]): Promise<Shown> {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  try {
    await make(() => {}).parseAsync([...args, '--json'], { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return JSON.parse(lines.join('')) as Shown;
}

test.each([
  ['race/one-frame-twice', '--design', 'm2p-override'],
  ['fuzz/pm00200_bg100_bu02', '--design', 'm2p-override'],
  ['program/treiber-stack-wrong'],
])('%s', async (...args) => {
  const { finding } = await run(exploreCommand, ...args);
  const { seed } = await run(shrinkCommand, finding.seed);
  const fibers = await run(replayCommand, seed);
  const threads = await run(replayCommand, seed, '--on', 'threads');
  expect(threads.difference).toBeUndefined();
  expect(threads.digest).toBe(fibers.digest);
  if (args.length > 1) expect(parseSeed(seed).without?.length).toBeGreaterThan(0);
});
