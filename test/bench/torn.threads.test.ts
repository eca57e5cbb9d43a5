/**
 * Goal: a seqlock tears where the second look at its sequence is a plain load, and only there.
 * Method: readers beside a writer at full speed, on threads, as `gntrace bench torn` runs them.
 */
import { describe, expect, it } from 'vitest';
import { readBeside } from '../../bench/suites/torn.ts';

const SECONDS = 3;
/** The first Node whose V8 merges two plain loads of one word. */
const MERGES_LOADS = 24;
const node = Number(process.versions.node.split('.')[0]);

describe('a seqlock beside its writer', () => {
  it('never tears under an atomic second look', async () => {
    const { snapshots, torn } = await readBeside('atomic', SECONDS);
    expect(snapshots).toBeGreaterThan(0);
    expect(torn).toBe(0);
  });

  const merges = node >= MERGES_LOADS;
  it.skipIf(!merges)('tears under a plain one (Node 24 and later)', async () => {
    const { torn } = await readBeside('plain', SECONDS);
    expect(torn).toBeGreaterThan(0);
  });
});
