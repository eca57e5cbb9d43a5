/**
 * Goal: a page lives exactly as long as somebody holds it, belongs to one domain, and its last
 * owner's translations are gone before another gets it.
 * Method: races of takers, givers and allocators; a vCPU that keeps the page in its TLB; counts of
 * the heap at the end.
 */
import { describe, expect, test } from 'vitest';
import { cpuLoad } from '../../src/hardware/access.ts';
import { PTE_PRESENT, frameWord, makePte } from '../../src/hardware/paging.ts';
import { SMP_WMB, WRITE_ONCE } from '../../src/shared/kinds.ts';
import type { Op } from '../../src/shared/op.ts';
import { awaitEqual, runAlone, warnOn, writeLocal } from '../../src/shared/operations.ts';
import { Domain } from '../../src/xen/domain.ts';
import { getPage, mfnValid, pageGetOwnerAndReference, putPage } from '../../src/xen/frame-table.ts';
import { M2p, getGpfnFromMfn } from '../../src/xen/m2p.ts';
import { decreaseReservation, increaseReservation } from '../../src/xen/memory.ts';
import { mmuMachphysUpdate, mmuUpdate } from '../../src/xen/mmu.ts';
import { FREED_JUNK, FRESH_JUNK, Heap, allocDomheapPage } from '../../src/xen/page-alloc.ts';
import {
  NO_OWNER,
  NO_PAGE,
  PGC_allocated,
  PGC_state_free,
  PageInfo,
} from '../../src/xen/page-info.ts';
import {
  GRANTER,
  MAPPER,
  bootMachine,
  dataFrame,
  explore,
  inOrder,
  isCached,
  leafEntry,
  now,
  pageCount,
  recordOps,
} from './machine.ts';
import type { XenMachine } from './machine.ts';

/** Free pages on the lists, by walking them. */
function freePages(): number {
  let count = 0;
  for (const head of [Heap.dataHead.word, Heap.ptHead.word]) {
    for (let mfn = now(head); mfn !== NO_PAGE && count < 1000; mfn = now(PageInfo.next.at(mfn))) {
      count++;
    }
  }
  return count;
}

/** I17: every page but Xen's is free or owned, and the totals say so. */
function conserved(): string | null {
  let owned = 0;
  for (let mfn = 1; mfn < 64; mfn++) if (now(PageInfo.owner.at(mfn)) !== NO_OWNER) owned++;
  const totals = now(Domain.totPages.at(0)) + now(Domain.totPages.at(1));
  if (totals !== owned) return `I17: totals ${totals}, owned ${owned}`;
  if (now(Heap.available.word) !== freePages()) return 'I17: available pages miscounted';
  return owned + freePages() === 63 ? null : `I17: ${owned} owned, ${freePages()} free`;
}

describe('pages, one caller at a time', () => {
  test('an allocated page has its owner, one reference, fresh contents and a number', () => {
    bootMachine();
    const mfn = dataFrame(GRANTER, 11);
    expect(now(PageInfo.owner.at(mfn))).toBe(GRANTER);
    expect(now(PageInfo.countInfo.at(mfn))).toBe(PGC_allocated | 1);
    expect(now(frameWord(mfn, 0))).toBe(FRESH_JUNK);
    expect(runAlone(getGpfnFromMfn(mfn))).toBe(11);
    expect(runAlone(mmuMachphysUpdate(0, mfn, 12))).toBe(0);
    expect(runAlone(mmuMachphysUpdate(2, mfn, 13))).toBeLessThan(0);
    expect(now(M2p.value.at(mfn))).toBe(12);
    runAlone(decreaseReservation(0, mfn));
    expect([now(frameWord(mfn, 0)), now(M2p.value.at(mfn))]).toEqual([FREED_JUNK, -1]);
    expect(now(PageInfo.countInfo.at(mfn))).toBe(PGC_state_free);
    expect(conserved()).toBeNull();
  });

  test('only its owner gets a page, nobody gets a free one', () => {
    bootMachine();
    const mfn = dataFrame(GRANTER);
    expect(runAlone(getPage(2, mfn, MAPPER))).toBe(0);
    expect(pageCount(mfn)).toBe(1);
    expect(runAlone(decreaseReservation(2, mfn))).toBeLessThan(0);
    expect(runAlone(pageGetOwnerAndReference(60))).toBe(NO_OWNER);
    expect([mfnValid(-1), mfnValid(64), mfnValid(63)]).toEqual([false, false, true]);
  });

  test('a domain gets no more than its maximum, and a dying one nothing', () => {
    bootMachine({ maxPages: 3 });
    expect(runAlone(increaseReservation(0, 9))).toBeGreaterThan(0);
    expect(runAlone(increaseReservation(0, 10))).toBeLessThan(0);
    writeLocal(Domain.isDying.at(MAPPER), 1);
    expect(runAlone(increaseReservation(2, 9))).toBeLessThan(0);
    expect(conserved()).toBeNull();
  });

  test('a page is published owner, barrier, count', () => {
    bootMachine();
    const log = recordOps(allocDomheapPage(0, GRANTER));
    const mfn = now(Heap.dataHead.word) - 1;
    const steps = [
      [WRITE_ONCE, PageInfo.owner.at(mfn)],
      [SMP_WMB],
      [WRITE_ONCE, PageInfo.countInfo.at(mfn)],
    ];
    expect(inOrder(log, steps)).toBe(true);
  });
});

