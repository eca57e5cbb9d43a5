/**
 * Goal: today's gntdev unmaps what is idle, once, and counts two handles a page; what it does with
 * a page in use is what its code says: the notifier returns with the page still mapped, and a
 * second unmap of the same map takes the first one's record away.
 * Method: calls alone, with assertions counted; the kernel thread by hand.
 */
import { describe, expect, test } from 'vitest';
import { Vcpu } from '../../../../../src/hardware/vcpu.ts';
import { FIND_NORMAL_PAGE } from '../../../../../src/linux/designs/design.ts';
import { gntdevInvalidate } from '../../../../../src/linux/drivers/gntdev/invalidate.ts';
import { GrantMap, GrantSlot, MapPage } from '../../../../../src/linux/drivers/gntdev/grant-map.ts';
import { gntdevUnmapGrantRef } from '../../../../../src/linux/drivers/gntdev/ioctl.ts';
import { unmapGrantPages } from '../../../../../src/linux/drivers/gntdev/today/unmap.ts';
import { runDeferred } from '../../../../../src/linux/drivers/workqueue.ts';
import { FOLL_WRITE, getUserPages } from '../../../../../src/linux/mm/gup.ts';
import { getUserPagesFastOnly } from '../../../../../src/linux/mm/gup-fast.ts';
import { MmuIntervalPool } from '../../../../../src/linux/mm/mmu-notifier.ts';
import { doMunmap } from '../../../../../src/linux/mm/munmap.ts';
import { putPage } from '../../../../../src/linux/mm/page.ts';
import { advanceClock } from '../../../../../src/shared/clock.ts';
import { runAlone, writeLocal } from '../../../../../src/shared/operations.ts';
import { slabInUse } from '../../../../../src/shared/slab.ts';
import { ActiveEntry } from '../../../../../src/xen/grant-table/active.ts';
import {
  GRANTER,
  KTHREAD,
  TASK,
  bootGuests,
  grantPage,
  mapGrants,
  must,
  now,
  result,
  userSpace,
} from '../../guests.ts';

const VPN = 8;

/** Two mapped grants. @returns their references, the address space, and what names the map. */
function scene() {
  bootGuests({ design: FIND_NORMAL_PAGE });
  const refs = [grantPage().ref, grantPage().ref];
  const m = mapGrants(userSpace(TASK), refs, VPN);
  const pinned = (): number[] =>
    refs.map((ref) => now(ActiveEntry.pin.at2(GRANTER, ref))).map((pin) => (pin === 0 ? 0 : 1));
  return { ...m, pinned };
}

/** The kernel thread, some time later; the task sleeps, so it answers no flush. */
function later(): void {
  writeLocal(Vcpu.online.at(TASK), 0);
  runAlone(advanceClock(100));
  runAlone(runDeferred(KTHREAD));
  writeLocal(Vcpu.online.at(TASK), 1);
}

/** Looks up the page of slot i, and holds it. */
function hold(mm: number, i: number): number {
  expect(must(runAlone(getUserPages(TASK, mm, VPN + i, 1, FOLL_WRITE, result(0))))).toBe(1);
  expect(now(result(0))).toBe(now(MapPage.value.at2(0, i)));
  return now(result(0));
}

describe("today's gntdev", () => {
  test('counts user and kernel handle of each page, and unmaps each slot once', () => {
    const { pinned } = scene();
    expect(now(GrantMap.liveGrants.at(0))).toBe(4);
    runAlone(unmapGrantPages(TASK, 0, 0, 1));
    expect(pinned()).toEqual([0, 1]);
    expect(now(GrantMap.liveGrants.at(0))).toBe(2);
    runAlone(unmapGrantPages(TASK, 0, 0, 2));
    expect(pinned()).toEqual([0, 0]);
    expect(now(GrantMap.liveGrants.at(0))).toBe(0);
    expect(now(GrantMap.users.at(0))).toBe(2);
  });

  test('keeps foreign pages away from the lookup without locks', () => {
    const { mm } = scene();
    expect(runAlone(getUserPagesFastOnly(TASK, mm, VPN, 2, 0, result(0)))).toBe(0);
  });

  test('refuses to unmap for a caller that must not sleep', () => {
    const { pinned } = scene();
    expect(runAlone(gntdevInvalidate(TASK, 0, VPN, VPN + 2, 0))).toBe(0);
    expect(pinned()).toEqual([1, 1]);
  });

  test('returns from the notifier while a page in use is still mapped', () => {
    const { mm, pinned } = scene();
    const page = hold(mm, 1);
    expect(runAlone(gntdevInvalidate(TASK, 0, VPN + 1, VPN + 2, 1))).toBe(1);
    expect(pinned()).toEqual([1, 1]);
    expect(now(GrantMap.users.at(0))).toBe(3);
    runAlone(putPage(TASK, page));
    later();
    expect(pinned()).toEqual([1, 0]);
    expect(now(GrantMap.users.at(0))).toBe(2);
  });

  test('forgets an unmap that waits when it begins another of the same map', () => {
    const { mm, pinned } = scene();
    const page = hold(mm, 0);
    runAlone(unmapGrantPages(TASK, 0, 0, 1));
    runAlone(unmapGrantPages(TASK, 0, 1, 1));
    runAlone(putPage(TASK, page));
    later();
    later();
    expect(pinned()).toEqual([1, 0]);
    expect(now(GrantSlot.beingRemoved.at2(0, 0))).toBe(1);
    expect(now(GrantMap.liveGrants.at(0))).toBe(2);
    runAlone(unmapGrantPages(TASK, 0, 0, 2));
    expect(pinned()).toEqual([1, 0]);
  });

  test('goes with its last unmap, after file and VMA, and its notifier with it', () => {
    const { mm, file, index, pinned } = scene();
    const notifier = now(GrantMap.notifier.at(0));
    const notifies = (): number => runAlone(slabInUse(MmuIntervalPool.value.at(0), notifier));
    expect(notifies()).toBe(1);
    must(runAlone(gntdevUnmapGrantRef(TASK, file, index, 2)));
    expect(now(GrantMap.users.at(0))).toBe(1);
    must(runAlone(doMunmap(TASK, mm, VPN, 2)));
    expect(pinned()).toEqual([0, 0]);
    expect(now(GrantMap.users.at(0))).toBe(0);
    expect(notifies()).toBe(0);
  });
});
