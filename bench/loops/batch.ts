/**
 * The loops of find.ts in batches of 16: lookups that are under way at once, so that the memory
 * works for all of them at a time, and what frames one (a read section, a lock) frames sixteen.
 * Each lookup makes the same steps in the same order as in find.ts, those of others between.
 *
 * GUP-fast  1. the walks, 2. the frames' pages, 3. the pages' counts, each for all sixteen, by
 *           loads that nothing relies on; then for each 4. try-get, 5. re-check, 6. put. The entry
 *           that 1. read is compared with the entry after 4., however long ago that was.
 * ranges    one section takes the pages of all sixteen; the puts follow.
 * VMAs      one RCU section, one sequence for sixteen: all were right at one moment, or each is
 *           looked up again by itself. The lock of a VMA is kept for the next key that lies in it.
 * override  the lock is kept as long as the next frame has the same one.
 */
import { localIrqRestore, localIrqSave } from '../../src/hardware/irq.ts';
import { domainOf } from '../../src/hardware/params.ts';
import { namesFrame, pteMfn, walkToPte } from '../../src/hardware/paging.ts';
import { lockOfOverride, searchOverride } from '../../src/linux/designs/m2p-override.ts';
import {
  pageOfSlot,
  vmaPageLocked,
  vmaPageSpeculative,
  vmaPageUnderRcu,
} from '../../src/linux/designs/page-behind-address.ts';
import { vmaPagesLookup } from '../../src/linux/designs/vma-pages.ts';
import { gupFastFind, gupFastPgdRange, gupFastTake } from '../../src/linux/mm/gup-fast.ts';
import { FOLL_WRITE, gupPut } from '../../src/linux/mm/gup.ts';
import { CurrentMm } from '../../src/linux/mm/mm-life.ts';
import { Mm } from '../../src/linux/mm/mm.ts';
import { isUserRange } from '../../src/linux/mm/munmap.ts';
import { getPhysToMachine, mfnToPfnNoOverrides } from '../../src/linux/mm/p2m.ts';
import { NO_PAGE, Page, pageOf } from '../../src/linux/mm/page.ts';
import { NO_PTE, rootOf } from '../../src/linux/mm/pgtable.ts';
import { TRACE_LOOKUP_RETRY } from '../../src/linux/mm/tracepoints.ts';
import { NO_VMA, Vma } from '../../src/linux/mm/vma.ts';
import { lockVmaUnderRcu, vmaEndRead } from '../../src/linux/mm/vma-lock.ts';
import { vmaLookup } from '../../src/linux/mm/vma-tree.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  loadAcquire,
  read,
  readLocal,
  readOnce,
  smpRmb,
  trace,
  writeLocal,
} from '../../src/shared/operations.ts';
import { rcuReadLock, rcuReadUnlock } from '../../src/shared/rcu.ts';
import { rawReadSeqcount, readSeqRetry } from '../../src/shared/seqcount.ts';
import { spinLock, spinUnlock } from '../../src/shared/spinlock.ts';
import { M2p } from '../../src/xen/m2p.ts';
import { BenchArgument } from '../tables.ts';
import { RANGE } from './find.ts';

/** Lookups that are under way at once. */
const BATCH = 16;
/** Words of a batch, from the first argument of the vCPU on. */
const PTEP = 0;
const PTE = BATCH;
const PAGE = 2 * BATCH;
const TOUCHED = 3 * BATCH;

/** Step 1. @param at - word of the batch. */
export function* gupFastWalks(
  v: number,
  root: number,
  keys: number,
  count: number,
  at: number,
): Op<void> {
  for (let i = 0; i < count; i++) {
    const ptep = yield* walkToPte(v, root, readLocal(keys + i));
    writeLocal(at + PTEP + i, ptep);
    writeLocal(at + PTE + i, ptep === NO_PTE ? 0 : yield* readOnce(ptep));
  }
}

/** Steps 2 and 3. */
export function* gupFastTouch(v: number, count: number, at: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const pte = readLocal(at + PTE + i);
    if (namesFrame(pte)) writeLocal(at + TOUCHED + i, yield* readOnce(M2p.value.at(pteMfn(pte))));
  }
  for (let i = 0; i < count; i++) {
    writeLocal(at + PAGE + i, yield* gupFastFind(v, readLocal(at + PTE + i), FOLL_WRITE));
  }
  for (let i = 0; i < count; i++) {
    const pg = readLocal(at + PAGE + i);
    if (pg !== NO_PAGE) writeLocal(at + TOUCHED + i, yield* readOnce(Page.refcount.at(pg)));
  }
}

