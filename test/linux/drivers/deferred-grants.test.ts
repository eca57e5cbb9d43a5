/**
 * Goal: a grant that is still mapped when it should end keeps its ref and its page until the
 * grantee lets go, and a timer of a second ends it then.
 * Method: the mapper maps and unmaps by itself; the granter's kernel thread runs turn by turn on
 * the virtual clock. A run with the mapper's unmap and the timer is explored.
 */
import { describe, expect, test } from 'vitest';
import { kernelBase } from '../../../src/hardware/params.ts';
import { DeferredEntry } from '../../../src/linux/drivers/deferred-grants.ts';
import { Gnttab } from '../../../src/linux/drivers/free-refs.ts';
import { gnttabEndForeignAccess } from '../../../src/linux/drivers/grant-table.ts';
import { allocBalloonedPages } from '../../../src/linux/drivers/balloon.ts';
import {
  gnttabMapRefs,
  gnttabSetMapOp,
  gnttabSetUnmapOp,
  gnttabUnmapRefs,
} from '../../../src/linux/drivers/map-refs.ts';
import { kernelThreadTurn } from '../../../src/linux/drivers/workqueue.ts';
import { NO_PAGE, Page, pfnOf } from '../../../src/linux/mm/page.ts';
import { TRACE_GRANT_END, TRACE_GRANT_STILL_PENDING } from '../../../src/linux/tracepoints.ts';
import { Clock } from '../../../src/shared/clock.ts';
import { SoloEngine } from '../../../src/shared/engine.ts';
import { finish, installEngine, runAlone } from '../../../src/shared/operations.ts';
import { GNTMAP_host_map, MAP_HANDLE } from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  GRANTER_TASK,
  TASK,
  bootGuests,
  explore,
  grantPage,
  must,
  now,
  result,
} from './guests.ts';
import type { Grant } from './guests.ts';

const GRANTER_KTHREAD = 2;
const SECOND = 1000;

interface KernelMap extends Grant {
  readonly mapped: number;
  readonly handle: number;
}

/** The mapper's kernel maps a new grant, as blkback does. */
function mapOne(): KernelMap {
  const grant = grantPage();
  must(runAlone(allocBalloonedPages(TASK, 1, result(40))));
  const mapped = now(result(40));
  gnttabSetMapOp(result(8), kernelBase() + pfnOf(mapped), GNTMAP_host_map, grant.ref, GRANTER);
  must(runAlone(gnttabMapRefs(TASK, result(8), 0, result(40), 1)));
  return { ...grant, mapped, handle: now(result(8) + MAP_HANDLE) };
}

function* unmapOne(map: KernelMap) {
  gnttabSetUnmapOp(result(20), kernelBase() + pfnOf(map.mapped), map.handle);
  return yield* gnttabUnmapRefs(TASK, result(20), 0, result(40), 1);
}

/** Runs a turn of the granter's kernel thread. @returns the time afterwards. */
function turn(): number {
  runAlone(kernelThreadTurn(GRANTER_KTHREAD));
  return now(Clock.jiffies.word);
}

