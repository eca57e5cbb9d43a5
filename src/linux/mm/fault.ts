/**
 * Page faults (mm/memory.c: handle_mm_fault(), do_anonymous_page(), do_fault();
 * arch/x86/mm/fault.c: do_user_addr_fault()). A store to a read-only entry: wp-fault.ts.
 *
 * A missing page: 1. a page, zeroed. 2. under the page-table lock: is the entry still empty? 3. one
 * mapping more, then the entry. A page that lost the race goes back.
 *
 * The VMA is stable by its read lock or by mmap_lock. Memory of the grant drivers does not fault
 * in: an access there without an entry is SIGBUS.
 *
 * Not modelled: the zero page; an anonymous page that is only read is a page of its own at once.
 */
import {
  PTE_DIRTY,
  PTE_PRESENT,
  PTE_PROTNONE,
  PTE_RW,
  makePte,
  walkToPte,
} from '../../hardware/paging.ts';
import { domainOf } from '../../hardware/params.ts';
import { setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce } from '../../shared/operations.ts';
import { spinLock } from '../../shared/spinlock.ts';
import { EFAULT, ENOMEM } from '../errno.ts';
import { shmemFault } from '../fs/shmem-fault.ts';
import { clearPage } from './direct-map.ts';
import {
  BUS_ADRERR,
  FAULT_FLAG_FORCE,
  FAULT_FLAG_UNSHARE,
  FAULT_FLAG_WRITE,
  REG_SI_CODE,
  REG_SIGNO,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SIGBUS,
  SIGKILL,
  SIGSEGV,
  VM_FAULT_OOM,
  VM_FAULT_SIGBUS,
  VM_FAULT_SIGSEGV,
} from './fault-codes.ts';
import { Mm, mmapReadLock, mmapReadUnlock } from './mm.ts';
import { pfnToMfn } from './p2m.ts';
import { allocPage } from './page-alloc.ts';
import { NO_PAGE, pfnOf, putPage } from './page.ts';
import { NO_PTE, pteAlloc, pteLock, pteUnlock, rootOf, setPte } from './pgtable.ts';
import { pageAddNewAnonRmap } from './rmap.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_SHMEM } from './vm-ops.ts';
import { NO_VMA, VM_ACCESS_FLAGS, VM_SHARED, VM_WRITE, Vma } from './vma.ts';
import { lockVmaUnderRcu, vmaEndRead } from './vma-lock.ts';
import { vmaLookup } from './vma-tree.ts';
import { doWpPage } from './wp-fault.ts';

/** mm/memory.c: do_anonymous_page(). @param flags - VM_*. @returns 0 or VM_FAULT_*. */
function* doAnonymousPage(v: number, mm: number, vma: number, ptep: number, flags: number): Op {
  if ((flags & VM_SHARED) !== 0) return VM_FAULT_SIGBUS;
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return VM_FAULT_OOM;
  yield* clearPage(v, pg);
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const prot = yield* read(Vma.pageProt.at(vma));
  const entry = makePte(mfn, (flags & VM_WRITE) !== 0 ? prot | PTE_RW | PTE_DIRTY : prot);
  yield* spinLock(pteLock(ptep));
  const raced = (yield* readOnce(ptep)) !== 0;
  if (!raced) {
    yield* fetchAdd(Mm.rss.at(mm), 1);
    yield* pageAddNewAnonRmap(pg);
    yield* setPte(v, ptep, entry);
  }
  yield* pteUnlock(ptep);
  if (raced) yield* putPage(v, pg);
  return 0;
}

/**
 * mm/memory.c: do_fault() of a VMA whose operations have no ->fault: the driver fills its entries
 * itself. @returns VM_FAULT_SIGBUS; 0 if there is an entry by now.
 */
function* doFault(ptep: number): Op {
  yield* spinLock(pteLock(ptep));
  const empty = (yield* readOnce(ptep)) === 0;
  yield* pteUnlock(ptep);
  return empty ? VM_FAULT_SIGBUS : 0;
}

