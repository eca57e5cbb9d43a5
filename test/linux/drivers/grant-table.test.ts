/**
 * Goal: a grant that was ended successfully is not mapped and cannot be mapped any more, and one
 * that is mapped cannot be ended; a published entry is complete.
 * Method: the granter and a mapper under the explorer; what each was told is compared at the end.
 */
import { describe, expect, test } from 'vitest';
import {
  gnttabEndForeignAccess,
  gnttabEndForeignAccessRef,
  gnttabGrantForeignAccessRef,
  gnttabQueryForeignAccess,
} from '../../../src/linux/drivers/grant-table.ts';
import { Gnttab, GnttabList } from '../../../src/linux/drivers/free-refs.ts';
import { gnttabSetMapOp } from '../../../src/linux/drivers/map-refs.ts';
import { PageInfo } from '../../../src/xen/page-info.ts';
import { kernelBase } from '../../../src/hardware/params.ts';
import { P2m } from '../../../src/linux/mm/p2m.ts';
import { Page, pfnOf } from '../../../src/linux/mm/page.ts';
import { balloonInflate } from '../../../src/linux/drivers/balloon.ts';
import { allocBalloonedPages } from '../../../src/linux/drivers/balloon.ts';
import type { Op } from '../../../src/shared/op.ts';
import { SoloEngine } from '../../../src/shared/engine.ts';
import { SMP_WMB, WRITE } from '../../../src/shared/kinds.ts';
import { finish, installEngine, runAlone } from '../../../src/shared/operations.ts';
import { ActiveEntry } from '../../../src/xen/grant-table/active.ts';
import { GrantEntry } from '../../../src/xen/grant-table/entry.ts';
import { gnttabMapGrantRef } from '../../../src/xen/grant-table/map.ts';
import {
  GNTMAP_host_map,
  GTF_permit_access,
  MAP_STATUS,
} from '../../../src/xen/public/grant-table.ts';
import {
  GRANTER,
  GRANTER_TASK,
  MAPPER,
  TASK,
  bootGuests,
  explore,
  grantPage,
  must,
  now,
  result,
} from './guests.ts';

/** The mapper's kernel maps a grant at the address of a ballooned page. */
function* mapKernel(page: number, ref: number): Op {
  gnttabSetMapOp(result(8), kernelBase() + pfnOf(page), GNTMAP_host_map, ref, GRANTER);
  return yield* gnttabMapGrantRef(TASK, result(8), 1);
}

function balloonedPage(): number {
  must(runAlone(balloonInflate(TASK, 1)));
  must(runAlone(allocBalloonedPages(TASK, 1, result(40))));
  return now(result(40));
}

const mapped = (): boolean => now(result(8) + MAP_STATUS) === 0;

describe('granting', () => {
  test('a published entry names domain, frame and rights', () => {
    bootGuests();
    const { page, ref } = grantPage(1);
    expect(now(GrantEntry.frame.at2(GRANTER, ref))).toBe(now(P2m.value.at(page)));
    expect(now(GrantEntry.hdr.at2(GRANTER, ref)) >>> 16).toBe(MAPPER);
    expect(now(GrantEntry.hdr.at2(GRANTER, ref)) & 3).toBe(GTF_permit_access);
  });

  test('an entry gets domain, frame, a write barrier, and then its flags', () => {
    bootGuests();
    const { page, ref } = grantPage();
    const steps: string[] = [];
    const hdr = GrantEntry.hdr.at2(GRANTER, ref);
    class Recorder extends SoloEngine {
      override begin(kind: number, word: number, a: number, b: number, c: number): boolean {
        if (kind === SMP_WMB) steps.push('wmb');
        if (word === hdr && kind === WRITE) steps.push((a & 0xffff) === 0 ? 'domid' : 'flags');
        if (word === hdr + 1 && kind === WRITE) steps.push('frame');
        return super.begin(kind, word, a, b, c);
      }
    }
    const before = installEngine(new Recorder());
    finish(gnttabGrantForeignAccessRef(GRANTER_TASK, ref, MAPPER, pfnOf(page), 0));
    installEngine(before);
    expect(steps).toEqual(['domid', 'frame', 'wmb', 'flags']);
  });

  test.each(['sc', 'tso'] as const)('an entry is mapped whole or not at all under %s', (memory) => {
    const machine = bootGuests();
    const { page, ref } = grantPage();
    const other = grantPage();
    const ballooned = balloonedPage();
    const republish = function* (): Op<void> {
      yield* gnttabEndForeignAccessRef(GRANTER_TASK, ref);
      yield* gnttabGrantForeignAccessRef(GRANTER_TASK, ref, MAPPER, pfnOf(other.page), 0);
    };
    must(runAlone(gnttabEndForeignAccessRef(GRANTER_TASK, ref)));
    const found = explore(
      machine,
      [
        { name: 'granter', v: GRANTER_TASK, body: republish },
        { name: 'mapper', v: TASK, body: () => mapKernel(ballooned, ref) },
      ],
      {
        memory,
        strategy: 'pct',
        executions: 400,
        final: () => {
          const mfn = now(ActiveEntry.mfn.at2(GRANTER, ref));
          const stale = mapped() && mfn === now(P2m.value.at(page));
          return stale ? 'entry: the frame of the last grant was mapped' : null;
        },
      },
    );
    expect(found.finding).toBeUndefined();
  });
});

describe('ending a grant', () => {
  test.each(['sc', 'tso'] as const)('excludes mapping it under %s', (memory) => {
    const machine = bootGuests();
    const { ref } = grantPage();
    const ballooned = balloonedPage();
    let ended = 0;
    const revoke = function* (): Op<void> {
      ended = yield* gnttabEndForeignAccessRef(GRANTER_TASK, ref);
    };
    const seen = new Set<string>();
    const found = explore(
      machine,
      [
        { name: 'granter', v: GRANTER_TASK, body: revoke },
        { name: 'mapper', v: TASK, body: () => mapKernel(ballooned, ref) },
      ],
      {
        memory,
        strategy: 'pct',
        executions: 400,
        final: () => {
          seen.add(`${ended} ${mapped()}`);
          return (ended === 1) === mapped() ? `revoke: ended ${ended}, mapped ${mapped()}` : null;
        },
      },
    );
    expect(found.finding).toBeUndefined();
    expect(seen).toEqual(new Set(['1 false', '0 true']));
  });

  test('frees ref and page at once if nobody has it mapped', () => {
    bootGuests();
    const { page, ref } = grantPage();
    const free = now(Gnttab.freeCount.at(GRANTER)) + 1;
    expect(runAlone(gnttabQueryForeignAccess(GRANTER_TASK, ref))).toBe(0);
    runAlone(gnttabEndForeignAccess(GRANTER_TASK, ref, page));
    expect(now(Gnttab.freeCount.at(GRANTER))).toBe(free);
    expect(now(Gnttab.freeHead.at(GRANTER))).toBe(ref);
    expect(now(GnttabList.next.at2(GRANTER, ref))).toBe(ref + 1);
    expect(now(Page.refcount.at(page))).toBe(0);
    expect(now(PageInfo.owner.at(now(P2m.value.at(page))))).toBe(GRANTER);
  });
});
