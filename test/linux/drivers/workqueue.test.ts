/**
 * Goal: the kernel thread makes every deferred call once, in order of time, and none before its
 * time; RCU callbacks come after a grace period.
 * Method: calls are queued, turns are taken alone on the virtual clock; a reader holds up a grace
 * period under the explorer.
 */
import { describe, expect, test } from 'vitest';
import { runDeferred, kernelThreadTurn } from '../../../src/linux/drivers/workqueue.ts';
import { WORK_DEFERRED_GRANTS } from '../../../src/linux/drivers/work-kinds.ts';
import { RCU_FREE_TABLE } from '../../../src/linux/mm/mmu-gather.ts';
import { allocTablePage } from '../../../src/linux/mm/page-alloc.ts';
import { Page } from '../../../src/linux/mm/page.ts';
import { Clock } from '../../../src/shared/clock.ts';
import { Deferred } from '../../../src/shared/deferred.ts';
import { queueDelayedWork } from '../../../src/shared/delayed-work.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, runAlone } from '../../../src/shared/operations.ts';
import { callRcu, rcuReadLock, rcuReadUnlock } from '../../../src/shared/rcu.ts';
import { KTHREAD, MAPPER, OTHER_TASK, TASK, bootGuests, explore, must, now } from './guests.ts';

describe('the kernel thread', () => {
  test('lets time pass only to the first due call, and makes it once', () => {
    bootGuests();
    expect(runAlone(queueDelayedWork(MAPPER, WORK_DEFERRED_GRANTS, MAPPER, 70))).toBe(1);
    expect(runAlone(queueDelayedWork(MAPPER, WORK_DEFERRED_GRANTS, MAPPER, 30))).toBe(0);
    expect(runAlone(runDeferred(KTHREAD))).toBe(0);
    runAlone(kernelThreadTurn(KTHREAD));
    expect(now(Clock.jiffies.word)).toBe(70);
    expect(runAlone(runDeferred(KTHREAD))).toBe(1);
    expect(now(Deferred.pending.at(MAPPER))).toBe(0);
  });

  test('runs an RCU callback when no reader is left that could see its object', () => {
    const machine = bootGuests();
    const page = must(runAlone(allocTablePage(TASK)));
    let reading = false;
    const reader = function* (): Op<void> {
      yield* rcuReadLock(OTHER_TASK);
      reading = true;
      yield* cpuRelax();
      reading = false;
      yield* rcuReadUnlock(OTHER_TASK);
    };
    let sawBefore = false;
    const free = function* (): Op<void> {
      sawBefore = reading;
      yield* callRcu(TASK, RCU_FREE_TABLE, page);
    };
    const found = explore(
      machine,
      [
        { name: 'reader', v: OTHER_TASK, body: reader },
        { name: 'free', v: TASK, body: free },
        { name: 'thread', v: KTHREAD, body: () => kernelThreadTurn(KTHREAD) },
      ],
      {
        executions: 300,
        setup: () => {
          reading = false;
          sawBefore = false;
        },
        invariant: () =>
          sawBefore && reading && now(Page.refcount.at(page)) === 0 ? 'rcu: freed early' : null,
        final: () => (now(Page.refcount.at(page)) === 0 ? null : 'rcu: never freed'),
      },
    );
    expect(found.finding).toBeUndefined();
  });
});
