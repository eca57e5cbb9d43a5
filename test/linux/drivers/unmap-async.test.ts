/**
 * Goal: grants are unmapped when nobody holds their pages, tried again after 5 ms * (age + 1), and
 * the completion comes once. Trying has an end, so every schedule can be explored.
 * Method: a holder that lets go, once or again and again, is explored beside the unmap until
 * nothing is left; the times of the tries are compared with the formula.
 */
import { describe, expect, test } from 'vitest';
import { kernelBase } from '../../../src/hardware/params.ts';
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
  gnttabUnmapRefsSync,
  setUnmapItem,
} from '../../../src/linux/drivers/unmap-async.ts';
import { FOREIGN_FRAME_BIT, INVALID_P2M_ENTRY, P2m } from '../../../src/linux/mm/p2m.ts';
import { TRACE_UNMAP_BUSY } from '../../../src/linux/tracepoints.ts';
import { PG_foreign, Page, getPage, pfnOf, putPage } from '../../../src/linux/mm/page.ts';
import { Clock } from '../../../src/shared/clock.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { GNTMAP_host_map, MAP_HANDLE } from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
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
  setUnmapItem(item, UnmapOp.hostAddr.at2(item, 0), 0, UnmapPage.value.at2(item, 0), 1);
  return page;
}

const entryOf = (page: number): number => now(P2m.value.at(page));

describe('async unmap', () => {
  test('unmaps an idle page at once', () => {
    bootGuests();
    const page = mapped(TASK);
    expect(entryOf(page) & FOREIGN_FRAME_BIT).not.toBe(0);
    expect(now(Page.flags.at(page)) & PG_foreign).not.toBe(0);
    expect(runAlone(gnttabUnmapRefsSync(TASK))).toBe(0);
    expect(entryOf(page)).toBe(INVALID_P2M_ENTRY);
    expect(now(Page.flags.at(page)) & PG_foreign).toBe(0);
    expect(now(Clock.jiffies.word)).toBe(0);
    expect(now(UnmapItem.completion.at(TASK))).toBe(0);
  });

  test('tries again after 5 ms, 10 ms, 15 ms while the page is taken again and again', () => {
    const machine = bootGuests();
    const page = mapped(TASK);
    runAlone(getPage(page));
    const holder = function* (): Op<void> {
      for (let i = 0; i < 3; i++) {
        yield* putPage(OTHER_TASK, page);
        yield* getPage(page);
      }
      yield* putPage(OTHER_TASK, page);
    };
    let tries: string[] = [];
    const seen = new Set<string>();
    const found = explore(
      machine,
      [
        { name: 'unmap', v: TASK, body: () => gnttabUnmapRefsSync(TASK) },
        { name: 'holder', v: OTHER_TASK, body: holder },
      ],
      {
        strategy: 'optimal',
        executions: 100_000,
        setup: () => (tries = []),
        onTrace(point, _v, delay, age) {
          if (point === TRACE_UNMAP_BUSY) tries.push(`${age}: ${delay}`);
        },
        final() {
          seen.add(tries.join());
          const due = tries.length * (tries.length + 1) * (5 / 2);
          return now(Clock.jiffies.word) === due ? null : 'time: it tried too early';
        },
      },
    );
    expect(found).toMatchObject({ verdict: 'safe', exhausted: true });
    expect([...seen].sort()).toEqual([
      '',
      '0: 5',
      '0: 5,1: 10',
      '0: 5,1: 10,2: 15',
      '0: 5,1: 10,2: 15,3: 20',
    ]);
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
      yield* gnttabUnmapRefsSync(TASK);
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
        strategy: 'optimal',
        executions: 100_000,
        setup: () => {
          held = true;
          early = false;
        },
        invariant: () =>
          held && entryOf(page) === INVALID_P2M_ENTRY ? 'in use: unmapped while held' : null,
        final: () => (early ? 'early: it returned before the pages were unmapped' : null),
      },
    );
    expect(found).toMatchObject({ verdict: 'safe', exhausted: true });
  });

  test('who never lets go is waited for, and that shows as a deadlock', () => {
    const machine = bootGuests();
    runAlone(getPage(mapped(TASK)));
    const unmap = { name: 'unmap', v: TASK, body: () => gnttabUnmapRefsSync(TASK) };
    const { finding } = explore(machine, [unmap], { strategy: 'optimal' });
    expect(finding?.invariant).toBe('deadlock');
  });
});
