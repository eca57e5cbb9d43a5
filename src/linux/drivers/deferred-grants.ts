/**
 * Grants that were to end while the grantee still had them mapped: drivers/xen/grant-table.c,
 * gnttab_add_deferred() and gnttab_handle_deferred().
 *
 * The list holds the ref and a reference of the page, so that neither is used for anything else
 * before the grantee lets go. If the caller gave no page, a reference is taken here (XSA-396,
 * Linux 42baefac638f: without it the caller would reuse a page that is still mapped elsewhere).
 * A timer of one second runs over at most ten entries, each at most once a run.
 *
 * DeferredEntry.*    [GST]  fields belong to the list that holds the entry; Gnttab.lock protects
 *                           the links, and who took an entry off the list owns the rest
 * The lock is dropped for the attempt itself.
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf, pagesPerDomain } from '../../hardware/params.ts';
import { HZ } from '../../shared/clock.ts';
import { queueDelayedWork } from '../../shared/delayed-work.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, trace, warnOn, write } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { GrantEntry } from '../../xen/grant-table/entry.ts';
import { mfnToLocalPfn } from '../mm/p2m.ts';
import { getPage, putPage } from '../mm/page.ts';
import { TRACE_GRANT_DEFERRED, TRACE_GRANT_STILL_PENDING } from '../tracepoints.ts';
import { BUG_GRANT_LEAKED } from './bugs.ts';
import { Gnttab } from './free-refs.ts';
import { gnttabTryEndForeignAccess } from './grant-table.ts';
import { initListHead, listAddTail, listDel, listEmpty } from './list.ts';
import { WORK_DEFERRED_GRANTS } from './work-kinds.ts';

/** Module parameter free_per_iteration. */
const FREE_PER_ITERATION = 10;
/** Tries until "still pending" is said. */
export const WARN_DELAY = 60;

export const DeferredEntry = defineTable(
  'linux[d%].deferred_entry[%]',
  ['domains', 'deferredEntries'],
  {
    next: '[GST] deferred list: next entry',
    prev: '[GST] deferred list: previous entry',
    ref: '[GST] the grant to end',
    page: '[GST] the page that a reference is held of',
    warnDelay: '[GST] tries left until a message',
  },
);

export const DeferredBitmap = defineTable(
  'linux[d%].deferred_bitmap[%]',
  ['domains', 'deferredBitmapWords'],
  {
    value: '[GST] deferred entries in use (kmalloc)',
  },
);

/** Empties the list at boot. @param d - domain. */
export function initDeferredGrants(d: number): void {
  initListHead(Gnttab.deferredNext.at(d));
}

function entryOfNode(d: number, node: number): number {
  return ((node - DeferredEntry.next.at2(d, 0)) / DeferredEntry.next.stride) | 0;
}

/** del_timer-less add_timer(): a timer that is pending stays as it is. */
export function* armTimer(d: number): Op<void> {
  yield* queueDelayedWork(d, WORK_DEFERRED_GRANTS, d, HZ);
}

/**
 * drivers/xen/grant-table.c: gnttab_add_deferred()
 * @param v - vCPU of the granting domain. @param ref - the grant. @param pg - page whose reference
 *   passes to the list, or NONE.
 */
export function* gnttabAddDeferred(v: number, ref: number, pg: number): Op<void> {
  const d = domainOf(v);
  const entry = yield* slabAlloc(DeferredBitmap.value.at2(d, 0), DeferredEntry.ref.count);
  warnOn(entry < 0, BUG_GRANT_LEAKED, d, ref);
  let page = pg;
  if (page < 0) {
    const mfn = yield* readOnce(GrantEntry.frame.at2(d, ref));
    page = d * pagesPerDomain() + (yield* mfnToLocalPfn(d, mfn));
    yield* getPage(page);
  }
  if (entry < 0) return;
  yield* write(DeferredEntry.ref.at2(d, entry), ref);
  yield* write(DeferredEntry.page.at2(d, entry), page);
  yield* write(DeferredEntry.warnDelay.at2(d, entry), WARN_DELAY);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Gnttab.lock.at(d));
  yield* listAddTail(DeferredEntry.next.at2(d, entry), Gnttab.deferredNext.at(d));
  yield* armTimer(d);
  yield* spinUnlock(Gnttab.lock.at(d));
  yield* localIrqRestore(v, flags);
  trace(TRACE_GRANT_DEFERRED, d, ref, 0);
}

/**
 * One attempt at an entry that is off the list.
 * @returns 1 if it is done and freed.
 */
function* tryDeferred(v: number, entry: number): Op {
  const d = domainOf(v);
  const ref = yield* read(DeferredEntry.ref.at2(d, entry));
  if ((yield* gnttabTryEndForeignAccess(v, ref)) !== 0) {
    const page = yield* read(DeferredEntry.page.at2(d, entry));
    yield* putPage(v, page);
    yield* slabFree(DeferredBitmap.value.at2(d, 0), entry);
    return 1;
  }
  const left = (yield* read(DeferredEntry.warnDelay.at2(d, entry))) - 1;
  yield* write(DeferredEntry.warnDelay.at2(d, entry), left);
  if (left === 0) trace(TRACE_GRANT_STILL_PENDING, d, ref, 0);
  return 0;
}

/**
 * drivers/xen/grant-table.c: gnttab_handle_deferred(), the timer.
 * @param v - vCPU of the domain's kernel thread.
 */
export function* gnttabHandleDeferred(v: number): Op<void> {
  const d = domainOf(v);
  const head = Gnttab.deferredNext.at(d);
  let first = -1;
  let flags = yield* localIrqSave(v);
  yield* spinLock(Gnttab.lock.at(d));
  for (let tries = 0; tries < FREE_PER_ITERATION; tries++) {
    const node = yield* read(head);
    if (node === head || node === first) break;
    yield* listDel(node);
    yield* spinUnlock(Gnttab.lock.at(d));
    yield* localIrqRestore(v, flags);
    const done = yield* tryDeferred(v, entryOfNode(d, node));
    if (done === 0 && first < 0) first = node;
    flags = yield* localIrqSave(v);
    yield* spinLock(Gnttab.lock.at(d));
    if (done === 0) yield* listAddTail(node, head);
  }
  if ((yield* listEmpty(head)) === 0) yield* armTimer(d);
  yield* spinUnlock(Gnttab.lock.at(d));
  yield* localIrqRestore(v, flags);
}
