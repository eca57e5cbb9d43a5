/**
 * Pages without a frame of their own, over which grants are mapped: drivers/xen/balloon.c.
 *
 * Balloon.mutex  protects the list, the counts and the scratch pages' setting up (balloon_mutex)
 * Balloon.list   ballooned pages, through page->lru; a page that is handed out is on no list
 *
 * Taking a page out of the domain (decrease_reservation): 1. allocate it. 2. replace its kernel
 * mapping. 3. p2m. 4. on the list. 5. when all are done, flush every TLB of the domain. 6. give
 * the frames to Xen. The frame must not go before the flush: it may be another domain's at once.
 *
 * Two generations, by the design under study:
 *   with scratch pages (3.12, cd9151e26d): the kernel mapping is replaced by a read-only mapping
 *   of the vCPU's scratch page and the p2m entry names its frame, so that stray reads do not crash;
 *   without (0bb599fd3010 of 4.0): the kernel PTE is cleared and the p2m entry is INVALID.
 *
 * A ballooned page keeps one reference, the pool's. Not modelled: the target and its worker,
 * highmem, memory hotplug.
 */
import { domainOf, kernelBase, vcpusPerDomain } from '../../hardware/params.ts';
import { PTE_PRESENT, PTE_RW, makePte } from '../../hardware/paging.ts';
import { mutexLock, mutexUnlock } from '../../shared/mutex.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import {
  decreaseReservation,
  increaseReservation,
  populateDirectMapped,
} from '../../xen/memory.ts';
import { updateVaMapping } from '../../xen/mmu.ts';
import { designHasScratchPages } from '../designs/design.ts';
import { frameAtPfn } from '../dma/memblock.ts';
import { onArm } from '../dma/platform.ts';
import { ENOMEM } from '../errno.ts';
import { flushTlbAll } from '../mm/flush.ts';
import { INVALID_P2M_ENTRY, pfnToMfn, setPhysToMachine } from '../mm/p2m.ts';
import { allocPage } from '../mm/page-alloc.ts';
import { NO_PAGE, pfnOf, putPage } from '../mm/page.ts';
import { BUG_BALLOON } from './bugs.ts';
import { initListHead, listAdd, listDel, listEmpty } from './list.ts';
import { lruOf, pageOfLru } from './page-lru.ts';

export const Balloon = defineTable(
  'linux[d%].balloon',
  ['domains'],
  {
    mutex: '[GST] balloon_mutex',
    listNext: '[GST] head of the ballooned pages: first',
    listPrev: '[GST] head of the ballooned pages: last',
    count: '[GST] pages on the list: balloon_stats.balloon_low',
  },
  { lineAligned: true },
);

/** Frames that decrease_reservation() gives to Xen at once, of the vCPU that holds the mutex. */
export const BalloonFrame = defineTable('linux[d%].frame_list[%]', ['domains', 'mapPages'], {
  value: '[GST] frame_list[]: a frame, under balloon_mutex',
});

export const BalloonScratch = defineTable('%v.balloon_scratch_page', ['vcpus'], {
  page: '[GST] the scratch page of this vCPU, NO_PAGE without scratch pages; constant after boot',
});

/** get_balloon_scratch_page(). @param v - vCPU. @returns its scratch page. */
export function balloonScratchPage(v: number): number {
  return readLocal(BalloonScratch.page.at(v));
}

/** pfn_pte(scratch page, PAGE_KERNEL_RO). @param mfn - frame of a scratch page. */
export function scratchPte(mfn: number): number {
  return makePte(mfn, PTE_PRESENT);
}

/** balloon_append(). The caller holds the mutex. */
function* balloonAppend(d: number, pg: number): Op<void> {
  yield* listAdd(lruOf(pg), Balloon.listNext.at(d));
  const count = yield* read(Balloon.count.at(d));
  yield* write(Balloon.count.at(d), count + 1);
}

/** balloon_retrieve(). The caller holds the mutex. @returns a page, or NO_PAGE. */
function* balloonRetrieve(d: number): Op {
  if ((yield* listEmpty(Balloon.listNext.at(d))) !== 0) return NO_PAGE;
  const node = yield* read(Balloon.listNext.at(d));
  yield* listDel(node);
  const count = yield* read(Balloon.count.at(d));
  yield* write(Balloon.count.at(d), count - 1);
  return pageOfLru(node);
}

/** Steps 2 and 3 for one page. @returns the frame that is now free to go. */
function* replaceMapping(v: number, pg: number): Op {
  const d = domainOf(v);
  const pfn = pfnOf(pg);
  const mfn = yield* pfnToMfn(d, pfn);
  let pte = 0;
  let entry = INVALID_P2M_ENTRY;
  if (designHasScratchPages() !== 0) {
    entry = yield* pfnToMfn(d, pfnOf(balloonScratchPage(v)));
    pte = scratchPte(entry);
  }
  const status = yield* updateVaMapping(v, kernelBase() + pfn, pte);
  warnOn(status !== 0, BUG_BALLOON, pg, status);
  yield* setPhysToMachine(v, pfn, entry);
  return mfn;
}

