/**
 * XSA-396: a driver that keeps its page ends access to a grant that is still mapped. The grant went
 * onto the deferred list without a reference of the page; the driver freed the page while the
 * backend had it.
 *
 * The function is that of Linux 5.16 (drivers/xen/grant-table.c: gnttab_add_deferred()).
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf, firstVcpuOf } from '../../hardware/params.ts';
import { BUG_GRANT_LEAKED } from '../../linux/drivers/bugs.ts';
import {
  DeferredBitmap,
  DeferredEntry,
  WARN_DELAY,
  armTimer,
  gnttabAddDeferred,
} from '../../linux/drivers/deferred-grants.ts';
import { Gnttab } from '../../linux/drivers/free-refs.ts';
import { gnttabEndForeignAccess } from '../../linux/drivers/grant-table.ts';
import { listAddTail } from '../../linux/drivers/list.ts';
import { NO_PAGE, putPage } from '../../linux/mm/page.ts';
import { TRACE_GRANT_DEFERRED } from '../../linux/tracepoints.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, trace, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { slabAlloc } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { GNTMAP_host_map } from '../../xen/public/grant-table.ts';
import { BACKEND, FRONTEND, RaceGrant, RacePage, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { mapGrant, reservePlaces, unmapGrant } from '../xen/hypercalls.ts';

/** Linux 5.16: the entry has the page that the caller gave, or none. */
export function* addDeferredWithoutPage(v: number, ref: number, pg: number): Op<void> {
  const d = domainOf(v);
  const entry = yield* slabAlloc(DeferredBitmap.value.at2(d, 0), DeferredEntry.ref.count);
  warnOn(entry < 0, BUG_GRANT_LEAKED, d, ref);
  if (entry < 0) return;
  yield* write(DeferredEntry.ref.at2(d, entry), ref);
  yield* write(DeferredEntry.page.at2(d, entry), pg);
  yield* write(DeferredEntry.warnDelay.at2(d, entry), WARN_DELAY);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Gnttab.lock.at(d));
  yield* listAddTail(DeferredEntry.next.at2(d, entry), Gnttab.deferredNext.at(d));
  yield* armTimer(d);
  yield* spinUnlock(Gnttab.lock.at(d));
  yield* localIrqRestore(v, flags);
  trace(TRACE_GRANT_DEFERRED, d, ref, 0);
}

function* arrange(): Op<void> {
  writeLocal(RacePage.value.at2(firstVcpuOf(FRONTEND), 0), yield* grantPage(0));
  yield* reservePlaces(1);
  yield* mapGrant(firstVcpuOf(BACKEND), 0, 0, GNTMAP_host_map);
}

function* endAndFree(): Op<void> {
  const v = firstVcpuOf(FRONTEND);
  yield* gnttabEndForeignAccess(v, readLocal(RaceGrant.ref.at(0)), NO_PAGE);
  yield* putPage(v, readLocal(RacePage.value.at2(v, 0)));
}

function* unmap(): Op<void> {
  yield* unmapGrant(firstVcpuOf(BACKEND), 0, 1, 0);
}

export const deferredWithoutPage: Race = {
  name: 'l21-deferred-without-page',
  about: 'A frontend ends access and frees its page while the backend unmaps it.',
  sources: ['XSA-396', 'CVE-2022-23041', 'drivers/xen/grant-table.c: gnttab_add_deferred()'],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'end access', vcpu: 3, body: endAndFree },
    { role: 'unmap', vcpu: 0, body: unmap },
  ],
  kernelThreads: [],
  bug: {
    id: 'L21',
    title: 'A grant that is still mapped is deferred without a reference of its page',
    story: [
      'The backend has the grant mapped.',
      'The frontend ends access and gives no page along, since it frees the page itself.',
      'The grant is in use: it goes onto the deferred list, which knows of no page.',
      'The call has no result. The frontend frees the page.',
      'The page is used for something else, and the backend still reaches it.',
    ],
    breaks: ['I4'],
    fix: 'Without a page from the caller the deferred entry takes a reference itself.',
    fixedIn: 'Linux 5.17, commit 42baefac638f',
    before: {
      design: 'vma-pages',
      overrides: [replaces(gnttabAddDeferred, addDeferredWithoutPage)],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
