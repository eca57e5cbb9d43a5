/**
 * Unmapping grants only when nobody uses their pages: drivers/xen/grant-table.c,
 * gnttab_unmap_refs_async() and gnttab_unmap_refs_sync() (3f9f1c67572f, 745282256c75).
 *
 *   1. age = 0.
 *   2. look at every page's count; one above 1: sleep 5 ms * (age + 1), age + 1, again.
 *   3. gnttab_unmap_refs(). 4. result and completion.
 * Steps 2 and 3 are not one: a reference taken between them is not seen. Safety rests on nobody
 * being able to get a *new* reference; it is the caller's duty to see to that before.
 *
 * The next try is work of system_wq, which runs on the CPU that queued it (kernel/workqueue.c:
 * queue_delayed_work() arms the timer there, and the workers of its pool are bound). The owner of
 * the item sleeps on that vCPU, so the vCPU itself makes the try when its time has come.
 *
 * A try that finds a page in use changes nothing but the age, and an idle vCPU would make one after
 * another for ever. Here it waits until the page that it found in use is idle: the tries that are
 * left out would have found it in use again. Then it looks at all pages anew, for the page may
 * have been taken since, or another one may be in use; each such try counts.
 *
 * UnmapItem.* is struct gntab_unmap_queue_data, one for each vCPU, as it lies on the stack of the
 * task that sleeps there, and points at arrays of the caller. UnmapOp and UnmapPage are arrays for
 * callers without any. Only that vCPU touches them. Today's gntdev does not wait: it has a record
 * in each map (gntdev/today/unmap-data.ts).
 */
import { advanceClockTo, jiffies } from '../../shared/clock.ts';
import { complete, waitForCompletion } from '../../shared/completion.ts';
import type { Op } from '../../shared/op.ts';
import { awaitEqual, readLocal, trace, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { NO_PAGE, Page, pageCount } from '../mm/page.ts';
import { TRACE_UNMAP_BUSY } from '../tracepoints.ts';
import { gnttabUnmapRefs } from './map-refs.ts';

/** GNTTAB_UNMAP_REFS_DELAY, in jiffies of a millisecond. */
export const GNTTAB_UNMAP_REFS_DELAY = 5;
/** UINT_MAX of the model: where the age saturates. */
export const AGE_MAX = 0xffff;

export const UnmapItem = defineTable(
  '%v.unmap_item',
  ['vcpus'],
  {
    completion: '[VCPU] counts what is done; awaited by the owner',
    age: '[VCPU] tries so far',
    busy: '[VCPU] page that was in use at the last try, NO_PAGE if none was',
    due: '[VCPU] jiffies of the next try, if a page was in use',
    count: '[VCPU] grants of the batch',
    unmapOps: '[VCPU] word of the unmap operations',
    kunmapOps: '[VCPU] word of those of the kernel mappings, 0 without',
    pages: '[VCPU] word of the pages',
    result: '[VCPU] what gnttab_unmap_refs() returned',
  },
  { lineAligned: true },
);

export const UnmapOp = defineTable('%v.unmap_item.unmap_ops[%]', ['vcpus', 'mapPages'], {
  hostAddr: '[GST] word of a PTE, or vpn',
  devBusAddr: '[GST] 0',
  handle: '[GST] of the mapping',
  status: '[XEN] GNTST_*',
});

export const UnmapPage = defineTable('%v.unmap_item.pages[%]', ['vcpus', 'mapPages'], {
  value: '[GST] page the grant is mapped over',
});

/**
 * Fills the item of a vCPU.
 * @param unmapOps - word of records of UNMAP_WORDS. @param kunmapOps - the same for the kernel
 *   mappings, or 0. @param pages - word of the pages. @param count - grants.
 */
export function setUnmapItem(
  v: number,
  unmapOps: number,
  kunmapOps: number,
  pages: number,
  count: number,
): void {
  writeLocal(UnmapItem.unmapOps.at(v), unmapOps);
  writeLocal(UnmapItem.kunmapOps.at(v), kunmapOps);
  writeLocal(UnmapItem.pages.at(v), pages);
  writeLocal(UnmapItem.count.at(v), count);
}

/**
 * The look at the pages of __gnttab_unmap_refs_async().
 * @param pages - word of the pages. @returns the first that is in use, or NO_PAGE.
 */
export function* firstBusyPage(pages: number, count: number): Op {
  for (let i = 0; i < count; i++) {
    const pg = readLocal(pages + i);
    if ((yield* pageCount(pg)) > 1) return pg;
  }
  return NO_PAGE;
}

/** Waits until a page that was in use is idle. */
export function* awaitIdlePage(pg: number): Op<void> {
  yield* awaitEqual(Page.refcount.at(pg), ~1, 0);
}

/** drivers/xen/grant-table.c: __gnttab_unmap_refs_async() */
function* tryUnmap(v: number): Op<void> {
  const count = readLocal(UnmapItem.count.at(v));
  const pages = readLocal(UnmapItem.pages.at(v));
  const busy = yield* firstBusyPage(pages, count);
  writeLocal(UnmapItem.busy.at(v), busy);
  if (busy !== NO_PAGE) {
    const age = readLocal(UnmapItem.age.at(v));
    const delay = GNTTAB_UNMAP_REFS_DELAY * (age + 1);
    trace(TRACE_UNMAP_BUSY, v, delay, age);
    writeLocal(UnmapItem.due.at(v), ((yield* jiffies()) + delay) | 0);
    return;
  }
  const unmapOps = readLocal(UnmapItem.unmapOps.at(v));
  const kunmapOps = readLocal(UnmapItem.kunmapOps.at(v));
  const result = yield* gnttabUnmapRefs(v, unmapOps, kunmapOps, pages, count);
  writeLocal(UnmapItem.result.at(v), result);
  yield* complete(UnmapItem.completion.at(v));
}

/** drivers/xen/grant-table.c: gnttab_unmap_work() */
function* gnttabUnmapWork(v: number): Op<void> {
  const age = readLocal(UnmapItem.age.at(v));
  if (age < AGE_MAX) writeLocal(UnmapItem.age.at(v), age + 1);
  yield* tryUnmap(v);
}

/** drivers/xen/grant-table.c: gnttab_unmap_refs_async() */
function* gnttabUnmapRefsAsync(v: number): Op<void> {
  writeLocal(UnmapItem.age.at(v), 0);
  yield* tryUnmap(v);
}

/** The vCPU is idle until its delayed work is due and can come to something: `busy` is idle. */
function* idleUntilDue(v: number): Op<void> {
  yield* awaitIdlePage(readLocal(UnmapItem.busy.at(v)));
  yield* advanceClockTo(readLocal(UnmapItem.due.at(v)));
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_refs_sync(). Sleeps until every page is idle.
 * @param v - vCPU that asks, whose item is filled.
 * @returns what gnttab_unmap_refs() returned.
 */
export function* gnttabUnmapRefsSync(v: number): Op {
  yield* gnttabUnmapRefsAsync(v);
  while (readLocal(UnmapItem.busy.at(v)) !== NO_PAGE) {
    yield* idleUntilDue(v);
    yield* gnttabUnmapWork(v);
  }
  yield* waitForCompletion(UnmapItem.completion.at(v));
  return readLocal(UnmapItem.result.at(v));
}
