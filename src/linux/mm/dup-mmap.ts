/**
 * A copy of an address space (kernel/fork.c: dup_mm(), dup_mmap()).
 *
 * With mmap_lock of the parent, then of the child, held for writing, for each VMA of the parent
 * that is not VM_DONTCOPY: 1. write-lock it. 2. copy it; the copy is not locked into memory. 3.
 * link it to the file's mapping, and store it in the child's tree. 4. copy its page tables. 5.
 * vm_ops->open, also if 4 failed. Then Xen pins the child's tables, and the parent's TLBs are
 * flushed before anybody can run: until then its threads may write through entries that are
 * read-only already.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { ENOMEM } from '../errno.ts';
import { copyPageRange } from './copy-page-range.ts';
import { flushTlbMm } from './flush.ts';
import { Mm, NO_MM, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { mmAlloc, mmput } from './mm-life.ts';
import { xenPgdPin } from './pgd.ts';
import { vmOpsOpen } from './vm-ops.ts';
import { NO_VMA, VM_DONTCOPY, VM_LOCKED_MASK, VM_WIPEONFORK, Vma, vmAreaDup } from './vma.ts';
import { vmaMarkAttached, vmaStartWrite } from './vma-lock.ts';
import { findVma, vmaTreeAppend } from './vma-tree.ts';

/** One VMA of dup_mmap(). @param mm - the child. @param vma - VMA of the parent. */
function* dupVma(v: number, mm: number, vma: number): Op {
  const copy = yield* vmAreaDup(vma);
  if (copy === NO_VMA) return -ENOMEM;
  const flags = yield* read(Vma.flags.at(vma));
  yield* write(Vma.mm.at(copy), mm);
  yield* write(Vma.flags.at(copy), flags & ~VM_LOCKED_MASK);
  const start = yield* read(Vma.vmStart.at(copy));
  const end = yield* read(Vma.vmEnd.at(copy));
  yield* vmaStartWrite(copy);
  yield* vmaMarkAttached(copy);
  yield* vmaTreeAppend(mm, start, end, copy);
  yield* write(Mm.mapCount.at(mm), (yield* read(Mm.mapCount.at(mm))) + 1);
  let status = 0;
  if ((flags & VM_WIPEONFORK) === 0) status = yield* copyPageRange(v, mm, vma);
  yield* vmOpsOpen(v, copy);
  return status;
}

/** The loop of dup_mmap(). @returns 0 or -ENOMEM. */
function* dupVmas(v: number, mm: number, parent: number): Op {
  let vma = yield* findVma(parent, 0);
  while (vma !== NO_VMA) {
    yield* vmaStartWrite(vma);
    if (((yield* read(Vma.flags.at(vma))) & VM_DONTCOPY) === 0) {
      const status = yield* dupVma(v, mm, vma);
      if (status < 0) return status;
    }
    vma = yield* findVma(parent, yield* read(Vma.vmEnd.at(vma)));
  }
  return 0;
}

/** kernel/fork.c: dup_mmap(). @returns 0 or -ENOMEM. */
function* dupMmap(v: number, mm: number, parent: number): Op {
  yield* mmapWriteLock(parent);
  yield* mmapWriteLock(mm);
  yield* write(Mm.startBrk.at(mm), yield* read(Mm.startBrk.at(parent)));
  yield* write(Mm.brk.at(mm), yield* read(Mm.brk.at(parent)));
  const status = yield* dupVmas(v, mm, parent);
  if (status === 0) yield* xenPgdPin(v, mm);
  yield* mmapWriteUnlock(mm);
  yield* flushTlbMm(v, parent);
  yield* mmapWriteUnlock(parent);
  return status;
}

/**
 * kernel/fork.c: dup_mm().
 * @param v - vCPU of the parent. @param parent - its address space.
 * @returns an address space with one user, or NO_MM if there is no memory.
 */
export function* dupMm(v: number, parent: number): Op {
  const mm = yield* mmAlloc(v);
  if (mm === NO_MM) return NO_MM;
  if ((yield* dupMmap(v, mm, parent)) === 0) return mm;
  yield* mmput(v, mm);
  return NO_MM;
}
