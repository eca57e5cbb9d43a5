/**
 * Page faults of anonymous memory (mm/memory.c: handle_mm_fault(), do_anonymous_page(),
 * do_wp_page(); arch/x86/mm/fault.c: do_user_addr_fault()).
 *
 * A missing page: 1. a page, zeroed. 2. under the page-table lock: is the entry still empty? 3. one
 * mapping more, then the entry. A page that lost the race goes back.
 * A store to a read-only entry: 1. under the lock: is the entry still the same? 2. a page that only
 * this entry maps becomes writable; a shared one is copied (after fork).
 *
 * The VMA is stable by its read lock or by mmap_lock. Memory of drivers does not fault in: an
 * access there without an entry is an error (SIGBUS).
 */
import { PTE_DIRTY, PTE_PRESENT, PTE_PROTNONE, PTE_RW, makePte } from '../../hardware/paging.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce } from '../../shared/operations.ts';
import { EFAULT, ENOMEM } from '../errno.ts';
import { clearPage, copyPage } from './direct-map.ts';
import { flushTlbMm } from './flush.ts';
import { Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { vmNormalPage } from './normal-page.ts';
import { pfnToMfn } from './p2m.ts';
import { allocPage } from './page-alloc.ts';
import { NO_PAGE, Page, pfnOf, putPage } from './page.ts';
import { NO_PTE, pteAlloc, pteLock, pteUnlock, setPte } from './pgtable.ts';
import { VM_OPS_ANONYMOUS } from './vm-ops.ts';
import { NO_VMA, VM_READ, VM_WRITE, Vma } from './vma.ts';
import { lockVmaUnderRcu, vmaEndRead } from './vma-lock.ts';
import { vmaLookup } from './vma-tree.ts';
import { pageAddRmap, pageRemoveRmap } from './zap.ts';
import { spinLock } from '../../shared/spinlock.ts';

/** mm/memory.c: do_anonymous_page(). @returns 0 or -ENOMEM. */
function* doAnonymousPage(v: number, mm: number, vma: number, ptep: number): Op {
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return -ENOMEM;
  yield* clearPage(v, pg);
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const prot = yield* read(Vma.pageProt.at(vma));
  yield* spinLock(pteLock(ptep));
  const raced = (yield* readOnce(ptep)) !== 0;
  if (!raced) {
    yield* fetchAdd(Mm.rss.at(mm), 1);
    yield* pageAddRmap(pg);
    yield* setPte(v, ptep, makePte(mfn, prot));
  }
  yield* pteUnlock(ptep);
  if (raced) yield* putPage(v, pg);
  return 0;
}

/** mm/memory.c: wp_page_copy(). @param old - page shared with another mm. @returns 0 or -ENOMEM. */
function* wpPageCopy(
  v: number,
  mm: number,
  vma: number,
  ptep: number,
  pte: number,
  old: number,
): Op {
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return -ENOMEM;
  yield* copyPage(v, pg, old);
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const prot = yield* read(Vma.pageProt.at(vma));
  yield* spinLock(pteLock(ptep));
  const same = (yield* readOnce(ptep)) === pte;
  if (same) {
    yield* setPte(v, ptep, 0);
    yield* flushTlbMm(v, mm);
    yield* pageAddRmap(pg);
    yield* setPte(v, ptep, makePte(mfn, prot | PTE_DIRTY));
    yield* pageRemoveRmap(old);
  }
  yield* pteUnlock(ptep);
  yield* putPage(v, same ? old : pg);
  return 0;
}

/** mm/memory.c: do_wp_page(). @param pte - the read-only entry that was seen. */
function* doWpPage(v: number, mm: number, vma: number, vpn: number, ptep: number, pte: number): Op {
  yield* spinLock(pteLock(ptep));
  if ((yield* readOnce(ptep)) !== pte) {
    yield* pteUnlock(ptep);
    return 0;
  }
  const pg = yield* vmNormalPage(v, vma, vpn, pte);
  if (pg === NO_PAGE) {
    yield* pteUnlock(ptep);
    return -EFAULT;
  }
  if ((yield* readOnce(Page.mapcount.at(pg))) === 1) {
    yield* setPte(v, ptep, pte | PTE_RW | PTE_DIRTY);
    yield* pteUnlock(ptep);
    return 0;
  }
  yield* fetchAdd(Page.refcount.at(pg), 1);
  yield* pteUnlock(ptep);
  const status = yield* wpPageCopy(v, mm, vma, ptep, pte, pg);
  yield* putPage(v, pg);
  return status;
}

/**
 * mm/memory.c: handle_mm_fault(). The caller keeps the VMA stable.
 * @param v - vCPU that runs this. @param vma - VMA of the address. @param vpn - the address.
 * @param store - 1 for a store. @returns 0: try again; -EFAULT or -ENOMEM.
 */
export function* handleMmFault(v: number, mm: number, vma: number, vpn: number, store: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & (store === 1 ? VM_WRITE : VM_READ | VM_WRITE)) === 0) return -EFAULT;
  if ((yield* read(Vma.ops.at(vma))) !== VM_OPS_ANONYMOUS) return -EFAULT;
  const ptep = yield* pteAlloc(v, mm, vpn);
  if (ptep === NO_PTE) return -ENOMEM;
  const pte = yield* readOnce(ptep);
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) {
    return yield* doAnonymousPage(v, mm, vma, ptep);
  }
  if (store === 1 && (pte & PTE_RW) === 0) return yield* doWpPage(v, mm, vma, vpn, ptep, pte);
  return 0;
}

/**
 * arch/x86/mm/fault.c: do_user_addr_fault(): under the VMA's read lock, else under mmap_lock.
 * @param v - vCPU that faulted. @param vpn - the address. @param store - 1 for a store.
 * @returns 0: try the access again; -EFAULT (SIGSEGV, SIGBUS) or -ENOMEM.
 */
export function* handleUserFault(v: number, mm: number, vpn: number, store: number): Op {
  let vma = yield* lockVmaUnderRcu(v, mm, vpn);
  let status = -EFAULT;
  if (vma !== NO_VMA) {
    status = yield* handleMmFault(v, mm, vma, vpn, store);
    yield* vmaEndRead(vma);
    return status;
  }
  yield* mmapReadLock(mm);
  vma = yield* vmaLookup(mm, vpn);
  if (vma !== NO_VMA) status = yield* handleMmFault(v, mm, vma, vpn, store);
  yield* mmapReadUnlock(mm);
  return status;
}
