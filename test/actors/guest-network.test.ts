/**
 * Goal: guests of one host reach each other through netback with all data intact, on each design
 * that can: packets of netback on all, blkback's pages only where a page says whose grant it stands
 * for; the others fail with an IO error and nothing else, as their kernels did.
 * Method: random schedules of whole tiny machines of three domains under the oracle; a count of
 * what arrived.
 */
import { describe, expect, test } from 'vitest';
import { DESIGN_NAMES, EVERY_DESIGN } from '../../src/linux/designs/design.ts';
import { NetRingFront, RX, netRingOf } from '../../src/actors/vif.ts';
import { mem } from '../../src/shared/memory.ts';
import { exploreWorkload } from './explore-workload.ts';

const sizes = {
  domains: 3,
  vcpusPerDomain: 4,
  frames: 160,
  ptFrames: 48,
  gnttabInitialFrames: 4,
  maptrackFrames: 16,
  maptrackEntries: 64,
};
const old = ['m2p-override', 'vm-foreign'];
const marking = EVERY_DESIGN.filter((design) => !old.includes(design));
const designOf = (design: string): number => DESIGN_NAMES.indexOf(design);

describe('vif', () => {
  test.each(EVERY_DESIGN)('%s: packets arrive', (name) => {
    const { finding } = exploreWorkload({
      workload: 'vif',
      sizes: { ...sizes, design: designOf(name) },
      turns: 2,
      executions: 25,
    });
    expect(finding).toBeUndefined();
  });
});

describe('samehost', () => {
  test.each(marking)('%s: what was written can be read', (name) => {
    const { finding } = exploreWorkload({
      workload: 'samehost',
      sizes: { ...sizes, design: designOf(name) },
      turns: 3,
      executions: 25,
    });
    expect(finding).toBeUndefined();
  });

  test.each(old)('%s: writes fail with an I/O error', (name) => {
    const { finding } = exploreWorkload({
      workload: 'samehost',
      sizes: { ...sizes, design: designOf(name), lateDma: 0 },
      turns: 3,
      executions: 25,
    });
    expect(finding?.message).toMatch(/BUG_REQUEST_FAILED/);
  });
});

describe.each(['vif', 'samehost'])('%s on vma-pages', (workload) => {
  test.each([
    { memory: 'tso' as const, iommu: 0 },
    { memory: 'sc' as const, iommu: 1 },
  ])('data arrives with $memory and iommu $iommu', ({ memory, iommu }) => {
    const exploration = { workload, turns: 2, executions: 15, memory };
    const own = { ...sizes, iommu, design: designOf('vma-pages') };
    expect(exploreWorkload({ ...exploration, sizes: own }).finding).toBeUndefined();
  });
});

describe('far end', () => {
  test.each(['vif', 'samehost'])('%s: packets do arrive there', (workload) => {
    let received = 0;
    const look = (): void => {
      received += mem[NetRingFront.responsesTaken.at(netRingOf(2, RX))] as number;
    };
    const design = designOf('vma-pages');
    const executions = 5;
    exploreWorkload({ workload, sizes: { ...sizes, design }, turns: 2, executions, look });
    expect(received).toBeGreaterThan(2 * executions);
  });
});
