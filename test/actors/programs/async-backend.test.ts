/**
 * Goal: asynchronous IO: requests overlap, each ends with its own completion while the next is in
 * flight, the pages are held until then, and all data arrives; whatever the design, where it has no
 * history of breaking.
 * Method: random schedules of a tiny machine with two requests in flight, under the oracle; the
 * words of the contexts and of the disk's queue are looked at after a run of one frontend.
 */
import { describe, expect, test } from 'vitest';
import { AioRequest } from '../../../src/actors/programs/async-backend.ts';
import { DESIGN_NAMES, EVERY_DESIGN } from '../../../src/linux/designs/design.ts';
import { mem } from '../../../src/shared/memory.ts';
import { exploreWorkload } from '../explore-workload.ts';

const tiny = {
  ringSlots: 2,
  gnttabInitialFrames: 4,
  maptrackFrames: 16,
  maptrackEntries: 64,
  frames: 96,
  pagesPerDomain: 32,
};
const sizesOf = (design: string): Record<string, number> => ({
  ...tiny,
  design: DESIGN_NAMES.indexOf(design),
});

describe('async backend', () => {
  test.each(EVERY_DESIGN)('%s: all data arrives where no frame is mapped twice', (design) => {
    const sizes = { ...sizesOf(design), secondMapping: 0 };
    const { finding } = exploreWorkload({ workload: 'async', sizes, turns: 3, executions: 20 });
    expect(finding).toBeUndefined();
  });

  test.each(['vma-pages', 'find-special-page', 'dma-handles'])(
    '%s: nor does a frame that is mapped twice harm',
    (design) => {
      const sizes = sizesOf(design);
      const { finding } = exploreWorkload({ workload: 'async', sizes, turns: 3, executions: 25 });
      expect(finding).toBeUndefined();
    },
  );

  test('both contexts are used: two requests are in flight', () => {
    const sizes = { ...sizesOf('vma-pages'), secondMapping: 0 };
    let most = 0;
    const look = (): void => {
      most = Math.max(most, mem[AioRequest.submitted.at2(0, 1)] as number);
    };
    exploreWorkload({ workload: 'async', sizes, turns: 4, executions: 6, look });
    expect(most).toBeGreaterThan(0);
  });
});