/** Takes the page for the granter if it can, and checks that it keeps it. */
function* borrows(v: number, mfn: number): Op<void> {
  if ((yield* getPage(v, mfn, GRANTER)) === 0) return;
  warnOn(now(PageInfo.owner.at(mfn)) !== GRANTER, 1, v, mfn);
  warnOn((now(PageInfo.countInfo.at(mfn)) & PGC_state_free) !== 0, 2, v, mfn);
  yield* putPage(v, mfn);
}

function* takesAndGives(v: number): Op<void> {
  const mfn = yield* increaseReservation(v, 9);
  yield* decreaseReservation(v, mfn);
}

/** The guest stops mapping its page, gives it back, and does not flush. */
function* dropsWithoutFlush(m: XenMachine, v: number, d: number, mfn: number): Op<void> {
  yield* mmuUpdate(v, leafEntry(m, d, 5), 0);
  yield* decreaseReservation(v, mfn);
}

/** Allocates as soon as the page is free; the newest free page is handed out first. */
function* takesWhenFree(v: number, mfn: number): Op<void> {
  yield* awaitEqual(PageInfo.countInfo.at(mfn), PGC_state_free, PGC_state_free);
  yield* increaseReservation(v, 9);
}

describe.each(['sc', 'tso'] as const)('pages under %s', (memory) => {
  test('a borrowed page stays its owner’s, however it is given away and handed out again', () => {
    const m = bootMachine();
    const mfn = dataFrame(GRANTER);
    const result = explore(
      m,
      [
        { name: 'owner', v: -1, body: () => decreaseReservation(0, mfn) },
        { name: 'borrower', v: -1, body: () => borrows(2, mfn) },
        { name: 'next', v: -1, body: () => takesAndGives(3) },
      ],
      { memory, executions: 300, final: conserved },
    );
    expect(result.finding).toBeUndefined();
  });

  test('two givers of one page free it once, two takers get two pages', () => {
    const m = bootMachine();
    const mfn = dataFrame(GRANTER);
    const result = explore(
      m,
      [
        { name: 'a', v: -1, body: () => decreaseReservation(0, mfn) },
        { name: 'b', v: -1, body: () => decreaseReservation(1, mfn) },
        { name: 'c', v: -1, body: () => increaseReservation(0, 9) },
        { name: 'd', v: -1, body: () => increaseReservation(2, 9) },
      ],
      { memory, final: conserved },
    );
    expect(result.finding).toBeUndefined();
  });

  test('no TLB of the last owner holds a page that somebody else got', () => {
    const m = bootMachine({}, [0, 1, 2]);
    const mfn = dataFrame(GRANTER);
    const pte = makePte(mfn, PTE_PRESENT);
    runAlone(mmuUpdate(0, leafEntry(m, GRANTER, 5), pte));
    runAlone(cpuLoad(1, 5, 0));
    const result = explore(
      m,
      [
        { name: 'owner', v: 0, body: () => dropsWithoutFlush(m, 0, GRANTER, mfn) },
        { name: 'user', v: 1, body: () => cpuLoad(1, 5, 0) },
        { name: 'next', v: 2, body: () => takesWhenFree(2, mfn) },
      ],
      {
        memory,
        invariant: () =>
          now(PageInfo.owner.at(mfn)) === MAPPER && isCached(GRANTER, mfn)
            ? 'I7: the last owner still has a translation'
            : null,
      },
    );
    expect(result.finding).toBeUndefined();
  });
});
