/**
 * The guest's free grant references: drivers/xen/grant-table.c, get_free_entries() and
 * put_free_entry().
 *
 * Gnttab.lock      spinlock taken with upcalls masked (gnttab_list_lock): it protects the free
 *                  list, the count, and the list of deferred grants (deferred-grants.ts)
 * GnttabList.next  the next free ref, GNTTAB_LIST_END for the last one and for refs in use
 *
 * The first GNTTAB_NR_RESERVED_ENTRIES refs belong to the toolstack and are never handed out. The
 * table has one frame at first; when no ref is left it grows by one, under the lock.
 * Not modelled: free callbacks.
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { gnttabSetupTable } from '../../xen/grant-table/setup.ts';
import { gnttabPerFrame } from '../../xen/params.ts';
import {
  GNTTAB_NR_RESERVED_ENTRIES,
  SETUP_DOM,
  SETUP_FRAME_LIST,
  SETUP_NR_FRAMES,
  SETUP_STATUS,
} from '../../xen/public/grant-table.ts';
import { DOMID_SELF } from '../../xen/public/xen.ts';
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
    nrFrames: '[GST] nr_grant_frames',
    deferredNext: '[GST] head of the deferred list: first entry',
    deferredPrev: '[GST] head of the deferred list: last entry',
  },
  { lineAligned: true },
);

export const GnttabList = defineTable('linux[d%].gnttab_list[%]', ['domains', 'gnttabEntries'], {
  next: '[GST] gnttab_list: next free ref',
});

/** struct gnttab_setup_table of the call that grows the table. */
export const GnttabSetup = defineTable('linux[d%].setup_table', ['domains'], {
  dom: '[GST] DOMID_SELF',
  nrFrames: '[GST] frames wanted',
  frameList: '[GST] word of the list of frames',
  status: '[XEN] GNTST_*',
});

export const GnttabFrame = defineTable('linux[d%].grant_frame[%]', ['domains', 'gnttabFrames'], {
  value: '[XEN] frame of the shared table',
});

/** gnttab_init(): nothing is set up; the first ref brings the first frame. @param d - domain. */
export function initFreeRefs(d: number): void {
  writeLocal(Gnttab.freeHead.at(d), GNTTAB_LIST_END);
  writeLocal(Gnttab.freeCount.at(d), 0);
  writeLocal(Gnttab.nrFrames.at(d), 0);
}

/** gnttab_map(): asks Xen for more frames. @returns 1 if there are so many now. */
function* setupTable(v: number, frames: number): Op {
  const d = domainOf(v);
  const op = GnttabSetup.dom.at(d);
  writeLocal(op + SETUP_DOM, DOMID_SELF);
  writeLocal(op + SETUP_NR_FRAMES, frames);
  writeLocal(op + SETUP_FRAME_LIST, GnttabFrame.value.at2(d, 0));
  if ((yield* gnttabSetupTable(v, op)) !== 0) return 0;
  return (yield* read(op + SETUP_STATUS)) === 0 ? 1 : 0;
}

/** grow_gnttab_list(): the refs of one more frame. The caller holds the lock. */
function* growList(d: number, from: number, to: number): Op<void> {
  const first = Math.max(from, GNTTAB_NR_RESERVED_ENTRIES);
  if (first >= to) return;
  for (let ref = first; ref < to - 1; ref++) {
    yield* write(GnttabList.next.at2(d, ref), ref + 1);
  }
  yield* write(GnttabList.next.at2(d, to - 1), yield* read(Gnttab.freeHead.at(d)));
  yield* write(Gnttab.freeHead.at(d), first);
  const count = yield* read(Gnttab.freeCount.at(d));
  yield* write(Gnttab.freeCount.at(d), count + to - first);
}

/**
 * drivers/xen/grant-table.c: gnttab_expand(), by one frame. The caller holds the lock.
 * @returns 1, or 0 if the table has its largest size.
 */
function* gnttabExpand(v: number): Op {
  const d = domainOf(v);
  const frames = yield* read(Gnttab.nrFrames.at(d));
  if (frames >= GnttabFrame.value.count) return 0;
  if ((yield* setupTable(v, frames + 1)) === 0) return 0;
  yield* write(Gnttab.nrFrames.at(d), frames + 1);
  yield* growList(d, frames * gnttabPerFrame(), (frames + 1) * gnttabPerFrame());
  return 1;
}

/**
 * drivers/xen/grant-table.c: get_free_entries(), of one entry
 * @param v - vCPU that asks.
 * @returns a ref that nobody else has, or -ENOSPC when the table cannot grow.
 */
export function* getFreeEntry(v: number): Op {
  const d = domainOf(v);
  const flags = yield* localIrqSave(v);
  yield* spinLock(Gnttab.lock.at(d));
  let ref = -ENOSPC;
  let count = yield* read(Gnttab.freeCount.at(d));
  while (count === 0 && (yield* gnttabExpand(v)) !== 0) count = yield* read(Gnttab.freeCount.at(d));
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
