/**
 * Goal: the override is the kernel's: a hash with one lock, the first page of a frame wins, removal
 * restores what adding changed.
 * Method: random additions and removals against a plain list; two CPUs at one bucket under the
 * explorer; a lookup in an interrupt handler.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../../src/explore/check.ts';
import { UPCALL_MASK, UPCALL_PENDING, Vcpu } from '../../../src/hardware/vcpu.ts';
import { PTE_PRESENT, PTE_RW, pteMfn, walkToPte } from '../../../src/hardware/paging.ts';
import { kernelBase } from '../../../src/hardware/params.ts';
import { M2P_OVERRIDE } from '../../../src/linux/designs/design.ts';
import {
  OverrideBucket,
  m2pFindOverride,
  m2pOverrideMap,
  m2pOverrideUnmap,
  mfnHash,
  mfnToPage,
} from '../../../src/linux/designs/m2p-override.ts';
import { BalloonScratch, allocBalloonedPages } from '../../../src/linux/drivers/balloon.ts';
import { gnttabSetMapOp } from '../../../src/linux/drivers/map-refs.ts';
import { doMunmap } from '../../../src/linux/mm/munmap.ts';
import { FOREIGN_FRAME_BIT, P2m } from '../../../src/linux/mm/p2m.ts';
import { NO_PAGE, PG_private, Page, pfnOf } from '../../../src/linux/mm/page.ts';
import { allocPage } from '../../../src/linux/mm/page-alloc.ts';
import type { Op } from '../../../src/shared/op.ts';
import { awaitEqual, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { MAP_DEV_BUS_ADDR } from '../../../src/xen/public/grant-table.ts';
import { pageOfLru } from '../../../src/linux/drivers/page-lru.ts';
import { MapPage } from '../../../src/linux/drivers/gntdev/grant-map.ts';
import {
  MAPPER,
  OTHER_TASK,
  TASK,
  bootGuests,
  explore,
  grantPage,
  mapGrants,
  must,
  now,
  result,
  userSpace,
} from '../drivers/guests.ts';

const sizes = { design: M2P_OVERRIDE, overrideBuckets: 2, mapPages: 8 };

/** The kernel's half of mapping a frame over a page, without a kernel mapping. */
function* add(v: number, page: number, mfn: number): Op {
  const at = 16 + v * 10;
  gnttabSetMapOp(result(at), 0, 0, 0, 0);
  writeLocal(result(at) + MAP_DEV_BUS_ADDR, mfn);
  writeLocal(result(at + 9), page);
  return yield* m2pOverrideMap(v, result(at), 0, result(at + 9), 1);
}

function* remove(v: number, page: number): Op {
  writeLocal(result(16 + v * 10 + 9), page);
  return yield* m2pOverrideUnmap(v, 0, result(16 + v * 10 + 9), 1);
}

/** Ballooned pages of the mapper. */
function pages(count: number): number[] {
  must(runAlone(allocBalloonedPages(TASK, count, result(0))));
  return Array.from({ length: count }, (_, i) => now(result(i)));
}

/** All pages on the buckets; the links must agree in both directions. */
function onBuckets(): number[] {
  const found: number[] = [];
  for (let i = 0; i < OverrideBucket.next.count; i++) {
    const head = OverrideBucket.next.at2(MAPPER, i);
    for (let at = now(head); at !== head; at = now(at)) {
      found.push(pageOfLru(at));
      if (now(now(at) + 1) !== at || found.length > 100) throw new Error('the bucket is broken');
    }
  }
  return found.toSorted((a, b) => a - b);
}

/** The kernel's entry for a page. */
function kernelEntry(pg: number): number {
  const vpn = kernelBase() + pfnOf(pg);
  return now(runAlone(walkToPte(TASK, now(Vcpu.cr3.at(TASK)), vpn)));
}

