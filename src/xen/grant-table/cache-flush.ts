/**
 * GNTTABOP_cache_flush (xen/common/grant_table.c: gnttab_cache_flush(), _cache_flush(),
 * grant_map_exists(); 18e8d22fe7): cache maintenance of a frame by machine address, for guests
 * whose devices do not snoop the caches. Of ARM.
 *
 * A frame of the caller's own is let through. Of a foreign frame the caller must have a grant
 * mapping: the owner's active entries are searched, at most 4096 in one go with the owner's table
 * locked for reading. The entry that was found stays locked during the maintenance; without that
 * the grant could be unmapped in between, and the frame be another's (553ac37137).
 */
import { CACHE_CLEAN, CACHE_INVALIDATE, cacheMaintain } from '../../hardware/cache.ts';
import { domainOf, frameWordCount } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal } from '../../shared/operations.ts';
import { mfnValid, pageGetOwnerAndReference, putPage } from '../frame-table.ts';
import { NO_OWNER } from '../page-info.ts';
import { XenParams } from '../params.ts';
import { XEN_EINVAL, XEN_ENOSYS, XEN_EPERM } from '../public/xen.ts';
import { ActiveEntry, activeEntryAcquire, activeEntryRelease } from './active.ts';
import { grantReadLock, grantReadUnlock, nrGrantEntries } from './lock.ts';

/** GNTTAB_CACHE_CLEAN */
export const GNTTAB_CACHE_CLEAN = 1;
/** GNTTAB_CACHE_INVAL */
export const GNTTAB_CACHE_INVAL = 2;
/** 1 << GNTTABOP_CONTINUATION_ARG_SHIFT: entries that are looked at in one go. */
const SEARCH_SLICE = 4096;

/** CACHE_* bits of a GNTTAB_CACHE_* mask. */
function operationOf(op: number): number {
  const clean = (op & GNTTAB_CACHE_CLEAN) !== 0 ? CACHE_CLEAN : 0;
  return clean | ((op & GNTTAB_CACHE_INVAL) !== 0 ? CACHE_INVALIDATE : 0);
}

/**
 * grant_map_exists(), one slice. The caller holds the table's lock.
 * @param d - who has the mapping. @param owner - whose table. @param mfn - the mapped frame.
 * @param from - first entry to look at. @param end - the one after the last.
 * @returns the entry, locked; -1 if none of these.
 */
function* grantMapExists(d: number, owner: number, mfn: number, from: number, end: number): Op {
  for (let ref = from; ref < end; ref++) {
    yield* activeEntryAcquire(owner, ref);
    if (
      (yield* read(ActiveEntry.pin.at2(owner, ref))) !== 0 &&
      (yield* read(ActiveEntry.domid.at2(owner, ref))) === d &&
      (yield* read(ActiveEntry.mfn.at2(owner, ref))) === mfn
    ) {
      return ref;
    }
    yield* activeEntryRelease(owner, ref);
  }
  return -1;
}

function* maintain(mfn: number, offset: number, length: number, op: number): Op<void> {
  for (let i = 0; i < length; i++) yield* cacheMaintain(mfn, offset + i, operationOf(op));
}

/** A frame of another domain. @returns 0 or a negative errno. */
function* flushForeign(
  v: number,
  owner: number,
  mfn: number,
  offset: number,
  length: number,
  op: number,
): Op {
  for (let from = 0; ; from += SEARCH_SLICE) {
    yield* grantReadLock(v, owner);
    const entries = yield* nrGrantEntries(owner);
    const end = Math.min(from + SEARCH_SLICE, entries);
    const ref = yield* grantMapExists(domainOf(v), owner, mfn, from, end);
    if (ref >= 0) {
      yield* maintain(mfn, offset, length, op);
      yield* activeEntryRelease(owner, ref);
    }
    yield* grantReadUnlock(v, owner);
    if (ref >= 0) return 0;
    if (end === entries) return -XEN_EINVAL;
  }
}

/**
 * GNTTABOP_cache_flush of one range.
 * @param v - vCPU that calls. @param mfn - frame of the machine address.
 * @param offset - first word. @param length - words. @param op - GNTTAB_CACHE_* bits.
 * @returns 0; -EINVAL for a bad range or a foreign frame without a mapping; -EPERM for a free
 *   frame; -ENOSYS if the hypervisor does not know the operation.
 */
export function* gnttabCacheFlush(
  v: number,
  mfn: number,
  offset: number,
  length: number,
  op: number,
): Op {
  if (readLocal(XenParams.cacheFlush.word) === 0) return -XEN_ENOSYS;
  if (offset < 0 || length < 0 || offset + length > frameWordCount()) return -XEN_EINVAL;
  if ((op & ~(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL)) !== 0) return -XEN_EINVAL;
  if (length === 0 || op === 0) return 0;
  if (!mfnValid(mfn)) return -XEN_EINVAL;
  const owner = yield* pageGetOwnerAndReference(mfn);
  if (owner === NO_OWNER) return -XEN_EPERM;
  let status = 0;
  if (owner === domainOf(v)) yield* maintain(mfn, offset, length, op);
  else status = yield* flushForeign(v, owner, mfn, offset, length, op);
  yield* putPage(v, mfn);
  return status;
}
