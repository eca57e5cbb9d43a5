/**
 * Goal: pages of the pool have no frame, belong to one user at a time and come back; a frame that
 * left the domain is in nobody's TLB.
 * Method: random inflating, deflating, taking and returning against counts; takers, and a reader
 * with a warm TLB, under the explorer.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpuLoad } from '../../../src/hardware/access.ts';
import { PTE_PRESENT, PTE_RW, pteMfn, walkToPte } from '../../../src/hardware/paging.ts';
import { kernelBase } from '../../../src/hardware/params.ts';
import { REG_MFN, Vcpu, reg } from '../../../src/hardware/vcpu.ts';
import {
  Balloon,
  BalloonScratch,
  allocBalloonedPages,
  balloonDeflate,
  balloonInflate,
  freeBalloonedPages,
} from '../../../src/linux/drivers/balloon.ts';
import { M2P_OVERRIDE, VMA_PAGES } from '../../../src/linux/designs/design.ts';
import { INVALID_P2M_ENTRY, P2m } from '../../../src/linux/mm/p2m.ts';
import { Zone } from '../../../src/linux/mm/page-alloc.ts';
import { Page, pfnOf } from '../../../src/linux/mm/page.ts';
import type { Op } from '../../../src/shared/op.ts';
import { cpuRelax, runAlone, writeLocal } from '../../../src/shared/operations.ts';
import { Domain } from '../../../src/xen/domain.ts';
import { PageInfo } from '../../../src/xen/page-info.ts';
import { MAPPER, OTHER_TASK, TASK, bootGuests, explore, must, now, result } from './guests.ts';

/** The kernel's entry for a page. */
function kernelPte(page: number): number {
  return now(runAlone(walkToPte(TASK, now(Vcpu.cr3.at(TASK)), kernelBase() + pfnOf(page))));
}

function* take(v: number, count: number): Op<void> {
  yield* allocBalloonedPages(v, count, result(v * 4));
}

describe('the balloon', () => {
  test('a ballooned page has neither frame nor kernel mapping', () => {
    bootGuests({ design: VMA_PAGES });
    const frames = now(Domain.totPages.at(MAPPER));
    must(runAlone(allocBalloonedPages(TASK, 1, result(0))));
    const page = now(result(0));
    expect(now(P2m.value.at(page))).toBe(INVALID_P2M_ENTRY);
    expect(kernelPte(page)).toBe(0);
    expect(now(Page.refcount.at(page))).toBe(1);
    expect(now(Domain.totPages.at(MAPPER))).toBe(frames - 1);
  });

  test('with scratch pages it has a read-only mapping of one', () => {
    bootGuests({ design: M2P_OVERRIDE });
    must(runAlone(allocBalloonedPages(TASK, 1, result(0))));
    const page = now(result(0));
    const scratch = now(P2m.value.at(now(BalloonScratch.page.at(TASK))));
    expect(now(P2m.value.at(page))).toBe(scratch);
    expect(pteMfn(kernelPte(page))).toBe(scratch);
    expect(kernelPte(page) & (PTE_PRESENT | PTE_RW)).toBe(PTE_PRESENT);
  });

  test('pages and frames are conserved', () => {
    const commands = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 3 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(commands, fc.constantFrom(M2P_OVERRIDE, VMA_PAGES), (list, design) => {
        bootGuests({ design });
        const free = now(Zone.free.at(MAPPER));
        const frames = now(Domain.totPages.at(MAPPER));
        const held: number[] = [];
        for (const [command, count] of list) {
          if (command === 0) runAlone(balloonInflate(TASK, count));
          if (command === 1) runAlone(balloonDeflate(TASK, count));
          if (command === 2 && runAlone(allocBalloonedPages(TASK, count, result(0))) === 0) {
            for (let i = 0; i < count; i++) held.push(now(result(i)));
          }
          if (command === 3 && held.length > 0) {
            const page = held.shift() as number;
            writeLocal(result(10), page);
            runAlone(freeBalloonedPages(TASK, 1, result(10)));
          }
          const pool = now(Balloon.count.at(MAPPER)) + held.length;
          expect(now(Zone.free.at(MAPPER))).toBe(free - pool);
          expect(now(Domain.totPages.at(MAPPER))).toBe(frames - pool);
          expect(new Set(held).size).toBe(held.length);
        }
      }),
      { numRuns: 25 },
    );
  });

  test.each(['sc', 'tso'] as const)('two takers get different pages under %s', (memory) => {
    const machine = bootGuests();
    must(runAlone(balloonInflate(TASK, 3)));
    const found = explore(
      machine,
      [
        { name: 'a', v: TASK, body: () => take(TASK, 2) },
        { name: 'b', v: OTHER_TASK, body: () => take(OTHER_TASK, 2) },
      ],
      {
        memory,
        executions: 150,
        final: () => {
          const pages = [TASK, OTHER_TASK].flatMap((v) => [
            now(result(v * 4)),
            now(result(v * 4 + 1)),
          ]);
          return new Set(pages).size === 4 ? null : `balloon: handed out ${pages.join()}`;
        },
      },
    );
    expect(found.finding).toBeUndefined();
  });

  test('a frame goes when no TLB of the domain has it any more', () => {
    const machine = bootGuests();
    let stale = -1;
    const vpn = kernelBase() + 9;
    const reader = function* (): Op<void> {
      for (let i = 0; i < 3; i++) {
        const ok = (yield* cpuLoad(OTHER_TASK, vpn, 0)) === 0;
        const mfn = reg(OTHER_TASK, REG_MFN);
        if (ok && now(PageInfo.owner.at(mfn)) !== MAPPER) stale = mfn;
        yield* cpuRelax();
      }
    };
    const foreign = (): string | null => (stale < 0 ? null : `stale: frame ${stale} was read`);
    const found = explore(
      machine,
      [
        { name: 'balloon', v: TASK, body: () => balloonInflate(TASK, 2) },
        { name: 'reader', v: OTHER_TASK, body: reader },
      ],
      { strategy: 'pct', executions: 200, setup: () => (stale = -1), invariant: foreign },
    );
    expect(found.finding).toBeUndefined();
  });
});
