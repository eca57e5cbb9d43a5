/**
 * Files of tmpfs in an address space (mm/shmem.c: shmem_mmap(), shmem_fault(); mm/memory.c:
 * do_fault(), finish_fault()). A mapping keeps the inode.
 *
 * A fault: 1. the page of the cache, locked; a new one is zeros. Beyond the end of the file:
 * SIGBUS. 2. under the page-table lock, if the entry is still empty: a reference and an rmap of
 * the page, and the entry. 3. unlock the page. The page is locked over 2, and truncation takes it
 * out of the cache under the same lock. A private mapping gets it read-only; a store then copies
 * it.
 *
 * Not modelled: that truncation takes pages out of page tables too (unmap_mapping_range()).
 */
import { PTE_DIRTY, PTE_RW, makePte } from '../../hardware/paging.ts';
import { domainOf } from '../../hardware/params.ts';
import { spinLock } from '../../shared/spinlock.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce, write } from '../../shared/operations.ts';
import { VM_FAULT_OOM, VM_FAULT_SIGBUS } from '../mm/fault-codes.ts';
import { Mm } from '../mm/mm.ts';
import { pfnToMfn } from '../mm/p2m.ts';
import { getPage, pfnOf, putPage } from '../mm/page.ts';
import { NO_PTE, pteAlloc, pteLock, pteUnlock, setPte } from '../mm/pgtable.ts';
import { pageAddRmap } from '../mm/rmap.ts';
import { VM_OPS_SHMEM } from '../mm/vm-ops.ts';
import { VM_SHARED, VM_WRITE, Vma } from '../mm/vma.ts';
import { pageBytes, zeroBytes } from './copy-bytes.ts';
import {
  Inode,
  InodePage,
  grabCachePage,
  ihold,
  iput,
  pageUptodate,
  setPageUptodate,
  unlockPage,
} from './page-cache.ts';

/** mm/shmem.c: shmem_mmap(). @param inode - of the file. @param vma - new VMA. @returns 0. */
export function* shmemMmap(inode: number, vma: number): Op {
  yield* write(Vma.ops.at(vma), VM_OPS_SHMEM);
  yield* write(Vma.file.at(vma), inode);
  yield* ihold(inode);
  return 0;
}

/** A copy of a VMA of tmpfs. */
export function* shmemVmaOpen(vma: number): Op<void> {
  yield* ihold(yield* read(Vma.file.at(vma)));
}

/** A VMA of tmpfs that goes. */
export function* shmemVmaClose(v: number, vma: number): Op<void> {
  yield* iput(v, yield* read(Vma.file.at(vma)));
}

/** mm/memory.c: finish_fault(). @param pg - locked page with a reference of the caller. */
function* finishFault(v: number, mm: number, vma: number, ptep: number, pg: number): Op<void> {
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const prot = yield* read(Vma.pageProt.at(vma));
  const shared = VM_SHARED | VM_WRITE;
  const writable = ((yield* read(Vma.flags.at(vma))) & shared) === shared;
  yield* spinLock(pteLock(ptep));
  if ((yield* readOnce(ptep)) === 0) {
    yield* getPage(pg);
    yield* fetchAdd(Mm.rss.at(mm), 1);
    yield* pageAddRmap(pg);
    yield* setPte(v, ptep, makePte(mfn, writable ? prot | PTE_RW | PTE_DIRTY : prot & ~PTE_RW));
  }
  yield* pteUnlock(ptep);
}

/**
 * mm/shmem.c: shmem_fault(). The VMA is stable, and has no entry at the address.
 * @returns 0 or VM_FAULT_*.
 */
export function* shmemFault(v: number, mm: number, vma: number, vpn: number): Op {
  const inode = yield* read(Vma.file.at(vma));
  const start = yield* read(Vma.vmStart.at(vma));
  const index = vpn - start + (yield* read(Vma.pgoff.at(vma)));
  const size = yield* readOnce(Inode.size.at(inode));
  if (index * pageBytes() >= size || index >= InodePage.value.count) return VM_FAULT_SIGBUS;
  const ptep = yield* pteAlloc(v, mm, vpn);
  if (ptep === NO_PTE) return VM_FAULT_OOM;
  const pg = yield* grabCachePage(v, inode, index);
  if (pg < 0) return VM_FAULT_OOM;
  if ((yield* pageUptodate(pg)) === 0) {
    yield* zeroBytes(v, pg, 0, pageBytes());
    yield* setPageUptodate(pg);
  }
  yield* finishFault(v, mm, vma, ptep, pg);
  yield* unlockPage(pg);
  yield* putPage(v, pg);
  return 0;
}