describe('a grant that is still mapped when it ends', () => {
  test('is ended by the timer after the grantee let go, and its page is freed', () => {
    bootGuests();
    const map = mapOne();
    const free = now(Gnttab.freeCount.at(GRANTER));
    runAlone(gnttabEndForeignAccess(GRANTER_TASK, map.ref, map.page));
    expect(now(Page.refcount.at(map.page))).toBe(1);
    expect(turn()).toBe(SECOND);
    turn();
    expect(now(Gnttab.freeCount.at(GRANTER))).toBe(free);
    must(runAlone(unmapOne(map)));
    expect(turn()).toBe(2 * SECOND);
    turn();
    expect(now(Gnttab.freeCount.at(GRANTER))).toBe(free + 1);
    expect(now(Page.refcount.at(map.page))).toBe(0);
  });

  test('has its page kept by a reference of its own if the caller keeps the page', () => {
    bootGuests();
    const map = mapOne();
    runAlone(gnttabEndForeignAccess(GRANTER_TASK, map.ref, NO_PAGE));
    expect(now(Page.refcount.at(map.page))).toBe(2);
    must(runAlone(unmapOne(map)));
    for (let i = 0; i < 2; i++) turn();
    expect(now(Page.refcount.at(map.page))).toBe(1);
  });

  test('is named after sixty tries', () => {
    bootGuests();
    const map = mapOne();
    runAlone(gnttabEndForeignAccess(GRANTER_TASK, map.ref, map.page));
    let said = 0;
    const observer = {
      access() {},
      bug() {},
      trace(_actor: number, point: number) {
        if (point === TRACE_GRANT_STILL_PENDING) said++;
      },
    };
    const before = installEngine(new SoloEngine(observer));
    for (let i = 0; i < 2 * 59; i++) finish(kernelThreadTurn(GRANTER_KTHREAD));
    expect(said).toBe(0);
    for (let i = 0; i < 2 * 3; i++) finish(kernelThreadTurn(GRANTER_KTHREAD));
    installEngine(before);
    expect(said).toBe(1);
  });

  test('of more than ten, a run of the timer looks at ten', () => {
    bootGuests({ deferredEntries: 16, pagesPerDomain: 32, frames: 96, mapPages: 16 });
    const grants = Array.from({ length: 12 }, () => grantPage());
    must(runAlone(allocBalloonedPages(TASK, 12, result(0))));
    grants.forEach(({ ref }, i) => {
      const vpn = kernelBase() + pfnOf(now(result(i)));
      gnttabSetMapOp(result(16), vpn, GNTMAP_host_map, ref, GRANTER);
      must(runAlone(gnttabMapRefs(TASK, result(16), 0, result(i), 1)));
    });
    for (const { ref, page } of grants) runAlone(gnttabEndForeignAccess(GRANTER_TASK, ref, page));
    const tries = (): number[] =>
      grants.map((_, i) => 60 - now(DeferredEntry.warnDelay.at2(GRANTER, i)));
    for (let i = 0; i < 2; i++) turn();
    expect(tries().filter((count) => count === 1)).toHaveLength(10);
    for (let i = 0; i < 2; i++) turn();
    expect(tries().reduce((a, b) => a + b)).toBe(20);
    expect(Math.min(...tries())).toBe(1);
  });

  test.each(['sc', 'tso'] as const)('ends once while others are added under %s', (memory) => {
    const machine = bootGuests();
    const map = mapOne();
    const other = grantPage();
    must(runAlone(unmapOne(map)));
    const second = mapOne();
    runAlone(gnttabEndForeignAccess(GRANTER_TASK, second.ref, second.page));
    const free = now(Gnttab.freeCount.at(GRANTER)) + 3;
    const ended: number[] = [];
    const found = explore(
      machine,
      [
        {
          name: 'granter',
          v: GRANTER_TASK,
          body: () => gnttabEndForeignAccess(GRANTER_TASK, other.ref, other.page),
        },
        { name: 'mapper', v: TASK, body: () => unmapOne(second) },
        { name: 'timer', v: 1, body: () => kernelThreadTurn(1) },
        { name: 'timer2', v: GRANTER_KTHREAD, body: () => kernelThreadTurn(GRANTER_KTHREAD) },
      ],
      {
        memory,
        executions: 200,
        setup: () => (ended.length = 0),
        onTrace: (point, _d, ref) => void (point === TRACE_GRANT_END && ended.push(ref)),
        final: () => {
          const twice = new Set(ended).size < ended.length;
          const left = free - now(Gnttab.freeCount.at(GRANTER)) + ended.length;
          return twice || left !== 3 ? `deferred: ended ${ended.join()}, left ${left}` : null;
        },
      },
    );
    expect(found.finding).toBeUndefined();
  });

  test.each(['sc', 'tso'] as const)('is on the list once, beside another, under %s', (memory) => {
    const machine = bootGuests();
    const first = mapOne();
    const second = mapOne();
    const end = (v: number, map: KernelMap) => () => gnttabEndForeignAccess(v, map.ref, map.page);
    const head = Gnttab.deferredNext.at(GRANTER);
    const nodes = [0, 1].map((i) => DeferredEntry.next.at2(GRANTER, i));
    const whole = (): boolean => {
      const at = now(head);
      const last = now(at);
      const around = now(last) === head && now(head + 1) === last && now(last + 1) === at;
      return around && at !== last && nodes.includes(at) && nodes.includes(last);
    };
    const found = explore(
      machine,
      [
        { name: 'first', v: GRANTER_TASK, body: end(GRANTER_TASK, first) },
        { name: 'second', v: 1, body: end(1, second) },
      ],
      { memory, executions: 200, final: () => (whole() ? null : 'list: broken') },
    );
    expect(found.finding).toBeUndefined();
  });
});
