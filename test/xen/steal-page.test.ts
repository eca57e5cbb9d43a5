/**
 * Goal: a page is stolen only from its owner and only when nobody else refers to it, and whoever
 * gets a reference meanwhile finds an owner (XSA-287).
 * Method: a table of refusals; exhaustive races with references, with the page's departure and with
 * a second thief.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Op } from '../../src/shared/op.ts';
import { runAlone, writeLocal } from '../../src/shared/operations.ts';
import { Domain } from '../../src/xen/domain.ts';
import { getPage, putPage } from '../../src/xen/frame-table.ts';
import { decreaseReservation } from '../../src/xen/memory.ts';
import { NO_OWNER, PGT_writable_page, PageInfo } from '../../src/xen/page-info.ts';
import { getPageType, putPageType } from '../../src/xen/page-type.ts';
import { XEN_EINVAL } from '../../src/xen/public/xen.ts';
import { stealPage } from '../../src/xen/steal-page.ts';
import { GRANTER, GuestWord, MAPPER, bootMachine, dataFrame, explore, now } from './machine.ts';
import type { XenMachine } from './machine.ts';

let m: XenMachine;
let mfn: number;
beforeEach(() => boot());

function boot(running: number[] = []): void {
  m = bootMachine({}, running);
  mfn = dataFrame(GRANTER);
}

const ownerOf = (): number => now(PageInfo.owner.at(mfn));
const countOf = (): number => now(PageInfo.countInfo.at(mfn));

describe('stealing a page', () => {
  test('leaves it with no owner, no count and no type, and out of its owner’s total', () => {
    const total = now(Domain.totPages.at(GRANTER));
    runAlone(getPageType(0, mfn, PGT_writable_page));
    runAlone(putPageType(0, mfn));
    expect(runAlone(stealPage(0, GRANTER, mfn))).toBe(0);
    expect([ownerOf(), countOf(), now(PageInfo.typeInfo.at(mfn))]).toEqual([NO_OWNER, 0, 0]);
    expect(now(Domain.totPages.at(GRANTER))).toBe(total - 1);
  });

  test('is refused while others refer to it, to strangers, and of free pages', () => {
    const before = countOf();
    expect(runAlone(stealPage(2, MAPPER, mfn))).toBe(-XEN_EINVAL);
    runAlone(getPage(0, mfn, GRANTER));
    expect(runAlone(stealPage(0, GRANTER, mfn))).toBe(-XEN_EINVAL);
    runAlone(putPage(0, mfn));
    expect([ownerOf(), countOf()]).toEqual([GRANTER, before]);
    runAlone(decreaseReservation(0, mfn));
    expect(runAlone(stealPage(0, GRANTER, mfn))).toBe(-XEN_EINVAL);
  });

  test('of a dying domain’s last page takes the domain along', () => {
    for (let other = 1; other < 64; other++) {
      if (other !== mfn && now(PageInfo.owner.at(other)) === GRANTER) {
        writeLocal(PageInfo.owner.at(other), NO_OWNER);
      }
    }
    writeLocal(Domain.totPages.at(GRANTER), 1);
    writeLocal(Domain.isDying.at(GRANTER), 1);
    expect(runAlone(stealPage(2, GRANTER, mfn))).toBe(0);
    expect(now(Domain.inList.at(GRANTER))).toBe(0);
  });
});

/** Takes a reference, if there is one to get, and gives it back. */
function* refers(v: number): Op<void> {
  if ((yield* getPage(v, mfn, GRANTER)) !== 0) yield* putPage(v, mfn);
}

function* steals(v: number): Op<void> {
  const rc = yield* stealPage(v, GRANTER, mfn);
  if (rc === 0) writeLocal(GuestWord.value.at(v), 1);
}

describe.each(['sc', 'tso'] as const)('a thief under %s', (memory) => {
  function run(actors: Parameters<typeof explore>[1], thieves: number): void {
    const result = explore(m, actors, {
      memory,
      strategy: 'optimal',
      executions: 40_000,
      final: () => {
        const stolen = now(GuestWord.value.at(0)) + now(GuestWord.value.at(1));
        if (stolen > thieves) return 'I2: stolen twice';
        if (stolen === 0) return null;
        return ownerOf() === NO_OWNER && countOf() === 0 ? null : 'I2: stolen and still owned';
      },
    });
    expect(result.finding).toBeUndefined();
    expect(result.exhausted).toBe(true);
  }

  test('races with somebody who refers to the page', () => {
    boot([0, 1]);
    run(
      [
        { name: 'thief', v: 0, body: () => steals(0) },
        { name: 'other', v: 1, body: () => refers(1) },
      ],
      1,
    );
  });

  test('races with a second thief', () => {
    boot([0, 1]);
    run(
      [
        { name: 'thief', v: 0, body: () => steals(0) },
        { name: 'rival', v: 1, body: () => steals(1) },
      ],
      1,
    );
  });
});
