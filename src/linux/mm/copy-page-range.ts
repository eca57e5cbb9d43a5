/**
 * The page tables of a forked address space (mm/memory.c: copy_page_range(), copy_pte_range(),
 * copy_present_pte(), copy_present_page()).
 *
 * 1. a mapping whose pages are copied on write: notifiers start; writeProtectSeq becomes odd. 2.
 *   for each entry, with the page-table locks of child and parent: a reference and a mapping more;
 *   an entry that may be written becomes read-only in the parent, then in the child. 3.
 *   writeProtectSeq becomes even, notifiers end. The parent's TLBs are flushed at the end of the
 *   fork, once.
 * A page that may be pinned stays the parent's, and the child gets a copy: a store of the parent
 * must not move what a device writes to. get_user_pages_fast() takes pins without a lock; either
 * the pin is seen here, or writeProtectSeq is odd or another one there, and the pin is given back
 * (57efa1fe5957).
 */
import { PTE_DIRTY, PTE_PRESENT, PTE_PROTNONE, PTE_RW, makePte } from '../../hardware/paging.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce } from '../../shared/operations.ts';
import { writeSeqBegin, writeSeqEnd } from '../../shared/seqcount.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { EAGAIN, ENOMEM } from '../errno.ts';
import { copyPage } from './direct-map.ts';
import { mmuNotifierInvalidateEnd, mmuNotifierInvalidateStart } from './mmu-notifier.ts';
import { Mm } from './mm.ts';
import { vmNormalPage } from './normal-page.ts';
import { pfnToMfn } from './p2m.ts';
import { allocPage } from './page-alloc.ts';
import { NO_PAGE, PG_anon, Page, getPage, pfnOf, putPage } from './page.ts';
import { NO_PTE, pteAlloc, pteLock, pteOffsetMapLock, pteUnlock, setPte } from './pgtable.ts';
import { pageAddNewAnonRmap, pageAddRmap, pageTryDupAnonRmap } from './rmap.ts';
import { VM_OPS_ANONYMOUS } from './vm-ops.ts';
import { VM_MIXEDMAP, VM_PFNMAP, VM_SHARED, VM_WRITE, Vma, isCowMapping } from './vma.ts';

/** mm/memory.c: vma_needs_copy(): else the child's faults find the pages again. @returns 1 or 0. */
export function* vmaNeedsCopy(vma: number, flags: number): Op {
  if ((flags & (VM_PFNMAP | VM_MIXEDMAP)) !== 0 || isCowMapping(flags)) return 1;
  return (yield* read(Vma.ops.at(vma))) === VM_OPS_ANONYMOUS ? 1 : 0;
}

/** mm/memory.c: copy_present_page(): the pinned page's contents, now. @returns 1 or -EAGAIN. */
function* copyPresentPage(
  v: number,
  mm: number,
  vma: number,
  ptep: number,
  pg: number,
  prealloc: number,
): Op {
  if (prealloc === NO_PAGE) return -EAGAIN;
  yield* copyPage(v, prealloc, pg);
  yield* pageAddNewAnonRmap(prealloc);
  yield* fetchAdd(Mm.rss.at(mm), 1);
  const writable = ((yield* read(Vma.flags.at(vma))) & VM_WRITE) !== 0;
  const prot = yield* read(Vma.pageProt.at(vma));
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(prealloc));
  yield* setPte(v, ptep, makePte(mfn, writable ? prot | PTE_RW | PTE_DIRTY : prot));
  return 1;
}

/**
 * mm/memory.c: copy_present_pte(). Both page-table locks are held.
 * @param mm - the child. @param vma - VMA of the parent. @param to - entry of the child.
 * @param from - entry of the parent. @param prealloc - a page for a copy, or NO_PAGE.
 * @returns 0; 1 if `prealloc` was used; -EAGAIN: come back with one.
 */
function* copyPresentPte(
  v: number,
  mm: number,
  vma: number,
  vpn: number,
  to: number,
  from: number,
  prealloc: number,
): Op {
  let pte = yield* readOnce(from);
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) return 0;
  const pg = yield* vmNormalPage(v, vma, vpn, pte);
  if (pg !== NO_PAGE) {
    yield* getPage(pg);
    if (((yield* readOnce(Page.flags.at(pg))) & PG_anon) === 0) {
      yield* pageAddRmap(pg);
    } else if ((yield* pageTryDupAnonRmap(vma, pg)) === 0) {
      yield* putPage(v, pg);
      return yield* copyPresentPage(v, mm, vma, to, pg, prealloc);
    }
    yield* fetchAdd(Mm.rss.at(mm), 1);
  }
  const flags = yield* read(Vma.flags.at(vma));
  if (isCowMapping(flags) && (pte & PTE_RW) !== 0) {
    pte &= ~PTE_RW;
    yield* setPte(v, from, pte);
  }
  yield* setPte(v, to, (flags & VM_SHARED) !== 0 ? pte & ~PTE_DIRTY : pte);
  return 0;
}

/** mm/memory.c: copy_pte_range(), one entry. @returns as copyPresentPte; -ENOMEM. */
function* copyPte(
  v: number,
  mm: number,
  vma: number,
  parent: number,
  vpn: number,
  prealloc: number,
): Op {
  const to = yield* pteAlloc(v, mm, vpn);
  if (to === NO_PTE) return -ENOMEM;
  yield* spinLock(pteLock(to));
  const from = yield* pteOffsetMapLock(v, parent, vpn);
  let status = 0;
  if (from !== NO_PTE) {
    status = yield* copyPresentPte(v, mm, vma, vpn, to, from, prealloc);
    yield* pteUnlock(from);
  }
  yield* spinUnlock(pteLock(to));
  return status;
}

/**
 * The loops of copy_page_range(): the entries of a VMA.
 * @returns 0 or -ENOMEM, with what was copied left to the child's end.
 */
export function* copyEntries(v: number, mm: number, vma: number): Op {
  const parent = yield* read(Vma.mm.at(vma));
  const end = yield* read(Vma.vmEnd.at(vma));
  for (let vpn = yield* read(Vma.vmStart.at(vma)); vpn < end; vpn++) {
    let status = yield* copyPte(v, mm, vma, parent, vpn, NO_PAGE);
    if (status === -EAGAIN) {
      const prealloc = yield* allocPage(v);
      if (prealloc === NO_PAGE) return -ENOMEM;
      status = yield* copyPte(v, mm, vma, parent, vpn, prealloc);
      if (status !== 1) yield* putPage(v, prealloc);
    }
    if (status < 0) return status;
  }
  return 0;
}

/**
 * mm/memory.c: copy_page_range(). The caller holds mmap_lock of both for writing.
 * @param v - vCPU of the parent. @param mm - the child. @param vma - VMA of the parent.
 * @returns 0 or -ENOMEM.
 */
export function* copyPageRange(v: number, mm: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((yield* vmaNeedsCopy(vma, flags)) === 0) return 0;
  if (!isCowMapping(flags)) return yield* copyEntries(v, mm, vma);
  const parent = yield* read(Vma.mm.at(vma));
  const start = yield* read(Vma.vmStart.at(vma));
  const end = yield* read(Vma.vmEnd.at(vma));
  yield* mmuNotifierInvalidateStart(v, parent, start, end, 1);
  yield* writeSeqBegin(Mm.writeProtectSeq.at(parent));
  const status = yield* copyEntries(v, mm, vma);
  yield* writeSeqEnd(Mm.writeProtectSeq.at(parent));
  yield* mmuNotifierInvalidateEnd(v, parent, start, end);
  return status;
}
