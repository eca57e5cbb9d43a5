/**
 * Goal: after a partial munmap the grants of the part that went are unmapped and those of the part
 * that stayed are not, with Draft B and today, whichever way the kernel splits VMAs; 3.12 and 4.0
 * fail at it in the ways that are known of it.
 * Method: three grants are mapped, each choice of pages is unmapped in each direction of splitting;
 * what is left mapped is compared with a plain set. Assertions of the kernel are counted.
 */
import { describe, expect, test } from 'vitest';
import { PTE_PRESENT } from '../../../../src/hardware/paging.ts';
import {
  FIND_NORMAL_PAGE,
  FIND_SPECIAL_PAGE,
  M2P_OVERRIDE,
  VMA_PAGES,
} from '../../../../src/linux/designs/design.ts';
import { PageArray } from '../../../../src/linux/designs/vma-pages.ts';
import { GrantMap, MapPage, MapUnmapOp } from '../../../../src/linux/drivers/gntdev/grant-map.ts';
import { gntdevUnmapGrantRef } from '../../../../src/linux/drivers/gntdev/ioctl.ts';
import { Balloon } from '../../../../src/linux/drivers/balloon.ts';
import { FOLL_WRITE, getUserPages } from '../../../../src/linux/mm/gup.ts';
import { doMunmap } from '../../../../src/linux/mm/munmap.ts';
import { putPage } from '../../../../src/linux/mm/page.ts';
import { SoloEngine } from '../../../../src/shared/engine.ts';
import type { Op } from '../../../../src/shared/op.ts';
import { finish, installEngine, runAlone } from '../../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../../src/xen/grant-table/active.ts';
import {
  GRANTER,
  MAPPER,
  TASK,
  bootGuests,
  grantPage,
  mapGrants,
  now,
  result,
  userSpace,
} from '../guests.ts';
import type { Grant, Mapping } from '../guests.ts';

const VPN = 8;
const COUNT = 3;

interface Scene {
  readonly grants: readonly Grant[];
  readonly mapping: Mapping;
}

function scene(design: number, splitNewAbove: number): Scene {
  bootGuests({ design, splitNewAbove, vmas: 32, vmaSlots: 12 });
  const grants = Array.from({ length: COUNT }, () => grantPage());
  const mm = userSpace(TASK);
  return {
    grants,
    mapping: mapGrants(
      mm,
      grants.map(({ ref }) => ref),
      VPN,
    ),
  };
}

/** Runs a call alone and counts the assertions that fail. */
function counting(op: Op<unknown>): number {
  let bugs = 0;
  const observer = { access() {}, trace() {}, bug: () => void bugs++ };
  const before = installEngine(new SoloEngine(observer));
  finish(op);
  installEngine(before);
  return bugs;
}

/** Pages of the mapping whose user PTE is there, and those whose grant Xen counts as mapped. */
const present = (i: number): boolean =>
  (now(now(MapUnmapOp.hostAddr.at2(0, i))) & PTE_PRESENT) !== 0;

function mappedPages(): number[] {
  return [0, 1, 2].filter(present);
}

function pinnedGrants({ grants }: Scene): number[] {
  return [0, 1, 2].filter((i) => now(ActiveEntry.pin.at2(GRANTER, (grants[i] as Grant).ref)) !== 0);
}

/** Every contiguous choice of pages to unmap: [first, count]. */
const pieces = [0, 1, 2].flatMap((first) =>
  Array.from({ length: COUNT - first }, (_, i) => [first, i + 1] as const),
);

const cases = [0, 1].flatMap((above) => [
  ['Draft B', VMA_PAGES, above] as const,
  ['the driver of today', FIND_NORMAL_PAGE, above] as const,
]);

describe.each(cases)('partial munmap with %s (%d), new VMA above: %d', (_name, design, above) => {
  test.each(pieces)('of pages from %d on, %d of them', (first, count) => {
    const s = scene(design, above);
    const { mm, file, index } = s.mapping;
    expect(counting(doMunmap(TASK, mm, VPN + first, count))).toBe(0);
    const stays = [0, 1, 2].filter((i) => i < first || i >= first + count);
    expect(mappedPages()).toEqual(stays);
    expect(pinnedGrants(s)).toEqual(stays);
    for (const i of stays) {
      expect(runAlone(getUserPages(TASK, mm, VPN + i, 1, FOLL_WRITE, result(0)))).toBe(1);
      expect(now(result(0))).toBe(now(MapPage.value.at2(0, i)));
      runAlone(putPage(TASK, now(result(0))));
    }
    expect(counting(doMunmap(TASK, mm, VPN, COUNT))).toBe(0);
    expect(mappedPages()).toEqual([]);
    expect(pinnedGrants(s)).toEqual([]);
    expect(now(PageArray.users.at(0))).toBe(0);
    expect(now(GrantMap.users.at(0))).toBe(1);
    expect(now(GrantMap.liveGrants.at(0))).toBe(0);
    expect(runAlone(gntdevUnmapGrantRef(TASK, file, index, COUNT))).toBe(0);
    expect(now(GrantMap.users.at(0))).toBe(0);
    expect(now(Balloon.count.at(MAPPER))).toBe(COUNT);
  });
});

describe.each([
  ['3.12', M2P_OVERRIDE],
  ['4.0', FIND_SPECIAL_PAGE],
])('partial munmap with %s', (_name, design) => {
  test('of the upper page leaves its grant mapped for ever (4.11 split)', () => {
    const s = scene(design, 1);
    counting(doMunmap(TASK, s.mapping.mm, VPN + 2, 1));
    expect(pinnedGrants(s)).toContain(2);
  });

  test('of the lower page forgets the rest (4.11 split)', () => {
    const s = scene(design, 1);
    counting(doMunmap(TASK, s.mapping.mm, VPN, 1));
    counting(doMunmap(TASK, s.mapping.mm, VPN + 1, 2));
    expect(pinnedGrants(s)).toEqual([0, 1, 2]);
  });

  test('of the upper page unmaps the wrong grant when the new VMA is below (7.0 split)', () => {
    const s = scene(design, 0);
    counting(doMunmap(TASK, s.mapping.mm, VPN + 2, 1));
    expect(pinnedGrants(s)).toEqual([1, 2]);
  });

  test('of everything unmaps everything', () => {
    const s = scene(design, 1);
    expect(counting(doMunmap(TASK, s.mapping.mm, VPN, COUNT))).toBe(0);
    expect(pinnedGrants(s)).toEqual([]);
    expect(mappedPages()).toEqual([]);
  });
});
