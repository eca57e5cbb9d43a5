/**
 * Virtual memory areas (include/linux/mm_types.h: struct vm_area_struct): the pages
 * [vmStart, vmEnd) of an address space, with one protection and one set of operations.
 *
 * A VMA changes under mmap_lock write and vma_start_write (vma-lock.ts); it is stable for readers
 * of mmap_lock and for holders of its read lock. Whoever finds it without a lock (vma-tree.ts) may
 * only look at vmRefcnt and vmLockSeq.
 *
 * vmRefcnt  0 detached, 1 attached, + 1 for each reader, + VM_REFCNT_EXCLUDE while a writer waits.
 *
 * The memory of a VMA is type-stable (SLAB_TYPESAFE_BY_RCU): freed at once, used again at once,
 * perhaps in another address space; so a reader checks `mm` and the bounds after it has the lock.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write, writeLocal, writeOnce } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { PTE_PRESENT, PTE_PROTNONE, PTE_RW, PTE_USER } from '../../hardware/paging.ts';

/** No VMA: the null pointer. */
export const NO_VMA = -1;

/** include/linux/mm.h: VM_* flags, with their bits. */
export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
export const VM_SHARED = 0x8;
/** What mprotect may set. */
export const VM_MAYREAD = 0x10;
export const VM_MAYWRITE = 0x20;
export const VM_MAYEXEC = 0x40;
export const VM_MAYSHARE = 0x80;
export const VM_PFNMAP = 0x400;
export const VM_LOCKED = 0x2000;
export const VM_IO = 0x4000;
export const VM_SEQ_READ = 0x8000;
export const VM_RAND_READ = 0x10000;
export const VM_DONTCOPY = 0x20000;
export const VM_DONTEXPAND = 0x40000;
export const VM_LOCKONFAULT = 0x80000;
export const VM_ACCOUNT = 0x100000;
export const VM_NORESERVE = 0x200000;
export const VM_WIPEONFORK = 0x2000000;
export const VM_DONTDUMP = 0x4000000;
export const VM_SOFTDIRTY = 0x8000000;
export const VM_MIXEDMAP = 0x10000000;
export const VM_HUGEPAGE = 0x20000000;
export const VM_NOHUGEPAGE = 0x40000000;
/**
 * 2.6.18-xen: the private data is an array of the pages behind the VMA. Its bit there, 0x4000000,
 * is VM_DONTDUMP today; here it has that of VM_MERGEABLE, which nobody sets.
 */
export const VM_FOREIGN = 1 << 31;

/** VM_ACCESS_FLAGS: what a program may do with the pages. */
export const VM_ACCESS_FLAGS = VM_READ | VM_WRITE | VM_EXEC;
/** VM_SPECIAL: VMAs that are neither merged nor locked. */
export const VM_SPECIAL = VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP;
/** ~VM_LOCKED_CLEAR_MASK. */
export const VM_LOCKED_MASK = VM_LOCKED | VM_LOCKONFAULT;

/** include/linux/mm.h: is_cow_mapping(). @param flags - VM_*. */
export function isCowMapping(flags: number): boolean {
  return (flags & (VM_SHARED | VM_MAYWRITE)) === VM_MAYWRITE;
}

/** vmLockSeq of a VMA that was never write-locked (UINT_MAX in the kernel). */
const VM_LOCK_SEQ_NONE = -1;

export const Vma = defineTable(
  'vma[%]',
  ['vmas'],
  {
    mm: '[GST] address space',
    vmStart: '[GST] first vpn',
    vmEnd: '[GST] vpn after the last',
    flags: '[GST] VM_* flags',
    pageProt: '[GST] PTE_* flags of its page-table entries (vm_page_prot)',
    pgoff: '[GST] offset of vmStart in the mapped object, in pages',
    ops: '[GST] VM_OPS_* (vm-ops.ts)',
    privateData: '[GST] object of the driver, -1 if none (vm_private_data)',
    file: '[GST] open file of the driver (vm_file), -1 if none is noted',
    pages: '[GST] the slice of its page array (Draft B: vma->pages), -1 if none',
    mapping: '[GST] object that it maps (vm_file->f_mapping), -1 if none; constant',
    sharedNext: '[GST] next VMA of that object (shared.rb); its lock',
    vmRefcnt: '[GST] state and readers of the per-VMA lock',
    vmLockSeq: '[GST] mmLockSeq of the last write section that locked it',
    detachedNext: '[GST] next VMA that the same munmap detached, -1 at the end',
  },
  { lineAligned: true },
);

export const VmaPool = defineTable('vma_cache[%]', ['vmas'], {
  value: '[GST] bitmap of the VMAs in use (slab.ts)',
});

/**
 * mm/mmap.c: vm_get_page_prot(): page-table flags of VM_* flags. A private writable page is mapped
 * read-only at first (PAGE_COPY): whoever makes an entry of a page that is nobody else's adds the
 * right.
 */
export function vmGetPageProt(flags: number): number {
  if ((flags & VM_ACCESS_FLAGS) === 0) return PTE_PROTNONE;
  const writable = (flags & (VM_WRITE | VM_SHARED)) === (VM_WRITE | VM_SHARED);
  return PTE_PRESENT | PTE_USER | (writable ? PTE_RW : 0);
}

/** mm/vma_init.c: vm_area_alloc(). @param mm - its address space. @returns a VMA, or NO_VMA. */
export function* vmAreaAlloc(mm: number): Op {
  const vma = yield* slabAlloc(VmaPool.value.at(0), VmaPool.value.count);
  if (vma < 0) return NO_VMA;
  yield* write(Vma.mm.at(vma), mm);
  yield* write(Vma.vmStart.at(vma), 0);
  yield* write(Vma.vmEnd.at(vma), 0);
  yield* write(Vma.flags.at(vma), 0);
  yield* write(Vma.pageProt.at(vma), 0);
  yield* write(Vma.pgoff.at(vma), 0);
  yield* write(Vma.ops.at(vma), 0);
  yield* write(Vma.privateData.at(vma), -1);
  yield* write(Vma.file.at(vma), -1);
  yield* write(Vma.pages.at(vma), -1);
  writeLocal(Vma.mapping.at(vma), -1);
  yield* writeOnce(Vma.vmLockSeq.at(vma), VM_LOCK_SEQ_NONE);
  return vma;
}

/** Copies a field from one VMA to another. */
function* copyField(fieldWord: number, stride: number, from: number, to: number): Op<void> {
  yield* write(fieldWord + to * stride, yield* read(fieldWord + from * stride));
}

/**
 * mm/vma_init.c: vm_area_dup(): a detached copy.
 * @param orig - VMA that is stable for the caller. @returns the copy, or NO_VMA.
 */
export function* vmAreaDup(orig: number): Op {
  const vma = yield* slabAlloc(VmaPool.value.at(0), VmaPool.value.count);
  if (vma < 0) return NO_VMA;
  for (let word = Vma.mm.word; word <= Vma.pages.word; word++) {
    yield* copyField(word, Vma.mm.stride, orig, vma);
  }
  writeLocal(Vma.mapping.at(vma), readLocal(Vma.mapping.at(orig)));
  yield* writeOnce(Vma.vmLockSeq.at(vma), VM_LOCK_SEQ_NONE);
  return vma;
}

/** mm/vma_init.c: vm_area_free(). @param vma - detached, without readers. */
export function* vmAreaFree(vma: number): Op<void> {
  yield* slabFree(VmaPool.value.at(0), vma);
}
