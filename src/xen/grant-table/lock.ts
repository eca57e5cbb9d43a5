/**
 * struct grant_table of a domain and its locks (xen/common/grant_table.c,
 * docs/misc/grant-tables.txt "Locking").
 *
 * grantTable.lock   per-CPU rwlock. Held for reading while an entry of the table is used; for
 *                   writing while the table grows and while the domain's IOMMU counts change.
 * active entry lock spinlock; protects the active entry and Xen's bits of the shared one, and
 *                   decides between several unmaps of one handle.
 * maptrackLock      spinlock; protects growing the maptrack: nrMaptrackFrames and its limit.
 * free list lock    spinlock of a vCPU; protects its list of free maptrack handles.
 *
 * Order: a table's lock → an active entry of that table → maptrackLock → a free list. Never two
 * active entries but under the write lock, never another table's lock with an active entry held
 * (XSA-411). nr_grant_frames and gt_version are read under the lock; maptrackLimit without, see
 * maptrack.ts.
 *
 * nrV2Ops   counts what rests on version 2 while no lock is held: transitive copies that are under
 *           way, and pins of sub-page grants. While it is not 0 the table stays at version 2, so
 *           that a status word found under the lock can be used after taking it again (XSA-501).
 */
import {
  percpuReadLock,
  percpuReadUnlock,
  percpuWriteLock,
  percpuWriteUnlock,
} from '../../shared/percpu-rwlock.ts';
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { gnttabPerFrame, gnttabV2PerFrame } from '../params.ts';

export const GrantTable = defineTable(
  'grant_table[d%]',
  ['domains'],
  {
    rwlock: '[XEN] lock, first word: rwlock of the per-CPU rwlock',
    writerActivating: '[XEN] lock, second word',
    maptrackLock: '[XEN] spinlock for growing the maptrack',
    nrGrantFrames: '[XEN] frames shared with the guest; lock protects it',
    maxGrantFrames: '[BOOT] limit of nrGrantFrames',
    maxMaptrackFrames: '[BOOT] limit of maptrack frames',
    maptrackLimit: '[XEN] handles below it exist; grows under maptrackLock',
    gtVersion: '[XEN] gt_version, 1 or 2; lock protects it',
    maxVersion: '[BOOT] max_version: limit of gtVersion',
    nrStatusFrames: '[XEN] status frames shared with the guest; lock protects it',
    nrV2Ops: '[XEN] nr_v2_ops, atomic',
  },
  { lineAligned: true },
);

/** xen/common/grant_table.c: grant_read_lock(). @param d - domain of the table. */
export function* grantReadLock(v: number, d: number): Op<void> {
  yield* percpuReadLock(v, GrantTable.rwlock.at(d));
}

/** xen/common/grant_table.c: grant_read_unlock(). @param d - domain of the table. */
export function* grantReadUnlock(v: number, d: number): Op<void> {
  yield* percpuReadUnlock(v, GrantTable.rwlock.at(d));
}

/** xen/common/grant_table.c: grant_write_lock(). @param d - domain of the table. */
export function* grantWriteLock(d: number): Op<void> {
  yield* percpuWriteLock(GrantTable.rwlock.at(d));
}

/** xen/common/grant_table.c: grant_write_unlock(). @param d - domain of the table. */
export function* grantWriteUnlock(d: number): Op<void> {
  yield* percpuWriteUnlock(GrantTable.rwlock.at(d));
}

/**
 * xen/common/grant_table.c: nr_grant_entries(). The caller holds the table's lock.
 * @param d - domain of the table. @returns entries that can be used now.
 */
export function* nrGrantEntries(d: number): Op {
  const version = yield* read(GrantTable.gtVersion.at(d));
  const frames = yield* read(GrantTable.nrGrantFrames.at(d));
  return frames * (version === 1 ? gnttabPerFrame() : gnttabV2PerFrame());
}
