/**
 * Address spaces (include/linux/mm_types.h: struct mm_struct) and mmap_lock
 * (include/linux/mmap_lock.h).
 *
 * mmapLock     rwsem. Write: VMAs and their order change. Read: both stay as they are.
 * mmLockSeq    odd while mmap_lock is held for writing; a VMA whose vmLockSeq equals it is
 *              write-locked. Ending the write section unlocks all those VMAs at once.
 * pageTableLock protects the upper levels of the page tables; the lowest has one lock a table
 *              (pgtable.ts).
 * vmaNode      the published node of the VMA tree (vma-tree.ts).
 * tlbFlushPending, cpumask: mmu-gather.ts. notifier words: mmu-notifier.ts.
 *
 * Lock order: mmap_lock, per-VMA lock, notifier, pageTableLock, page-table locks, zone lock.
 */
import type { Op } from '../../shared/op.ts';
import { defineTable } from '../../shared/table.ts';
import { downRead, downWrite, downgradeWrite, upRead, upWrite } from '../../shared/rwsem.ts';
import { writeSeqBegin, writeSeqEnd } from '../../shared/seqcount.ts';

/** No address space. */
export const NO_MM = -1;

export const Mm = defineTable(
  'mm[%]',
  ['mms'],
  {
    mmapLock: '[GST] rwsem',
    mmLockSeq: '[GST] seqcount of the write sections of mmapLock',
    vmaNode: '[GST] node of the VMA tree; stored with release under mmapLock write',
    mapCount: '[GST] VMAs; mmapLock write',
    owner: '[GST] domain; constant while the address space lives',
    root: '[GST] mfn of the top page table; constant while the address space lives',
    cpumask: '[GST] vCPUs whose cr3 may hold the root',
    pageTableLock: '[GST] spinlock of the upper page tables',
    tlbFlushPending: '[GST] gathers under way that may owe a flush',
    rss: '[GST] normal pages that are mapped',
    writeProtectSeq: '[GST] seqcount: odd while fork write-protects pages',
    invalidateSeq: '[GST] notifier sequence, odd while subscribers are invalidated; notifierLock',
    notifierLock: '[GST] spinlock of the notifier words',
    activeInvalidateRanges: '[GST] ranges that are being invalidated; notifierLock',
    notifierHead: '[GST] first subscription, -1 if none; constant while invalidateSeq is odd',
    notifierDeferred: '[GST] first deferred insert or remove, -1 if none; notifierLock',
    count:
      '[GST] mm_count: 1 of all users together, and who keeps the record; the last one frees it',
    users: '[GST] mm_users: tasks, and who works on it for a while; the last one unmaps all',
    flags: '[GST] MMF_* bits',
    pinned:
      '[GST] 1 while Xen has the root pinned (PagePinned); nobody else has it when it changes',
    defFlags: '[GST] def_flags: VM_* of new VMAs (mlockall); mmapLock write',
    lockedVm: '[GST] locked_vm: pages of VM_LOCKED VMAs; mmapLock write',
    startBrk: '[GST] start_brk: where the heap begins, as an address; mmapLock write',
    brk: '[GST] end of the heap, as an address; mmapLock write',
  },
  { lineAligned: true },
);

/** Bit of Mm.flags: MMF_HAS_PINNED, pages of it may have been pinned (FOLL_PIN). */
export const MMF_HAS_PINNED = 1;

/** include/linux/mmap_lock.h: mmap_read_lock() */
export function* mmapReadLock(mm: number): Op<void> {
  yield* downRead(Mm.mmapLock.at(mm));
}

/** include/linux/mmap_lock.h: mmap_read_unlock() */
export function* mmapReadUnlock(mm: number): Op<void> {
  yield* upRead(Mm.mmapLock.at(mm));
}

/** include/linux/mmap_lock.h: mmap_write_lock() */
export function* mmapWriteLock(mm: number): Op<void> {
  yield* downWrite(Mm.mmapLock.at(mm));
  yield* writeSeqBegin(Mm.mmLockSeq.at(mm));
}

/** include/linux/mmap_lock.h: mmap_write_unlock(), with vma_end_write_all() */
export function* mmapWriteUnlock(mm: number): Op<void> {
  yield* writeSeqEnd(Mm.mmLockSeq.at(mm));
  yield* upWrite(Mm.mmapLock.at(mm));
}

/** include/linux/mmap_lock.h: mmap_write_downgrade(), with vma_end_write_all() */
export function* mmapWriteDowngrade(mm: number): Op<void> {
  yield* writeSeqEnd(Mm.mmLockSeq.at(mm));
  yield* downgradeWrite(Mm.mmapLock.at(mm));
}