describe('m2p_override', () => {
  test('finds the page that was added last, and restores the p2m', () => {
    const command = fc.tuple(fc.nat(5), fc.nat(3), fc.boolean());
    fc.assert(
      fc.property(fc.array(command, { maxLength: 15 }), (commands) => {
        bootGuests(sizes);
        const six = pages(6);
        const before = six.map((page) => now(P2m.value.at(page)));
        const foreign = [0, 1, 2, 3].map((pfn) => now(P2m.value.at(pfn)));
        let model: { page: number; mfn: number }[] = [];
        for (const [i, which, adds] of commands) {
          const page = six[i] as number;
          const known = model.find((entry) => entry.page === page);
          const mfn = foreign[which] as number;
          if (adds && known === undefined) {
            runAlone(add(TASK, page, mfn));
            model = [{ page, mfn }, ...model];
            expect(now(P2m.value.at(page))).toBe(mfn | FOREIGN_FRAME_BIT);
          } else if (!adds && known !== undefined) {
            expect(runAlone(remove(TASK, page))).toBe(0);
            model = model.filter((entry) => entry !== known);
            expect(now(P2m.value.at(page))).toBe(before[i]);
            expect(now(Page.flags.at(page)) & PG_private).toBe(0);
          }
          for (const frame of foreign) {
            const wanted = model.find((entry) => entry.mfn === frame)?.page ?? NO_PAGE;
            expect(runAlone(m2pFindOverride(TASK, frame))).toBe(wanted);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('spreads frames over 1024 buckets', () => {
    const seen = new Set(Array.from({ length: 1000 }, (_, mfn) => mfnHash(mfn)));
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...seen)).toBeLessThan(1024);
    expect(seen.size).toBeGreaterThan(400);
  });

  test('marks a frame of its own foreign while it is mapped: lookups find the backend', () => {
    bootGuests(sizes);
    const own = must(runAlone(allocPage(TASK)));
    const mfn = now(P2m.value.at(own));
    const [first, second] = pages(2) as [number, number];
    expect(runAlone(mfnToPage(TASK, mfn))).toBe(own);
    runAlone(add(TASK, first, mfn));
    runAlone(add(TASK, second, mfn));
    expect(now(P2m.value.at(own))).toBe(mfn | FOREIGN_FRAME_BIT);
    expect(runAlone(mfnToPage(TASK, mfn))).toBe(second);
    runAlone(remove(TASK, second));
    expect(now(P2m.value.at(own))).toBe(mfn | FOREIGN_FRAME_BIT);
    runAlone(remove(TASK, first));
    expect(now(P2m.value.at(own))).toBe(mfn);
    expect(runAlone(mfnToPage(TASK, mfn))).toBe(own);
  });

  test('unmap gives the kernel address to the scratch page, which gets its own back', () => {
    bootGuests(sizes);
    const { ref } = grantPage();
    const mm = userSpace(TASK);
    mapGrants(mm, [ref], 8);
    const page = now(MapPage.value.at2(0, 0));
    expect(kernelEntry(page) & (PTE_PRESENT | PTE_RW)).toBe(PTE_PRESENT | PTE_RW);
    must(runAlone(doMunmap(TASK, mm, 8, 1)));
    const scratch = now(BalloonScratch.page.at(TASK));
    const mfn = now(P2m.value.at(scratch));
    expect(now(P2m.value.at(page))).toBe(mfn);
    for (const pg of [page, scratch]) expect(pteMfn(kernelEntry(pg))).toBe(mfn);
    expect(kernelEntry(scratch) & (PTE_PRESENT | PTE_RW)).toBe(PTE_PRESENT);
  });

  test.each(['sc', 'tso'] as const)('survives two CPUs at one bucket under %s', (memory) => {
    const machine = bootGuests({ ...sizes, overrideBuckets: 1 });
    const [a, b, c] = pages(3) as [number, number, number];
    runAlone(add(TASK, c, now(P2m.value.at(0))));
    const body = (v: number, page: number, mfn: number) =>
      function* (): Op<void> {
        yield* add(v, page, mfn);
        if (v === TASK) yield* remove(v, c);
        yield* m2pFindOverride(v, mfn);
      };
    const found = explore(
      machine,
      [
        { name: 'a', v: TASK, body: body(TASK, a, now(P2m.value.at(1))) },
        { name: 'b', v: OTHER_TASK, body: body(OTHER_TASK, b, now(P2m.value.at(2))) },
      ],
      {
        memory,
        executions: 300,
        final: () =>
          `${onBuckets()}` === `${[a, b].toSorted((x, y) => x - y)}` ? null : 'lost: page',
      },
    );
    expect(found.finding).toBeUndefined();
  });

  test('can be asked by an interrupt handler that meets an addition on its own CPU', () => {
    const machine = bootGuests(sizes);
    const [page] = pages(1) as [number];
    const mfn = now(P2m.value.at(0));
    const upcall = Vcpu.upcall.at(TASK);
    const handler = function* (): Op<void> {
      yield* awaitEqual(upcall, UPCALL_PENDING | UPCALL_MASK, UPCALL_PENDING);
      writeLocal(upcall, 0);
      yield* m2pFindOverride(TASK, mfn);
    };
    const task = function* (): Op<void> {
      yield* add(TASK, page, mfn);
      yield* m2pFindOverride(TASK, mfn);
      yield* remove(TASK, page);
    };
    writeLocal(upcall, UPCALL_PENDING);
    const found = check({
      machine,
      actors: [
        { name: 'task', body: task },
        { name: 'irq', body: handler, interrupts: { actor: 0, word: upcall } },
      ],
      strategy: 'pct',
      executions: 300,
    });
    expect(found.finding).toBeUndefined();
  });
});