/**
 * drivers/xen/balloon.c: decrease_reservation(). The caller holds the mutex.
 * @returns 0, or -ENOMEM if not all could be had.
 */
function* decreaseLocked(v: number, count: number): Op {
  const d = domainOf(v);
  const batch = Math.min(count, BalloonFrame.value.count);
  let taken = 0;
  while (taken < batch) {
    const pg = yield* allocPage(v);
    if (pg === NO_PAGE) break;
    const mfn = yield* replaceMapping(v, pg);
    writeLocal(BalloonFrame.value.at2(d, taken), mfn);
    yield* balloonAppend(d, pg);
    taken++;
  }
  yield* flushTlbAll(v);
  for (let i = 0; i < taken; i++) {
    const mfn = readLocal(BalloonFrame.value.at2(d, i));
    const status = yield* decreaseReservation(v, mfn);
    warnOn(status !== 0, BUG_BALLOON, mfn, status);
  }
  return taken < batch ? -ENOMEM : 0;
}

/**
 * drivers/xen/balloon.c: decrease_reservation(): moves pages of the domain into the balloon.
 * @param v - vCPU. @param count - pages. @returns 0, or -ENOMEM.
 */
export function* balloonInflate(v: number, count: number): Op {
  const d = domainOf(v);
  yield* mutexLock(Balloon.mutex.at(d));
  let status = 0;
  for (let left = count; left > 0 && status === 0; left -= BalloonFrame.value.count) {
    status = yield* decreaseLocked(v, left);
  }
  yield* mutexUnlock(Balloon.mutex.at(d));
  return status;
}

/**
 * drivers/xen/balloon.c: increase_reservation(): gives ballooned pages a frame again and returns
 * them to the page allocator.
 * @param v - vCPU. @param count - pages at most. @returns pages that came back.
 */
export function* balloonDeflate(v: number, count: number): Op {
  const d = domainOf(v);
  let done = 0;
  yield* mutexLock(Balloon.mutex.at(d));
  while (done < count) {
    const pg = yield* balloonRetrieve(d);
    if (pg === NO_PAGE) break;
    const pfn = pfnOf(pg);
    let mfn = 0;
    if (onArm() && d === 0) mfn = yield* populateDirectMapped(v, frameAtPfn(pfn));
    else mfn = yield* increaseReservation(v, pfn);
    if (mfn < 0) {
      yield* balloonAppend(d, pg);
      break;
    }
    yield* setPhysToMachine(v, pfn, mfn);
    const status = yield* updateVaMapping(
      v,
      kernelBase() + pfn,
      makePte(mfn, PTE_PRESENT | PTE_RW),
    );
    warnOn(status !== 0, BUG_BALLOON, pg, status);
    yield* putPage(v, pg);
    done++;
  }
  yield* mutexUnlock(Balloon.mutex.at(d));
  return done;
}

/**
 * drivers/xen/balloon.c: alloc_xenballooned_pages()
 * @param v - vCPU. @param count - pages wanted. @param pages - word of an array for them.
 * @returns 0, or -ENOMEM and none.
 */
export function* allocBalloonedPages(v: number, count: number, pages: number): Op {
  const d = domainOf(v);
  let got = 0;
  let status = 0;
  yield* mutexLock(Balloon.mutex.at(d));
  while (got < count && status === 0) {
    const pg = yield* balloonRetrieve(d);
    if (pg === NO_PAGE) {
      status = yield* decreaseLocked(v, count - got);
    } else {
      yield* write(pages + got, pg);
      got++;
    }
  }
  if (status !== 0) {
    while (got > 0) yield* balloonAppend(d, yield* read(pages + --got));
  }
  yield* mutexUnlock(Balloon.mutex.at(d));
  return status;
}

/**
 * drivers/xen/balloon.c: free_xenballooned_pages()
 * @param v - vCPU. @param count - pages. @param pages - word of an array of them; NO_PAGE is
 *   skipped.
 */
export function* freeBalloonedPages(v: number, count: number, pages: number): Op<void> {
  const d = domainOf(v);
  yield* mutexLock(Balloon.mutex.at(d));
  for (let i = 0; i < count; i++) {
    const pg = yield* read(pages + i);
    if (pg !== NO_PAGE) yield* balloonAppend(d, pg);
  }
  yield* mutexUnlock(Balloon.mutex.at(d));
}

/**
 * drivers/xen/balloon.c: balloon_init(): scratch pages for every vCPU of the domain, if the
 * generation has them.
 * @param v - vCPU of the domain that boots.
 */
export function* balloonInit(v: number): Op<void> {
  const d = domainOf(v);
  initListHead(Balloon.listNext.at(d));
  for (let i = 0; i < vcpusPerDomain(); i++) {
    const cpu = d * vcpusPerDomain() + i;
    const pg = designHasScratchPages() === 0 ? NO_PAGE : yield* allocPage(v);
    writeLocal(BalloonScratch.page.at(cpu), pg);
  }
}