/**
 * mm/memory.c: handle_mm_fault(). The caller keeps the VMA stable. That the VMA permits the access
 * is looked at here, and not in access_error() of the callers, who would read the same flags.
 * @param v - vCPU that runs this. @param vma - VMA of the address. @param vpn - the address.
 * @param faultFlags - FAULT_FLAG_*. @returns 0: try again; or VM_FAULT_*.
 */
export function* handleMmFault(
  v: number,
  mm: number,
  vma: number,
  vpn: number,
  faultFlags: number,
): Op {
  const flags = yield* read(Vma.flags.at(vma));
  const needed = (faultFlags & FAULT_FLAG_WRITE) !== 0 ? VM_WRITE : VM_ACCESS_FLAGS;
  const forced = (faultFlags & FAULT_FLAG_FORCE) !== 0;
  if ((flags & needed) === 0 && !forced) return VM_FAULT_SIGSEGV;
  const ops = yield* read(Vma.ops.at(vma));
  const anonymous = ops === VM_OPS_ANONYMOUS;
  const ptep = anonymous ? yield* pteAlloc(v, mm, vpn) : yield* walkToPte(v, rootOf(mm), vpn);
  if (ptep === NO_PTE && ops === VM_OPS_SHMEM) return yield* shmemFault(v, mm, vma, vpn);
  if (ptep === NO_PTE) return anonymous ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
  const pte = yield* readOnce(ptep);
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) === 0) {
    if (anonymous) return yield* doAnonymousPage(v, mm, vma, ptep, flags);
    if (ops === VM_OPS_SHMEM) return yield* shmemFault(v, mm, vma, vpn);
    return yield* doFault(ptep);
  }
  if ((faultFlags & (FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE)) !== 0 && (pte & PTE_RW) === 0) {
    return yield* doWpPage(v, mm, vma, vpn, ptep, pte, faultFlags);
  }
  return 0;
}

/** include/linux/mm.h: vm_fault_to_errno(). @param fault - VM_FAULT_*, not 0. */
export function vmFaultToErrno(fault: number): number {
  return (fault & VM_FAULT_OOM) !== 0 ? -ENOMEM : -EFAULT;
}

/** The signal of a bad access, for whoever runs the program. @returns -EFAULT. */
function badAccess(v: number, signo: number, code: number): number {
  setReg(v, REG_SIGNO, signo);
  setReg(v, REG_SI_CODE, code);
  return -EFAULT;
}

/** The end of do_user_addr_fault(). @returns 0, -EFAULT or -ENOMEM; the signal in registers. */
function faultResult(v: number, fault: number): number {
  if (fault === 0) return 0;
  if ((fault & VM_FAULT_OOM) !== 0) {
    badAccess(v, SIGKILL, 0);
    return -ENOMEM;
  }
  if ((fault & VM_FAULT_SIGBUS) !== 0) return badAccess(v, SIGBUS, BUS_ADRERR);
  return badAccess(v, SIGSEGV, SEGV_ACCERR);
}

/**
 * arch/x86/mm/fault.c: do_user_addr_fault(): under the VMA's read lock, else under mmap_lock.
 * @param v - vCPU that faulted. @param vpn - the address. @param store - 1 for a store.
 * @returns 0: try the access again; -EFAULT or -ENOMEM, and what a program gets for it in REG_SIGNO
 *   and REG_SI_CODE.
 */
export function* handleUserFault(v: number, mm: number, vpn: number, store: number): Op {
  const flags = store === 1 ? FAULT_FLAG_WRITE : 0;
  let vma = yield* lockVmaUnderRcu(v, mm, vpn);
  if (vma !== NO_VMA) {
    const fault = yield* handleMmFault(v, mm, vma, vpn, flags);
    yield* vmaEndRead(vma);
    return faultResult(v, fault);
  }
  yield* mmapReadLock(mm);
  vma = yield* vmaLookup(mm, vpn);
  const fault = vma === NO_VMA ? 0 : yield* handleMmFault(v, mm, vma, vpn, flags);
  yield* mmapReadUnlock(mm);
  return vma === NO_VMA ? badAccess(v, SIGSEGV, SEGV_MAPERR) : faultResult(v, fault);
}
