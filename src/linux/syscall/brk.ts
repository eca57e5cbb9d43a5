/** brk(2) (mm/mmap.c: brk(), do_brk_flags()). */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { ENOMEM } from '../errno.ts';
import { fitsTask, pagesOfLength } from '../mm/address.ts';
import { Mm, mmapWriteLock, mmapWriteUnlock } from '../mm/mm.ts';
import { currentMm } from '../mm/mm-life.ts';
import { doMmapRegion } from '../mm/mmap.ts';
import { doVmiMunmap } from '../mm/munmap.ts';
import { mmPopulate } from '../mm/populate.ts';
import { findVmaIntersection } from '../mm/unmapped-area.ts';
import { VM_OPS_ANONYMOUS } from '../mm/vm-ops.ts';
import {
  NO_VMA,
  VM_ACCOUNT,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_READ,
  VM_SOFTDIRTY,
  VM_WRITE,
  Vma,
} from '../mm/vma.ts';
import { vmaExpand } from '../mm/vma-modify.ts';
import { vmaLookup } from '../mm/vma-tree.ts';

/** VM_DATA_DEFAULT_FLAGS of memory that is not executed. */
const HEAP_FLAGS = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

/** mm/mmap.c: do_brk_flags(): the VMA below grows, if it is alike. @returns 0 or -ENOMEM. */
function* doBrkFlags(v: number, mm: number, start: number, end: number): Op {
  const flags = HEAP_FLAGS | (yield* read(Mm.defFlags.at(mm)));
  const below = start > 0 ? yield* vmaLookup(mm, start - 1) : NO_VMA;
  if (below !== NO_VMA) {
    const alike = (yield* read(Vma.flags.at(below))) === (flags | VM_ACCOUNT | VM_SOFTDIRTY);
    const anonymous = (yield* read(Vma.ops.at(below))) === VM_OPS_ANONYMOUS;
    if (alike && anonymous) return yield* vmaExpand(v, mm, below, end);
  }
  return yield* doMmapRegion(v, mm, start, end - start, flags, VM_OPS_ANONYMOUS, -1, start);
}

/** The change of the heap from one end to another, in pages. @returns 0 or a negative errno. */
function* moveBreak(v: number, mm: number, from: number, to: number): Op {
  if (to < from) return yield* doVmiMunmap(v, mm, to, from, 0);
  if (to === from) return 0;
  if (!fitsTask(0, to + 1)) return -ENOMEM;
  // One page stays free between the heap and the next mapping.
  if ((yield* findVmaIntersection(mm, from, to + 1)) !== NO_VMA) return -ENOMEM;
  return yield* doBrkFlags(v, mm, from, to);
}

/**
 * brk(2).
 * @param v - vCPU of the task. @param address - new end of the heap. @returns the end of the heap:
 *   the new one, or, if that cannot be, the old one.
 */
export function* sysBrk(v: number, address: number): Op {
  const mm = currentMm(v);
  yield* mmapWriteLock(mm);
  const old = yield* read(Mm.brk.at(mm));
  let status = -ENOMEM;
  if (address >= (yield* read(Mm.startBrk.at(mm)))) {
    status = yield* moveBreak(v, mm, pagesOfLength(old), pagesOfLength(address));
    if (status === 0) yield* write(Mm.brk.at(mm), address);
  }
  const locked = ((yield* read(Mm.defFlags.at(mm))) & VM_LOCKED) !== 0;
  yield* mmapWriteUnlock(mm);
  if (status !== 0) return old;
  if (locked && address > old) {
    yield* mmPopulate(v, mm, pagesOfLength(old), pagesOfLength(address), 1);
  }
  return address;
}
