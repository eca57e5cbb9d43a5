/**
 * Goal: grants are unmapped when nobody holds their pages, tried again after 5 ms * (age + 1), and
 * the completion comes once.
 * Method: a page is held for some tries on the virtual clock; the times of the tries are compared
 * with the formula. A holder that lets go and the kernel thread are explored.
 */
import { describe, expect, test } from 'vitest';
import { kernelBase } from '../../../src/hardware/params.ts';
import { Vcpu } from '../../../src/hardware/vcpu.ts';
import { allocBalloonedPages } from '../../../src/linux/drivers/balloon.ts';
import {
  gnttabMapRefs,
  gnttabSetMapOp,
  gnttabSetUnmapOp,
} from '../../../src/linux/drivers/map-refs.ts';
import {
  UnmapItem,
  UnmapOp,
  UnmapPage,
  gnttabUnmapRefsAsync,
  gnttabUnmapRefsSync,
  unmapItemAlloc,
  unmapItemFree,
} from '../../../src/linux/drivers/unmap-async.ts';
import { kernelThreadTurn } from '../../../src/linux/drivers/workqueue.ts';
import { FOREIGN_FRAME_BIT, INVALID_P2M_ENTRY, P2m } from '../../../src/linux/mm/p2m.ts';
import { PG_foreign, Page, getPage, pfnOf, putPage } from '../../../src/linux/mm/page.ts';
import { Clock } from '../../../src/shared/clock.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { GNTMAP_host_map, MAP_HANDLE } from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  KTHREAD,
  OTHER_TASK,
  TASK,
  bootGuests,
  explore,
  grantPage,
  must,
  now,
  result,
} from './guests.ts';

/** Maps a grant at a kernel address and fills `item` to unmap it. @returns the page. */
function mapped(item: number): number {
  const { ref } = grantPage();
  must(runAlone(allocBalloonedPages(TASK, 1, result(40))));
  const page = now(result(40));
  gnttabSetMapOp(result(8), kernelBase() + pfnOf(page), GNTMAP_host_map, ref, GRANTER);
  must(runAlone(gnttabMapRefs(TASK, result(8), 0, result(40), 1)));
  const handle = now(result(8) + MAP_HANDLE);
  gnttabSetUnmapOp(UnmapOp.hostAddr.at2(item, 0), kernelBase() + pfnOf(page), handle);
  writeLocal(UnmapPage.value.at2(item, 0), page);
  writeLocal(UnmapItem.count.at(item), 1);
  writeLocal(UnmapItem.kernel.at(item), 0);
  return page;
}

const entryOf = (page: number): number => now(P2m.value.at(page));

describe('async unmap', () => {
  test('unmaps an idle page at once', () => {
    bootGuests();
    const page = mapped(TASK);
    expect(entryOf(page) & FOREIGN_FRAME_BIT).not.toBe(0);
    expect(now(Page.flags.at(page)) & PG_foreign).not.toBe(0);
    expect(runAlone(gnttabUnmapRefsSync(TASK, TASK))).toBe(0);
    expect(entryOf(page)).toBe(INVALID_P2M_ENTRY);
    expect(now(Page.flags.at(page)) & PG_foreign).toBe(0);
    expect(now(Clock.jiffies.word)).toBe(0);
  });

  test('tries again after 5 ms, 10 ms, 15 ms and so on while the page is held', () => {
    bootGuests();
    const item = runAlone(unmapItemAlloc());
    const page = mapped(item);
    runAlone(getPage(page));
    runAlone(gnttabUnmapRefsAsync(TASK, item));
    let due = 0;
    writeLocal(Vcpu.online.at(TASK), 0);
    for (let age = 0; age < 6; age++) {
      due += 5 * (age + 1);
      runAlone(kernelThreadTurn(KTHREAD));
      expect(now(Clock.jiffies.word)).toBe(due);
      expect(entryOf(page)).not.toBe(INVALID_P2M_ENTRY);
      if (age === 5) runAlone(putPage(TASK, page));
      runAlone(kernelThreadTurn(KTHREAD));
    }
    expect(entryOf(page)).toBe(INVALID_P2M_ENTRY);
    expect(now(UnmapItem.completion.at(item))).toBe(1);
    writeLocal(UnmapItem.completion.at(item), 0);
    runAlone(unmapItemFree(item));
    expect(runAlone(unmapItemAlloc())).toBe(item);
  });

  test.each(['sc', 'tso'] as const)('waits for a holder, then completes, under %s', (memory) => {
    const machine = bootGuests();
    const page = mapped(TASK);
    runAlone(getPage(page));
    let held = true;
    const holder = function* (): Op<void> {
      yield* cpuRelax();
      held = false;
      yield* putPage(OTHER_TASK, page);
    };
    let early = false;
    const unmap = function* (): Op<void> {
      yield* gnttabUnmapRefsSync(TASK, TASK);
      early = entryOf(page) !== INVALID_P2M_ENTRY;
    };
    const found = explore(
      machine,
      [
        { name: 'unmap', v: TASK, body: unmap },
        { name: 'holder', v: OTHER_TASK, body: holder },
      ],
      {
        memory,
        threads: [KTHREAD],
        strategy: 'pct',
        executions: 300,
        setup: () => {
          held = true;
          early = false;
        },
        invariant: () =>
          held && entryOf(page) === INVALID_P2M_ENTRY ? 'in use: unmapped while held' : null,
        final: () => (early ? 'early: it returned before the pages were unmapped' : null),
      },
    );
    expect(found.finding).toBeUndefined();
  });
});
