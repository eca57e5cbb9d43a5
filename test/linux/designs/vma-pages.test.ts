/**
 * Goal: the page array of a VMA gives the right page for every address through any sequence of
 * splits and closes, and lives as long as a VMA has a slice of it.
 * Method: random splits and closes of VMAs without an address space against a plain map from
 * address to page; parts that close while others open under the explorer.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NO_ARRAY,
  PageArray,
  PageSlot,
  vmaPagesAttach,
  vmaPagesClose,
  vmaPagesLookup,
  vmaPagesOpen,
  vmaPagesSplit,
} from '../../../src/linux/designs/vma-pages.ts';
import { MapPage } from '../../../src/linux/drivers/gntdev/grant-map.ts';
import { unmapSlots } from '../../../src/linux/drivers/gntdev/draft-b/unmap.ts';
import { foreignPrivate } from '../../../src/linux/designs/foreign-page.ts';
import { INVALID_P2M_ENTRY, P2m } from '../../../src/linux/mm/p2m.ts';
import { NO_PAGE, Page, getPage, putPage } from '../../../src/linux/mm/page.ts';
import { pteOffsetMapLock, pteUnlock } from '../../../src/linux/mm/pgtable.ts';
import { Vma, vmAreaAlloc, vmAreaDup } from '../../../src/linux/mm/vma.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, read, runAlone, write, writeLocal } from '../../../src/shared/operations.ts';
import { slabInUse } from '../../../src/shared/slab.ts';
import { PageArrayBitmap } from '../../../src/linux/designs/vma-pages.ts';
import {
  KTHREAD,
  OTHER_TASK,
  TASK,
  bootGuests,
  explore,
  grantPage,
  mapGrants,
  now,
  userSpace,
} from '../drivers/guests.ts';

const START = 16;

/** A VMA with an array whose slot i holds page 100 + i. */
function vmaWithPages(start: number, count: number): number {
  const vma = runAlone(vmAreaAlloc(0));
  writeLocal(Vma.vmStart.at(vma), start);
  writeLocal(Vma.vmEnd.at(vma), start + count);
  const array = runAlone(vmaPagesAttach(vma));
  expect(array).not.toBe(NO_ARRAY);
  for (let i = 0; i < count; i++) writeLocal(PageSlot.value.at2(array, i), 100 + i);
  return vma;
}

/** mm/vma.c: __split_vma() as far as the array goes. @returns the new VMA. */
function* split(vma: number, vpn: number, newBelow: number): Op {
  const copy = yield* vmAreaDup(vma);
  const delta = vpn - now(Vma.vmStart.at(vma));
  if (newBelow === 1) yield* write(Vma.vmEnd.at(copy), vpn);
  else yield* write(Vma.vmStart.at(copy), vpn);
  yield* vmaPagesSplit(vma, copy, delta, newBelow);
  yield* vmaPagesOpen(copy);
  if (newBelow === 1) yield* write(Vma.vmStart.at(vma), vpn);
  else yield* write(Vma.vmEnd.at(vma), vpn);
  return copy;
}

const inUse = (array: number): boolean =>
  runAlone(slabInUse(PageArrayBitmap.value.word, array)) === 1;

describe('the page array of a VMA', () => {
  test('gives every address its page through any sequence of splits and closes', () => {
    const command = fc.record({
      pick: fc.nat(),
      at: fc.nat(),
      below: fc.nat(1),
      close: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        bootGuests({ mapPages: 12, vmas: 32, pageArrays: 2 });
        let vmas = [vmaWithPages(START, 12)];
        for (const { pick, at, below, close } of commands) {
          const vma = vmas[pick % vmas.length] as number;
          const start = now(Vma.vmStart.at(vma));
          const pages = now(Vma.vmEnd.at(vma)) - start;
          if (close && vmas.length > 1) {
            runAlone(vmaPagesClose(vma));
            vmas = vmas.filter((other) => other !== vma);
          } else if (pages > 1) {
            vmas.push(runAlone(split(vma, start + 1 + (at % (pages - 1)), below)));
          }
          expect(now(PageArray.users.at(0))).toBe(vmas.length);
          for (const other of vmas) {
            for (let vpn = now(Vma.vmStart.at(other)); vpn < now(Vma.vmEnd.at(other)); vpn++) {
              expect(runAlone(vmaPagesLookup(other, vpn))).toBe(100 + vpn - START);
            }
          }
        }
        expect(inUse(0)).toBe(true);
        for (const vma of vmas) runAlone(vmaPagesClose(vma));
        expect(inUse(0)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test('is found by no VMA that has given its slice up', () => {
    bootGuests();
    const vma = vmaWithPages(START, 2);
    runAlone(vmaPagesClose(vma));
    expect(runAlone(vmaPagesLookup(vma, START))).toBe(NO_PAGE);
    runAlone(vmaPagesClose(vma));
    expect(now(PageArray.users.at(0))).toBe(0);
  });

  test.each(['sc', 'tso'] as const)('is freed once, by the last slice, under %s', (memory) => {
    const machine = bootGuests();
    const lower = vmaWithPages(START, 4);
    const upper = runAlone(split(lower, START + 2, 0));
    const found = explore(
      machine,
      [
        { name: 'lower', v: TASK, body: () => vmaPagesClose(lower) },
        { name: 'upper', v: OTHER_TASK, body: () => vmaPagesClose(upper) },
      ],
      {
        memory,
        strategy: 'dpor',
        executions: 2000,
        final: () => (inUse(0) ? 'leak: array' : null),
      },
    );
    expect(found.verdict).toBe('safe');
  });

  test('gives no new reference once its slot is cleared', () => {
    const machine = bootGuests();
    const mm = userSpace(TASK, OTHER_TASK);
    mapGrants(mm, [grantPage().ref], START);
    const page = now(MapPage.value.at2(0, 0));
    const slow = function* (): Op<void> {
      const ptep = yield* pteOffsetMapLock(TASK, mm, START);
      const found = yield* read(PageSlot.value.at2(0, 0));
      if (found !== NO_PAGE) yield* getPage(found);
      yield* pteUnlock(ptep);
      yield* cpuRelax();
      if (found !== NO_PAGE) yield* putPage(TASK, found);
    };
    let lost = false;
    const found = explore(
      machine,
      [
        { name: 'gup', v: TASK, body: slow },
        {
          name: 'unmap',
          v: OTHER_TASK,
          body: () => unmapSlots(OTHER_TASK, 0, 0, 0, 1),
        },
      ],
      {
        strategy: 'surw',
        threads: [KTHREAD],
        executions: 1500,
        setup: () => (lost = false),
        invariant: () => {
          const held = now(Page.refcount.at(page)) > 1;
          lost ||= held && now(P2m.value.at(page)) === INVALID_P2M_ENTRY;
          return lost ? 'in use: a page that is held lost its frame' : null;
        },
      },
    );
    expect(found.finding?.message).toBeUndefined();
  });

  test('page->private names domain and ref and no frame', () => {
    expect(foreignPrivate(3, 77)).toBe((77 << 8) | 3);
  });
});
