/**
 * From an address to the page that a design knows behind it, the VMA found in each of the ways that
 * kernels have had:
 *
 *   under mmap_lock    held for reading: every kernel's slow path. vm-foreign and find-special-page
 *                      know no other.
 *   speculatively      mm->mm_lock_seq is a sequence count of mmap_lock's write sections (6.13:
 *                      kernel/events/uprobes.c: find_active_uprobe_speculative()): what was read is
 *                      good if no write section began meanwhile. Any writer disturbs any reader.
 *   per-VMA lock       the VMA alone is read-locked (6.4: lock_vma_under_rcu()).
 *   under RCU          nothing is locked. Slots of the page array keep their place through splits,
 *                      and an array is freed only after the tree without its last VMA was
 *                      published: so if the published node is the same afterwards, the slot that
 *                      was read was the address's. The read section keeps the node from being used
 *                      again. Writers disturb it only when they publish.
 *
 * The first three give the page of a moment at which nothing changed. All but the first give up to
 * mmap_lock, as the kernel does, so that a writer at full speed starves nobody.
 *
 * None takes a reference: whoever wants the page longer does that under the page-table lock, or
 * looks again (gup-fast.ts).
 */
import type { Op } from '../../shared/op.ts';
import { loadAcquire, read, readOnce, smpRmb, trace } from '../../shared/operations.ts';
import { rcuReadLock, rcuReadUnlock } from '../../shared/rcu.ts';
import { rawReadSeqcount, readSeqRetry } from '../../shared/seqcount.ts';
import { gntdevFindPage } from '../drivers/gntdev/find-page.ts';
import { Mm, mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { NO_PAGE } from '../mm/page.ts';
import { TRACE_LOOKUP_RETRY } from '../mm/tracepoints.ts';
import { VM_OPS_GNTDEV } from '../mm/vm-ops.ts';
import { NO_VMA, Vma } from '../mm/vma.ts';
import { lockVmaUnderRcu, vmaEndRead } from '../mm/vma-lock.ts';
import { vmaLookup } from '../mm/vma-tree.ts';
import { PageArray, PageSlot, arrayOfSlot, vmaPagesLookup } from './vma-pages.ts';
import { vmForeignLookup } from './vm-foreign.ts';

/** Tries under RCU before mmap_lock is taken. */
const RCU_TRIES = 8;

/**
 * vma-pages under mmap_lock.
 * @param mm - address space. @param vpn - address. @returns page, or NO_PAGE.
 */
export function* vmaPageLocked(mm: number, vpn: number): Op {
  yield* mmapReadLock(mm);
  const vma = yield* vmaLookup(mm, vpn);
  const pg = vma === NO_VMA ? NO_PAGE : yield* vmaPagesLookup(vma, vpn);
  yield* mmapReadUnlock(mm);
  return pg;
}

/**
 * vma-pages, speculatively: include/linux/mmap_lock.h: mmap_lock_speculate_try_begin(),
 * mmap_lock_speculate_retry(); a VMA is type-stable, so a stale one is read and not believed.
 * @param v - vCPU that runs this. @param vpn - address. @returns page, or NO_PAGE.
 */
export function* vmaPageSpeculative(v: number, mm: number, vpn: number): Op {
  const sequence = Mm.mmLockSeq.at(mm);
  yield* rcuReadLock(v);
  const seq = yield* rawReadSeqcount(sequence);
  let pg = NO_PAGE;
  let retry = seq & 1;
  if (retry === 0) {
    const vma = yield* vmaLookup(mm, vpn);
    if (vma !== NO_VMA) pg = yield* vmaPagesLookup(vma, vpn);
    retry = yield* readSeqRetry(sequence, seq);
  }
  yield* rcuReadUnlock(v);
  if (retry === 0) return pg;
  trace(TRACE_LOOKUP_RETRY, vpn, mm, 0);
  return yield* vmaPageLocked(mm, vpn);
}

/**
 * The slot of an address, found from the array's own start: a split moves Vma.pages before it
 * write-locks the VMA (vma-split.ts), but to a slot of the same array. @returns page, or NO_PAGE.
 */
export function* pageOfSlot(vma: number, vpn: number): Op {
  const pages = yield* readOnce(Vma.pages.at(vma));
  if (pages < 0) return NO_PAGE;
  const array = arrayOfSlot(pages);
  const index = vpn - (yield* read(PageArray.start.at(array)));
  if (index < 0 || index >= (yield* read(PageArray.count.at(array)))) return NO_PAGE;
  return yield* read(PageSlot.value.at2(array, 0) + index * PageSlot.value.stride);
}

/**
 * vma-pages under the VMA's own lock.
 * @param v - vCPU that runs this. @param vpn - address. @returns page, or NO_PAGE.
 */
export function* vmaPagePerVmaLock(v: number, mm: number, vpn: number): Op {
  const vma = yield* lockVmaUnderRcu(v, mm, vpn);
  if (vma === NO_VMA) {
    trace(TRACE_LOOKUP_RETRY, vpn, mm, 0);
    return yield* vmaPageLocked(mm, vpn);
  }
  const pg = yield* pageOfSlot(vma, vpn);
  yield* vmaEndRead(vma);
  return pg;
}

/**
 * vma-pages under RCU.
 * @param v - vCPU that runs this. @param vpn - address. @returns page, or NO_PAGE.
 */
export function* vmaPageUnderRcu(v: number, mm: number, vpn: number): Op {
  yield* rcuReadLock(v);
  for (let tries = 0; tries < RCU_TRIES; tries++) {
    const node = yield* loadAcquire(Mm.vmaNode.at(mm));
    const vma = yield* vmaLookup(mm, vpn);
    const pg = vma === NO_VMA ? NO_PAGE : yield* pageOfSlot(vma, vpn);
    yield* smpRmb();
    if ((yield* readOnce(Mm.vmaNode.at(mm))) === node) {
      yield* rcuReadUnlock(v);
      return pg;
    }
    trace(TRACE_LOOKUP_RETRY, vpn, mm, 0);
  }
  yield* rcuReadUnlock(v);
  return yield* vmaPageLocked(mm, vpn);
}

/**
 * vm-foreign: the part of get_user_pages() that knows the array, under mmap_lock.
 * @param mm - address space. @param vpn - address. @returns page, or NO_PAGE.
 */
export function* vmForeignPageLocked(mm: number, vpn: number): Op {
  yield* mmapReadLock(mm);
  const vma = yield* vmaLookup(mm, vpn);
  const pg = vma === NO_VMA ? NO_PAGE : yield* vmForeignLookup(vma, vpn);
  yield* mmapReadUnlock(mm);
  return pg;
}

/**
 * find-special-page: the VMA's operation, under mmap_lock.
 * @param mm - address space. @param vpn - address. @returns page, or NO_PAGE.
 */
export function* specialPageLocked(mm: number, vpn: number): Op {
  yield* mmapReadLock(mm);
  const vma = yield* vmaLookup(mm, vpn);
  let pg = NO_PAGE;
  if (vma !== NO_VMA && (yield* read(Vma.ops.at(vma))) === VM_OPS_GNTDEV) {
    pg = yield* gntdevFindPage(vma, vpn);
  }
  yield* mmapReadUnlock(mm);
  return pg;
}
