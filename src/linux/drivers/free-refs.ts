/**
 * The guest's free grant references: drivers/xen/grant-table.c, get_free_entries() and
 * put_free_entry().
 *
 * Gnttab.lock      spinlock taken with upcalls masked (gnttab_list_lock): it protects the free
 *                  list, the count, and the list of deferred grants (deferred-grants.ts)
 * GnttabList.next  the next free ref, GNTTAB_LIST_END for the last one and for refs in use
 *
 * The first GNTTAB_NR_RESERVED_ENTRIES refs belong to the toolstack and are never handed out.
 * Not modelled: growing the table (the refs of all frames are there from boot), free callbacks.
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { GNTTAB_NR_RESERVED_ENTRIES } from '../../xen/public/grant-table.ts';
import { ENOSPC } from '../errno.ts';
import { BUG_FREE_REF } from './bugs.ts';

/** GNTTAB_LIST_END */
export const GNTTAB_LIST_END = -1;

export const Gnttab = defineTable(
  'linux[d%].gnttab',
  ['domains'],
  {
    lock: '[GST] spinlock, upcalls masked: gnttab_list_lock',
    freeHead: '[GST] gnttab_free_head: first free ref',
    freeCount: '[GST] gnttab_free_count',
    deferredNext: '[GST] head of the deferred list: first entry',
    deferredPrev: '[GST] head of the deferred list: last entry',
  },
  { lineAligned: true },
);

export const GnttabList = defineTable('linux[d%].gnttab_list[%]', ['domains', 'gnttabEntries'], {
  next: '[GST] gnttab_list: next free ref',
});

/** gnttab_init(): all refs but the reserved ones are free, in order. @param d - domain. */
export function initFreeRefs(d: number): void {
  const count = GnttabList.next.count;
  for (let ref = 0; ref < count; ref++) {
    const last = ref < GNTTAB_NR_RESERVED_ENTRIES || ref === count - 1;
    writeLocal(GnttabList.next.at2(d, ref), last ? GNTTAB_LIST_END : ref + 1);
  }
  const some = count > GNTTAB_NR_RESERVED_ENTRIES;
  writeLocal(Gnttab.freeHead.at(d), some ? GNTTAB_NR_RESERVED_ENTRIES : GNTTAB_LIST_END);
  writeLocal(Gnttab.freeCount.at(d), some ? count - GNTTAB_NR_RESERVED_ENTRIES : 0);
}

/**
 * drivers/xen/grant-table.c: get_free_entries(), of one entry
 * @param v - vCPU that asks.
 * @returns a ref that nobody else has, or -ENOSPC.
 */
export function* getFreeEntry(v: number): Op {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Gnttab.lock.at(d));
  const count = yield* read(Gnttab.freeCount.at(d));
  let ref = -ENOSPC;
  if (count > 0) {
    ref = yield* read(Gnttab.freeHead.at(d));
    const next = yield* read(GnttabList.next.at2(d, ref));
    yield* write(Gnttab.freeHead.at(d), next);
    yield* write(GnttabList.next.at2(d, ref), GNTTAB_LIST_END);
    yield* write(Gnttab.freeCount.at(d), count - 1);
  }
  yield* spinUnlock(Gnttab.lock.at(d));
  yield* localIrqRestore(v, flags);
  return ref;
}

/**
 * drivers/xen/grant-table.c: put_free_entry()
 * @param v - vCPU that frees. @param ref - one that getFreeEntry gave and nobody uses.
 */
export function* putFreeEntry(v: number, ref: number): Op<void> {
  const d = domainOf(v);
  warnOn(ref < GNTTAB_NR_RESERVED_ENTRIES, BUG_FREE_REF, d, ref);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Gnttab.lock.at(d));
  const head = yield* read(Gnttab.freeHead.at(d));
  yield* write(GnttabList.next.at2(d, ref), head);
  yield* write(Gnttab.freeHead.at(d), ref);
  const count = yield* read(Gnttab.freeCount.at(d));
  yield* write(Gnttab.freeCount.at(d), count + 1);
  yield* spinUnlock(Gnttab.lock.at(d));
  yield* localIrqRestore(v, flags);
}
