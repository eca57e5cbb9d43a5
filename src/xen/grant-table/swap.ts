/**
 * GNTTABOP_swap_grant_ref (xen/common/grant_table.c: swap_grant_ref()): two entries of the caller
 * change places, if nobody has either pinned. Under the write lock two active entries may be
 * locked.
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import {
  GNTST_bad_gntref,
  GNTST_eagain,
  GNTST_okay,
  SWAP_REF_A,
  SWAP_REF_B,
  SWAP_STATUS,
  SWAP_WORDS,
} from '../public/grant-table.ts';
import { ActiveEntry, activeEntryAcquire, activeEntryRelease } from './active.ts';
import { sharedEntryHeader, statusEntry } from './entry.ts';
import { GrantTable, grantWriteLock, grantWriteUnlock, nrGrantEntries } from './lock.ts';

const V1_WORDS = 2;
const V2_WORDS = 4;

function* swapWords(a: number, b: number, count: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const value = yield* read(a + i);
    yield* write(a + i, yield* read(b + i));
    yield* write(b + i, value);
  }
}

/** With both entries locked: the shared ones, in version 2 the status too. */
function* swapEntries(d: number, refA: number, refB: number): Op<void> {
  const version = yield* read(GrantTable.gtVersion.at(d));
  const a = sharedEntryHeader(d, refA, version);
  const b = sharedEntryHeader(d, refB, version);
  yield* swapWords(a, b, version === 1 ? V1_WORDS : V2_WORDS);
  if (version !== 1) yield* swapWords(statusEntry(d, refA), statusEntry(d, refB), 1);
}

/** Locks the second entry and swaps. @returns GNTST_*. */
function* swapWithSecond(d: number, refA: number, refB: number): Op {
  let rc = GNTST_eagain;
  yield* activeEntryAcquire(d, refB);
  if ((yield* read(ActiveEntry.pin.at2(d, refB))) === 0) {
    yield* swapEntries(d, refA, refB);
    rc = GNTST_okay;
  }
  yield* activeEntryRelease(d, refB);
  return rc;
}

/** xen/common/grant_table.c: swap_grant_ref(). @returns GNTST_*. */
export function* swapGrantRef(d: number, refA: number, refB: number): Op {
  let rc = GNTST_okay;
  yield* grantWriteLock(d);
  const entries = yield* nrGrantEntries(d);
  if (refA < 0 || refA >= entries || refB < 0 || refB >= entries) {
    rc = GNTST_bad_gntref;
  } else if (refA !== refB) {
    yield* activeEntryAcquire(d, refA);
    rc = GNTST_eagain;
    if ((yield* read(ActiveEntry.pin.at2(d, refA))) === 0) {
      rc = yield* swapWithSecond(d, refA, refB);
    }
    yield* activeEntryRelease(d, refA);
  }
  yield* grantWriteUnlock(d);
  return rc;
}

/**
 * GNTTABOP_swap_grant_ref.
 * @param v - vCPU that calls. @param ops - word of the first record. @param count - records.
 * @returns 0; the outcome of each operation is its status.
 */
export function* gnttabSwapGrantRef(v: number, ops: number, count: number): Op {
  for (let i = 0; i < count; i++) {
    const op = ops + i * SWAP_WORDS;
    const refA = yield* read(op + SWAP_REF_A);
    const refB = yield* read(op + SWAP_REF_B);
    yield* write(op + SWAP_STATUS, yield* swapGrantRef(domainOf(v), refA, refB));
  }
  return 0;
}
