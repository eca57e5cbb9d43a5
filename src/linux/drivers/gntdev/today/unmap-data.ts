/**
 * The unmap that nobody waits for: drivers/xen/grant-table.c, gnttab_unmap_refs_async(), with the
 * record that each map of today's gntdev has embedded (struct gntdev_grant_map: unmap_data).
 *
 *   1. age = 0. 2. a page in use: delayed work after 5 ms * (age + 1), and the caller goes on.
 *   3. none: gnttab_unmap_refs(), __unmap_grant_pages_done().
 * From 1 to 3 the record belongs to the unmap (the caller, then the kernel thread). Nothing stops
 * gntdev from filling it while an earlier unmap is still on its way: the work then runs with the
 * new arrays. In life step 1 is INIT_DELAYED_WORK(), which for work that is still queued ruins a
 * timer list; here it stays queued once.
 *
 * A try that finds a page in use changes nothing but the age. As in unmap-async.ts, the next one
 * waits until that page is idle, and the tries between are left out.
 */
import { domainOf } from '../../../../hardware/params.ts';
import { queueDelayedWork } from '../../../../shared/delayed-work.ts';
import type { Op } from '../../../../shared/op.ts';
import { read, trace, write } from '../../../../shared/operations.ts';
import { defineTable } from '../../../../shared/table.ts';
import { NO_PAGE } from '../../../mm/page.ts';
import { TRACE_UNMAP_BUSY } from '../../../tracepoints.ts';
import { gnttabUnmapRefs } from '../../map-refs.ts';
import {
  AGE_MAX,
  GNTTAB_UNMAP_REFS_DELAY,
  awaitIdlePage,
  firstBusyPage,
} from '../../unmap-async.ts';
import { WORK_UNMAP_REFS } from '../../work-kinds.ts';
import { unmapGrantPagesDone } from './unmap.ts';

export const UnmapData = defineTable('grant_map[%].unmap_data', ['maps'], {
  unmapOps: '[GST] word of the unmap operations of a run',
  kunmapOps: '[GST] word of those of the kernel mappings',
  pages: '[GST] word of the pages',
  count: '[GST] grants of the run',
  age: '[GST] tries so far',
  busy: '[GST] page that was in use at the last try, NO_PAGE if none was',
});

/** drivers/xen/grant-table.c: __gnttab_unmap_refs_async() */
function* tryUnmap(v: number, map: number): Op<void> {
  const count = yield* read(UnmapData.count.at(map));
  const pages = yield* read(UnmapData.pages.at(map));
  const busy = yield* firstBusyPage(pages, count);
  yield* write(UnmapData.busy.at(map), busy);
  if (busy !== NO_PAGE) {
    const age = yield* read(UnmapData.age.at(map));
    const delay = GNTTAB_UNMAP_REFS_DELAY * (age + 1);
    trace(TRACE_UNMAP_BUSY, v, delay, age);
    yield* queueDelayedWork(domainOf(v), WORK_UNMAP_REFS, map, delay);
    return;
  }
  const unmapOps = yield* read(UnmapData.unmapOps.at(map));
  const kunmapOps = yield* read(UnmapData.kunmapOps.at(map));
  yield* gnttabUnmapRefs(v, unmapOps, kunmapOps, pages, count);
  yield* unmapGrantPagesDone(v, map);
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_work(), made by the domain's kernel thread.
 * @param v - its vCPU. @param map - whose unmap.
 */
export function* gnttabUnmapWork(v: number, map: number): Op<void> {
  const busy = yield* read(UnmapData.busy.at(map));
  if (busy !== NO_PAGE) yield* awaitIdlePage(busy);
  const age = yield* read(UnmapData.age.at(map));
  if (age < AGE_MAX) yield* write(UnmapData.age.at(map), age + 1);
  yield* tryUnmap(v, map);
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_refs_async(). __unmap_grant_pages_done() follows.
 * @param v - vCPU that asks. @param map - map whose record is filled.
 */
export function* gnttabUnmapRefsAsync(v: number, map: number): Op<void> {
  yield* write(UnmapData.age.at(map), 0);
  yield* tryUnmap(v, map);
}