/** Steps 4 to 6. @returns the sum of the pages. */
function* gupFastTakeAll(v: number, count: number, at: number): Op {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    let pg = readLocal(at + PAGE + i);
    if (pg !== NO_PAGE) {
      const pte = readLocal(at + PTE + i);
      pg = yield* gupFastTake(v, readLocal(at + PTEP + i), pte, pg, FOLL_WRITE);
      if (pg !== NO_PAGE) yield* gupPut(v, pg, FOLL_WRITE);
    }
    sum = (sum + pg) | 0;
  }
  return sum;
}

/** gupFastPages in batches. */
export function* gupFastBatches(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const at = BenchArgument.value.at2(v, 0);
  let sum = 0;
  const irq = yield* localIrqSave(v);
  yield* rcuReadLock(v);
  for (let done = 0; done < count; done = done + BATCH) {
    const some = Math.min(BATCH, count - done);
    yield* gupFastWalks(v, rootOf(mm), keys + done, some, at);
    yield* gupFastTouch(v, some, at);
    sum = (sum + (yield* gupFastTakeAll(v, some, at))) | 0;
  }
  yield* rcuReadUnlock(v);
  yield* localIrqRestore(v, irq);
  return sum;
}

/** Takes the pages of ranges, in one section. @param out - word of an array. @returns how many. */
function* gupFastTakeRanges(v: number, mm: number, keys: number, count: number, out: number): Op {
  let taken = 0;
  const irq = yield* localIrqSave(v);
  yield* rcuReadLock(v);
  for (let i = 0; i < count; i++) {
    const vpn = readLocal(keys + i);
    if (!isUserRange(vpn, RANGE)) continue;
    taken = taken + (yield* gupFastPgdRange(v, mm, vpn, RANGE, FOLL_WRITE, out + taken));
  }
  yield* rcuReadUnlock(v);
  yield* localIrqRestore(v, irq);
  return taken;
}

/** gupFastRanges in batches: a section takes sixteen ranges as if one call had asked for them. */
export function* gupFastRangesBatches(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  const out = BenchArgument.value.at2(v, 0);
  let sum = 0;
  for (let done = 0; done < count; done = done + BATCH) {
    const some = Math.min(BATCH, count - done);
    const taken = yield* gupFastTakeRanges(v, mm, keys + done, some, out);
    for (let i = 0; i < taken; i++) {
      const pg = readLocal(out + i);
      sum = (sum + pg) | 0;
      yield* gupPut(v, pg, FOLL_WRITE);
    }
  }
  return sum;
}

/** Sixteen of findSpeculatively. */
function* speculativeBatch(v: number, mm: number, keys: number, count: number): Op {
  const sequence = Mm.mmLockSeq.at(mm);
  let sum = 0;
  yield* rcuReadLock(v);
  const seq = yield* rawReadSeqcount(sequence);
  let retry = seq & 1;
  if (retry === 0) {
    for (let i = 0; i < count; i++) {
      const vpn = readLocal(keys + i);
      const vma = yield* vmaLookup(mm, vpn);
      sum = (sum + (vma === NO_VMA ? NO_PAGE : yield* vmaPagesLookup(vma, vpn))) | 0;
    }
    retry = yield* readSeqRetry(sequence, seq);
  }
  yield* rcuReadUnlock(v);
  if (retry === 0) return sum;
  trace(TRACE_LOOKUP_RETRY, keys, mm, 0);
  sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* vmaPageSpeculative(v, mm, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** findSpeculatively in batches. */
export function* findSpeculativelyBatches(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let done = 0; done < count; done = done + BATCH) {
    const some = Math.min(BATCH, count - done);
    sum = (sum + (yield* speculativeBatch(v, mm, keys + done, some))) | 0;
  }
  return sum;
}

/** Sixteen of findUnderRcu. */
function* rcuBatch(v: number, mm: number, keys: number, count: number): Op {
  let sum = 0;
  yield* rcuReadLock(v);
  const node = yield* loadAcquire(Mm.vmaNode.at(mm));
  for (let i = 0; i < count; i++) {
    const vpn = readLocal(keys + i);
    const vma = yield* vmaLookup(mm, vpn);
    sum = (sum + (vma === NO_VMA ? NO_PAGE : yield* pageOfSlot(vma, vpn))) | 0;
  }
  yield* smpRmb();
  const same = (yield* readOnce(Mm.vmaNode.at(mm))) === node;
  yield* rcuReadUnlock(v);
  if (same) return sum;
  trace(TRACE_LOOKUP_RETRY, keys, mm, 0);
  sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + (yield* vmaPageUnderRcu(v, mm, readLocal(keys + i)))) | 0;
  }
  return sum;
}

