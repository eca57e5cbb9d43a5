/**
 * mremap (mm/mremap.c: mremap(), mremap_to(), vma_to_resize()): a mapping becomes longer or
 * shorter, or gets another place (move-vma.ts).
 *
 * Not modelled: the reserve of VMAs that mremap wants before it moves anything, huge pages.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { EFAULT, EINVAL, ENOMEM } from '../errno.ts';
import { Mm, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { moveVma } from './move-vma.ts';
import { doVmiMunmap, isUserRange } from './munmap.ts';
import { mmPopulate } from './populate.ts';
import { getUnmappedArea } from './unmapped-area.ts';
import { NO_VMA, VM_DONTEXPAND, VM_LOCKED, VM_MAYSHARE, VM_PFNMAP, VM_SHARED, Vma } from './vma.ts';
import { vmaExpand } from './vma-modify.ts';
import { vmaLookup } from './vma-tree.ts';

/** include/uapi/linux/mman.h */
export const MREMAP_MAYMOVE = 1;
export const MREMAP_FIXED = 2;
export const MREMAP_DONTUNMAP = 4;

/**
 * mm/mremap.c: vma_to_resize(): may this part of a VMA get a new length?
 * @returns the VMA, -EINVAL or -EFAULT.
 */
function* vmaToResize(
  mm: number,
  from: number,
  count: number,
  newCount: number,
  flags: number,
): Op {
  const vma = yield* vmaLookup(mm, from);
  if (vma === NO_VMA) return -EFAULT;
  const vmFlags = yield* read(Vma.flags.at(vma));
  const fixedLength = (vmFlags & (VM_DONTEXPAND | VM_PFNMAP)) !== 0;
  // A length of 0 asks for a second mapping of the same shared object.
  if (count === 0 && (vmFlags & (VM_SHARED | VM_MAYSHARE)) === 0) return -EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && fixedLength) return -EINVAL;
  if (count > (yield* read(Vma.vmEnd.at(vma))) - from) return -EFAULT;
  if (newCount === count) return vma;
  return fixedLength ? -EFAULT : vma;
}

/** locked_vm of what was added. @returns 0. */
function* accountLocked(mm: number, vmFlags: number, pages: number): Op {
  if ((vmFlags & VM_LOCKED) === 0) return 0;
  yield* write(Mm.lockedVm.at(mm), (yield* read(Mm.lockedVm.at(mm))) + pages);
  return 0;
}

/** mm/mremap.c: mremap_to(). @returns the new vpn, or a negative errno. */
function* mremapTo(
  v: number,
  mm: number,
  from: number,
  count: number,
  newCount: number,
  flags: number,
  to: number,
): Op {
  if (!isUserRange(to, newCount)) return -EINVAL;
  if (from + count > to && to + newCount > from) return -EINVAL;
  const fixed = (flags & MREMAP_FIXED) !== 0;
  if (fixed) {
    const status = yield* doVmiMunmap(v, mm, to, to + newCount, 0);
    if (status < 0) return status;
  }
  let moved = count;
  if (count > newCount) {
    const status = yield* doVmiMunmap(v, mm, from + newCount, from + count, 0);
    if (status < 0) return status;
    moved = newCount;
  }
  const vma = yield* vmaToResize(mm, from, moved, newCount, flags);
  if (vma < 0) return vma;
  const place = yield* getUnmappedArea(mm, to, newCount, fixed ? 1 : 0);
  if (place < 0) return place;
  const keep = (flags & MREMAP_DONTUNMAP) !== 0 ? 1 : 0;
  const status = yield* moveVma(v, mm, vma, from, moved, place, newCount, keep);
  return status < 0 ? status : place;
}

/** A mapping that stays or grows, or moves to wherever there is room. */
function* resize(
  v: number,
  mm: number,
  from: number,
  count: number,
  newCount: number,
  flags: number,
): Op {
  if (count >= newCount) {
    if (count === newCount) return from;
    const status = yield* doVmiMunmap(v, mm, from + newCount, from + count, 0);
    return status < 0 ? status : from;
  }
  const vma = yield* vmaToResize(mm, from, count, newCount, flags);
  if (vma < 0) return vma;
  const vmFlags = yield* read(Vma.flags.at(vma));
  let expanded = 1;
  if (count === (yield* read(Vma.vmEnd.at(vma))) - from && isUserRange(from, newCount)) {
    expanded = yield* vmaExpand(v, mm, vma, from + newCount);
  }
  if (expanded < 0) return expanded;
  let place = from;
  if (expanded === 1) {
    if ((flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
    place = yield* getUnmappedArea(mm, 0, newCount, 0);
    if (place < 0) return place;
    const status = yield* moveVma(v, mm, vma, from, count, place, newCount, 0);
    if (status < 0) return status;
  }
  yield* accountLocked(mm, vmFlags, newCount - count);
  return place;
}

/** Pages of a mapping that is locked are brought in. @returns the vpn. */
function* populateGrown(v: number, mm: number, vpn: number, count: number, newCount: number): Op {
  if (newCount <= count) return vpn;
  const vma = yield* vmaLookup(mm, vpn);
  if (vma === NO_VMA || ((yield* read(Vma.flags.at(vma))) & VM_LOCKED) === 0) return vpn;
  yield* mmPopulate(v, mm, vpn + count, vpn + newCount, 1);
  return vpn;
}

/**
 * mremap(2), in pages.
 * @param v - vCPU of the task. @param mm - its address space. @param from - first vpn.
 * @param count - pages of the old place. @param newCount - of the new one, not 0.
 * @param flags - MREMAP_*. @param to - new first vpn, if they say so.
 * @returns the new vpn, or a negative errno.
 */
export function* doMremap(
  v: number,
  mm: number,
  from: number,
  count: number,
  newCount: number,
  flags: number,
  to: number,
): Op {
  yield* mmapWriteLock(mm);
  let status = -EFAULT;
  if ((yield* vmaLookup(mm, from)) !== NO_VMA) {
    if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0) {
      status = yield* mremapTo(v, mm, from, count, newCount, flags, to);
    } else {
      status = yield* resize(v, mm, from, count, newCount, flags);
    }
  }
  yield* mmapWriteUnlock(mm);
  return status < 0 ? status : yield* populateGrown(v, mm, status, count, newCount);
}

/**
 * mremap(2), MREMAP_MAYMOVE | MREMAP_FIXED with an unchanged length.
 * @param v - vCPU that runs this. @param from - first vpn of the old place, inside one VMA.
 * @param count - pages. @param to - first vpn of the new place; what is there goes.
 * @returns the new vpn, or a negative errno.
 */
export function* mremap(v: number, mm: number, from: number, count: number, to: number): Op {
  if (!isUserRange(from, count)) return -EINVAL;
  return yield* doMremap(v, mm, from, count, count, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}
