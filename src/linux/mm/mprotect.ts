/**
 * mprotect (mm/mprotect.c: mprotect_fixup(), change_protection()).
 *
 * With mmap_lock held for writing, for each VMA: 1. cut it so that one VMA is the range. 2. write-
 * lock it; new flags and page protection. 3. notifiers start. 4. change
 * each present entry under its page-table lock. 5. notifiers end. 6. flush.
 * An entry that becomes weaker is flushed before mprotect returns; until then TLBs keep the old
 * right.
 */
import { PTE_FLAGS_MASK, PTE_PRESENT, PTE_PROTNONE, PTE_RW } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, write } from '../../shared/operations.ts';
import { EACCES, EINVAL, ENOMEM } from '../errno.ts';
import { mmuNotifierInvalidateEnd, mmuNotifierInvalidateStart } from './mmu-notifier.ts';
import { mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { tlbFinish, tlbGather, tlbRemoveTlbEntry } from './mmu-gather.ts';
import { isUserRange } from './munmap.ts';
import { vmNormalPage } from './normal-page.ts';
import { NO_PAGE, PG_anon, PG_anon_exclusive, Page } from './page.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock, setPte } from './pgtable.ts';
import {
  NO_VMA,
  VM_ACCESS_FLAGS,
  VM_ACCOUNT,
  VM_NORESERVE,
  VM_SHARED,
  VM_WRITE,
  Vma,
  vmGetPageProt,
} from './vma.ts';
import { vmaStartWrite } from './vma-lock.ts';
import { cutToRange } from './vma-modify.ts';
import { findVma } from './vma-tree.ts';
import { endOfTable } from './zap.ts';

/** Flags of an entry that mprotect sets anew. */
const PROT_FLAGS = PTE_PRESENT | PTE_RW | PTE_PROTNONE;

/** A VMA with one of them is accounted for already, or needs not be. */
const CHARGED = VM_ACCOUNT | VM_WRITE | VM_SHARED | VM_NORESERVE;

/** arch/x86/include/asm/pgtable.h: pte_modify() */
function pteModify(pte: number, prot: number): number {
  return (pte & ~PROT_FLAGS) | (prot & PTE_FLAGS_MASK);
}

/**
 * mm/mprotect.c: can_change_pte_writable() of a private mapping: a page that is this entry's alone
 * needs no fault to become writable. @returns 1 or 0.
 */
function* canChangePteWritable(v: number, vma: number, vpn: number, pte: number): Op {
  const pg = yield* vmNormalPage(v, vma, vpn, pte);
  if (pg === NO_PAGE) return 0;
  const anonExclusive = PG_anon | PG_anon_exclusive;
  return ((yield* readOnce(Page.flags.at(pg))) & anonExclusive) === anonExclusive ? 1 : 0;
}

/** vma_wants_manual_pte_write_upgrade(), of a private mapping. */
function wantsWriteUpgrade(flags: number): boolean {
  return (flags & (VM_WRITE | VM_SHARED)) === VM_WRITE;
}

/** mm/mprotect.c: change_pte_range(), one entry. The lock is held. */
function* changePte(
  v: number,
  vma: number,
  vpn: number,
  ptep: number,
  prot: number,
  flags: number,
): Op<void> {
  const old = yield* readOnce(ptep);
  if ((old & (PTE_PRESENT | PTE_PROTNONE)) === 0) return;
  let entry = pteModify(old, prot);
  if (wantsWriteUpgrade(flags) && (yield* canChangePteWritable(v, vma, vpn, entry)) === 1) {
    entry |= PTE_RW;
  }
  if (entry === old) return;
  yield* setPte(v, ptep, entry);
  if ((old & ~entry & (PTE_PRESENT | PTE_RW)) !== 0) tlbRemoveTlbEntry(v);
}

/** mm/mprotect.c: change_protection_range() */
function* changeProtection(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  flags: number,
): Op<void> {
  const prot = vmGetPageProt(flags);
  let vpn = start;
  while (vpn < end) {
    const last = Math.min(end, endOfTable(vpn));
    const ptep = yield* pteOffsetMapLock(v, mm, vpn);
    if (ptep !== NO_PTE) {
      for (let i = 0; i < last - vpn; i++) {
        yield* changePte(v, vma, vpn + i, ptep + i, prot, flags);
      }
      yield* pteUnlock(ptep);
    }
    vpn = last;
  }
}

/** mm/mprotect.c: mprotect_fixup(), after do_mprotect_pkey()'s check. @returns 0 or an error. */
function* fixup(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  access: number,
): Op {
  const old = yield* read(Vma.flags.at(vma));
  let flags = (old & ~VM_ACCESS_FLAGS) | access;
  if ((flags & ~(flags >> 4) & VM_ACCESS_FLAGS) !== 0) return -EACCES;
  if (flags === old) return 0;
  if ((flags & VM_WRITE) !== 0 && (old & CHARGED) === 0) flags |= VM_ACCOUNT;
  const status = yield* cutToRange(v, mm, vma, start, end);
  if (status < 0) return status;
  yield* vmaStartWrite(vma);
  yield* write(Vma.flags.at(vma), flags);
  yield* write(Vma.pageProt.at(vma), vmGetPageProt(flags));
  yield* mmuNotifierInvalidateStart(v, mm, start, end, 1);
  yield* changeProtection(v, mm, vma, start, end, flags);
  yield* mmuNotifierInvalidateEnd(v, mm, start, end);
  return 0;
}

/** mm/mprotect.c: do_mprotect_pkey(), its loop. @returns 0 or -ENOMEM. */
function* protectVmas(v: number, mm: number, start: number, end: number, access: number): Op {
  let vpn = start;
  while (vpn < end) {
    const vma = yield* findVma(mm, vpn);
    if (vma === NO_VMA || (yield* read(Vma.vmStart.at(vma))) > vpn) return -ENOMEM;
    const to = Math.min(end, yield* read(Vma.vmEnd.at(vma)));
    const status = yield* fixup(v, mm, vma, vpn, to, access);
    if (status < 0) return status;
    vpn = to;
  }
  return 0;
}

/**
 * mprotect(2).
 * @param v - vCPU that runs this. @param start - first vpn. @param count - pages.
 * @param access - of VM_READ, VM_WRITE, VM_EXEC; 0 for PROT_NONE.
 * @returns 0 or a negative errno; -ENOMEM if part of the range is not mapped, -EACCES if it cannot
 *   be accessed so.
 */
export function* mprotect(v: number, mm: number, start: number, count: number, access: number): Op {
  if (!isUserRange(start, count)) return -EINVAL;
  yield* mmapWriteLock(mm);
  yield* tlbGather(v, mm);
  const status = yield* protectVmas(v, mm, start, start + count, access);
  yield* tlbFinish(v);
  yield* mmapWriteUnlock(mm);
  return status;
}
