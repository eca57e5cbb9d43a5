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
 * UnmapItem.* and its arrays are struct gntab_unmap_queue_data. The caller fills them; from
 * gnttabUnmapRefsAsync() until the completion they belong to the item (the caller, then the kernel
 * thread; the work queue's lock hands them over). Item v belongs to vCPU v, as the stack of a task
 * that waits; the others are a pool for drivers that do not wait.
 */
import { domainOf, vcpuCount } from '../../hardware/params.ts';
import { complete, waitForCompletion } from '../../shared/completion.ts';
import { queueDelayedWork } from '../../shared/delayed-work.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, trace, writeLocal } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { pageCount } from '../mm/page.ts';
import { TRACE_UNMAP_BUSY } from '../tracepoints.ts';
import { gnttabUnmapRefs } from './map-refs.ts';
import { WORK_UNMAP_REFS } from './work-kinds.ts';

/** GNTTAB_UNMAP_REFS_DELAY, in jiffies of a millisecond. */
export const GNTTAB_UNMAP_REFS_DELAY = 5;
/** UINT_MAX of the model: where the age saturates. */
const AGE_MAX = 0xffff;

export const UnmapItem = defineTable(
  'unmap_item[%]',
  ['unmapItems'],
  {
    completion: '[GST] counts what is done; awaited by the owner',
    age: '[GST] tries so far',
    count: '[GST] grants of the batch',
    kernel: '[GST] 1 if kunmap_ops is given',
    result: '[GST] what gnttab_unmap_refs() returned',
  },
  { lineAligned: true },
);

export const UnmapOp = defineTable('unmap_item[%].unmap_ops[%]', ['unmapItems', 'mapPages'], {
  hostAddr: '[GST] word of a PTE, or vpn',
  devBusAddr: '[GST] 0',
  handle: '[GST] of the mapping',
  status: '[XEN] GNTST_*',
});

export const KunmapOp = defineTable('unmap_item[%].kunmap_ops[%]', ['unmapItems', 'mapPages'], {
  hostAddr: '[GST] vpn of the kernel mapping',
  devBusAddr: '[GST] 0',
  handle: '[GST] of the mapping',
  status: '[XEN] GNTST_*',
});

export const UnmapPage = defineTable('unmap_item[%].pages[%]', ['unmapItems', 'mapPages'], {
  value: '[GST] page the grant is mapped over',
});

export const UnmapItemBitmap = defineTable('unmap_item_bitmap[%]', ['unmapItemWords'], {
  value: '[GST] items of the pool in use (kmalloc)',
});

/** @returns an item of the pool, or -1. */
export function* unmapItemAlloc(): Op {
  const first = vcpuCount();
  const slot = yield* slabAlloc(UnmapItemBitmap.value.word, UnmapItem.count.count - first);
  return slot < 0 ? -1 : first + slot;
}

/** @param item - what unmapItemAlloc gave, completed. */
export function* unmapItemFree(item: number): Op<void> {
  yield* slabFree(UnmapItemBitmap.value.word, item - vcpuCount());
}

/** drivers/xen/grant-table.c: __gnttab_unmap_refs_async() */
function* tryUnmap(v: number, item: number): Op<void> {
  const count = readLocal(UnmapItem.count.at(item));
  const pages = UnmapPage.value.at2(item, 0);
  for (let i = 0; i < count; i++) {
    if ((yield* pageCount(readLocal(pages + i))) > 1) {
      const age = readLocal(UnmapItem.age.at(item));
      const delay = GNTTAB_UNMAP_REFS_DELAY * (age + 1);
      trace(TRACE_UNMAP_BUSY, item, delay, age);
      yield* queueDelayedWork(domainOf(v), WORK_UNMAP_REFS, item, delay);
      return;
    }
  }
  const kernel = readLocal(UnmapItem.kernel.at(item));
  const kunmapOps = kernel === 0 ? 0 : KunmapOp.hostAddr.at2(item, 0);
  const unmapOps = UnmapOp.hostAddr.at2(item, 0);
  const result = yield* gnttabUnmapRefs(v, unmapOps, kunmapOps, pages, count);
  writeLocal(UnmapItem.result.at(item), result);
  yield* complete(UnmapItem.completion.at(item));
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_work(), made by the domain's kernel thread.
 * @param v - its vCPU. @param item - the item.
 */
export function* gnttabUnmapWork(v: number, item: number): Op<void> {
  const age = readLocal(UnmapItem.age.at(item));
  if (age < AGE_MAX) writeLocal(UnmapItem.age.at(item), age + 1);
  yield* tryUnmap(v, item);
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_refs_async(). UnmapItem.completion counts up when done.
 * @param v - vCPU that asks. @param item - filled item.
 */
export function* gnttabUnmapRefsAsync(v: number, item: number): Op<void> {
  writeLocal(UnmapItem.age.at(item), 0);
  yield* tryUnmap(v, item);
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_refs_sync(). Sleeps until every page is idle: not for
 * the domain's kernel thread, which would wait for itself.
 * @returns what gnttab_unmap_refs() returned.
 */
export function* gnttabUnmapRefsSync(v: number, item: number): Op {
  yield* gnttabUnmapRefsAsync(v, item);
  yield* waitForCompletion(UnmapItem.completion.at(item));
  return readLocal(UnmapItem.result.at(item));
}
