/**
 * Goal: the classic gntdev unmaps by entry, so that a partial munmap takes the right grants away
 * and no others; and its array of pages fails at splits as it did: the wrong page is found, and
 * the array is freed twice.
 * Method: calls alone, on three mapped grants; assertions are counted.
 */
import { describe, expect, test } from 'vitest';
import { VM_FOREIGN_ARRAY } from '../../../../../src/linux/designs/design.ts';
import { PageArrayBitmap } from '../../../../../src/linux/designs/vma-pages.ts';
import { ClassicSlot } from '../../../../../src/linux/drivers/gntdev/classic/slots.ts';
import { gntdevPutFile } from '../../../../../src/linux/drivers/gntdev/file.ts';
import {
  gntdevGetOffsetForVaddr,
  gntdevMapGrantRef,
  gntdevSetUnmapNotify,
  gntdevUnmapGrantRef,
} from '../../../../../src/linux/drivers/gntdev/ioctl.ts';
import { Balloon } from '../../../../../src/linux/drivers/balloon.ts';
import { EBUSY, EFAULT, EINVAL, ENOMEM, ENOTTY } from '../../../../../src/linux/errno.ts';
import { getUserPagesFastOnly } from '../../../../../src/linux/mm/gup-fast.ts';
import { FOLL_WRITE, getUserPages } from '../../../../../src/linux/mm/gup.ts';
import { madviseDontneed } from '../../../../../src/linux/mm/madvise.ts';
import { doMunmap } from '../../../../../src/linux/mm/munmap.ts';
import { BUG_SLAB_DOUBLE_FREE } from '../../../../../src/shared/bugs.ts';
import { SoloEngine } from '../../../../../src/shared/engine.ts';
import type { Op } from '../../../../../src/shared/op.ts';
import { finish, installEngine, runAlone } from '../../../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../../../src/xen/grant-table/active.ts';
import {
  GRANTER,
  MAPPER,
  TASK,
  bootGuests,
  grantList,
  grantPage,
  mapGrants,
  must,
  now,
  result,
  userSpace,
} from '../../guests.ts';

const VPN = 8;
const COUNT = 3;

function scene() {
  bootGuests({ design: VM_FOREIGN_ARRAY });
  const refs = Array.from({ length: COUNT }, () => grantPage().ref);
  const m = mapGrants(userSpace(TASK), refs, VPN);
  const pinned = (): number[] =>
    [0, 1, 2].filter((i) => now(ActiveEntry.pin.at2(GRANTER, refs[i] as number)) !== 0);
  return { ...m, refs, pinned };
}

/** The page that slot i of the file is mapped over. */
const pageOfSlot = (file: number, i: number): number => now(ClassicSlot.page.at2(file, i));

/** The page that get_user_pages() finds for page i of the mapping. */
function found(mm: number, i: number): number {
  expect(must(runAlone(getUserPages(TASK, mm, VPN + i, 1, FOLL_WRITE, result(0))))).toBe(1);
  return now(result(0));
}

/** Runs a call alone. @returns the assertions that failed. */
function bugsOf(op: Op<unknown>): number[] {
  const bugs: number[] = [];
  const observer = {
    access() {},
    trace() {},
    bug: (_actor: number, id: number) => void bugs.push(id),
  };
  const before = installEngine(new SoloEngine(observer));
  finish(op);
  installEngine(before);
  return bugs;
}

describe('the classic gntdev', () => {
  test('finds the pages by its array, and knows no lookup without locks', () => {
    const { mm, file } = scene();
    for (let i = 0; i < COUNT; i++) expect(found(mm, i)).toBe(pageOfSlot(file, i));
    expect(runAlone(getUserPagesFastOnly(TASK, mm, VPN, COUNT, 0, result(0)))).toBe(0);
  });

  test.each([0, 1, 2])('unmaps page %d of three and no other, and then the rest', (i) => {
    const { mm, pinned } = scene();
    const first = bugsOf(doMunmap(TASK, mm, VPN + i, 1));
    expect(pinned()).toEqual([0, 1, 2].filter((other) => other !== i));
    const rest = bugsOf(doMunmap(TASK, mm, VPN, COUNT));
    expect(pinned()).toEqual([]);
    expect([...first, ...rest].every((bug) => bug === BUG_SLAB_DOUBLE_FREE)).toBe(true);
    expect([...first, ...rest].length).toBeGreaterThan(0);
  });

  test('munmap of all of it frees the array once, and the slots can be mapped again', () => {
    const { mm, file, index, pinned } = scene();
    expect(bugsOf(doMunmap(TASK, mm, VPN, COUNT))).toEqual([]);
    expect(pinned()).toEqual([]);
    expect(now(PageArrayBitmap.value.at(0))).toBe(0);
    expect(runAlone(gntdevUnmapGrantRef(TASK, file, index, COUNT))).toBe(0);
    expect(runAlone(gntdevUnmapGrantRef(TASK, file, index, COUNT))).toBe(-EINVAL);
    runAlone(gntdevPutFile(TASK, file));
    expect(now(Balloon.count.at(MAPPER))).toBe(COUNT);
  });

  test('finds another page than the one mapped at the address after a split', () => {
    const { mm, file } = scene();
    bugsOf(doMunmap(TASK, mm, VPN, 1));
    expect(found(mm, 1)).toBe(pageOfSlot(file, 0));
  });

  test('still finds a page whose grant is gone', () => {
    const { mm, file, pinned } = scene();
    must(runAlone(madviseDontneed(TASK, mm, VPN, 1)));
    expect(pinned()).toEqual([1, 2]);
    expect(found(mm, 0)).toBe(pageOfSlot(file, 0));
  });

  test('refuses what it refused', () => {
    const { mm, file, index, refs } = scene();
    expect(runAlone(gntdevUnmapGrantRef(TASK, file, index, COUNT))).toBe(-EBUSY);
    expect(runAlone(gntdevSetUnmapNotify(TASK, file, 0, 0, 0, 0))).toBe(-ENOTTY);
    expect(runAlone(gntdevGetOffsetForVaddr(TASK, mm, VPN))).toBe(index);
    expect(runAlone(gntdevGetOffsetForVaddr(TASK, mm, VPN + 1))).toBe(-EFAULT);
    const many = ClassicSlot.state.count;
    expect(runAlone(gntdevMapGrantRef(TASK, file, grantList(refs), many))).toBe(-ENOMEM);
  });

  test('gives back what it mapped when one grant is bad', () => {
    bootGuests({ design: VM_FOREIGN_ARRAY });
    const { ref } = grantPage();
    expect(() => mapGrants(userSpace(TASK), [ref, ref + 3], VPN)).toThrow(/-12/);
    expect(now(ActiveEntry.pin.at2(GRANTER, ref))).toBe(0);
    expect(now(PageArrayBitmap.value.at(0))).toBe(0);
  });
});
