/**
 * Goal: every workload runs to its end whatever the schedule, with all data intact; the proposal's
 * design survives late DMA, frames that are mapped twice and split mappings; the old design breaks
 * by each of them, in the way the proposal says, and is clean without them.
 * Method: random schedules of whole machines under the oracle, SC and TSO; fixed seeds.
 */
import { describe, expect, test } from 'vitest';
import { M2P_OVERRIDE, VMA_PAGES } from '../../src/linux/designs/design.ts';
import { exploreWorkload } from './explore-workload.ts';

const off = { secondMapping: 0, lateDma: 0, split: 0 };

describe.each(['sc', 'tso'] as const)('vma-pages under %s', (memory) => {
  test.each(['network', 'direct', 'toolstack'])('workload %s breaks nothing', (workload) => {
    const sizes = { design: VMA_PAGES };
    const { finding } = exploreWorkload({ workload, sizes, turns: 2, executions: 10, memory });
    expect(finding).toBeUndefined();
  });
});

describe('vma-pages', () => {
  test.each(['network', 'direct', 'toolstack'])('workload %s with an IOMMU', (workload) => {
    const sizes = { design: VMA_PAGES, iommu: 1 };
    const { finding } = exploreWorkload({ workload, sizes, turns: 2, executions: 8 });
    expect(finding).toBeUndefined();
  });

  test('the block workload with all its actors', () => {
    const sizes = { design: VMA_PAGES, vcpusPerDomain: 4 };
    const { finding } = exploreWorkload({ workload: 'block', sizes, turns: 2, executions: 5 });
    expect(finding).toBeUndefined();
  });

  test('the mixed workload of several frontend domains', () => {
    const sizes = {
      design: VMA_PAGES,
      vcpusPerDomain: 5,
      domains: 3,
      frames: 120,
      ptFrames: 40,
      ringSlots: 2,
      maptrackFrames: 16,
      maptrackEntries: 64,
    };
    const { finding } = exploreWorkload({ workload: 'mixed', sizes, turns: 1, executions: 3 });
    expect(finding).toBeUndefined();
  });
});

describe('m2p-override', () => {
  test.each(['network', 'direct', 'toolstack'])('%s is clean without the causes', (workload) => {
    const sizes = { ...off, design: M2P_OVERRIDE };
    const { finding } = exploreWorkload({ workload, sizes, turns: 2, executions: 15 });
    expect(finding).toBeUndefined();
  });

  test.each([
    {
      cause: 'late DMA',
      workload: 'network',
      sizes: { lateDma: 1 },
      what: /unmapped while somebody still held/,
    },
    {
      cause: 'a frame mapped twice',
      workload: 'direct',
      sizes: { secondMapping: 1 },
      what: /another page than the one mapped/,
    },
    {
      cause: 'a split mapping',
      workload: 'toolstack',
      sizes: { split: 1 },
      what: /grant PTE was overwritten|assertion/,
    },
  ])('$cause breaks workload $workload', ({ workload, sizes, what }) => {
    const { finding } = exploreWorkload({
      workload,
      sizes: { ...off, ...sizes, design: M2P_OVERRIDE },
      turns: 3,
      executions: 300,
    });
    expect(finding?.message).toMatch(what);
  });
});