/** findUnderRcu in batches. */
export function* findUnderRcuBatches(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let done = 0; done < count; done = done + BATCH) {
    sum = (sum + (yield* rcuBatch(v, mm, keys + done, Math.min(BATCH, count - done)))) | 0;
  }
  return sum;
}

/** Does the read-locked VMA hold an address? */
function* holds(vma: number, vpn: number): Op<boolean> {
  if (vma === NO_VMA) return false;
  return vpn >= (yield* read(Vma.vmStart.at(vma))) && vpn < (yield* read(Vma.vmEnd.at(vma)));
}

/** Sixteen of findUnderVmaLock. */
function* vmaLockBatch(v: number, mm: number, keys: number, count: number): Op {
  let sum = 0;
  let locked = NO_VMA;
  for (let i = 0; i < count; i++) {
    const vpn = readLocal(keys + i);
    if (!(yield* holds(locked, vpn))) {
      if (locked !== NO_VMA) yield* vmaEndRead(locked);
      locked = yield* lockVmaUnderRcu(v, mm, vpn);
    }
    if (locked === NO_VMA) {
      trace(TRACE_LOOKUP_RETRY, vpn, mm, 0);
      sum = (sum + (yield* vmaPageLocked(mm, vpn))) | 0;
    } else {
      sum = (sum + (yield* pageOfSlot(locked, vpn))) | 0;
    }
  }
  if (locked !== NO_VMA) yield* vmaEndRead(locked);
  return sum;
}

/** findUnderVmaLock in batches. */
export function* findUnderVmaLockBatches(v: number, keys: number, count: number): Op {
  const mm = readLocal(CurrentMm.value.at(v));
  let sum = 0;
  for (let done = 0; done < count; done = done + BATCH) {
    sum = (sum + (yield* vmaLockBatch(v, mm, keys + done, Math.min(BATCH, count - done)))) | 0;
  }
  return sum;
}

/** Sixteen of findOverrides: frames of the domain's own first, without the lock. */
function* overrideBatch(v: number, d: number, keys: number, count: number): Op {
  const at = BenchArgument.value.at2(v, 0);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const mfn = readLocal(keys + i);
    const pfn = yield* mfnToPfnNoOverrides(mfn);
    const own = (yield* getPhysToMachine(d, pfn)) === mfn;
    writeLocal(at + PAGE + i, own ? pageOf(d, pfn) : NO_PAGE);
  }
  let held = -1;
  const irq = yield* localIrqSave(v);
  for (let i = 0; i < count; i++) {
    const mfn = readLocal(keys + i);
    let pg = readLocal(at + PAGE + i);
    if (pg === NO_PAGE) {
      const lock = lockOfOverride(d, mfn);
      if (lock !== held) {
        if (held !== -1) yield* spinUnlock(held);
        yield* spinLock(lock);
        held = lock;
      }
      pg = yield* searchOverride(d, mfn);
    }
    sum = (sum + pg) | 0;
  }
  if (held !== -1) yield* spinUnlock(held);
  yield* localIrqRestore(v, irq);
  return sum;
}

/** findOverrides in batches. */
export function* findOverridesBatches(v: number, keys: number, count: number): Op {
  const d = domainOf(v);
  let sum = 0;
  for (let done = 0; done < count; done = done + BATCH) {
    const some = Math.min(BATCH, count - done);
    sum = (sum + (yield* overrideBatch(v, d, keys + done, some))) | 0;
  }
  return sum;
}
