/**
 * mmap (mm/vma.c: mmap_region(), __mmap_region()).
 *
 * With mmap_lock held for writing: 1. what lies in the range is unmapped (MAP_FIXED). 2. a new VMA.
 * 3. the driver's mmap, which may fill page-table entries already. 4. write-lock and attach the
 * VMA, store it in the tree: only now others find it. Neighbours are not merged: VMAs of drivers
 * never are, and what counts here is splitting.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import { Mm, mmapWriteLock, mmapWriteUnlock } from './mm.ts';
import { doVmiMunmap, isUserRange } from './munmap.ts';
import { vmOpsMmap } from './vm-ops.ts';
import {
  NO_VMA,
  VM_ACCOUNT,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  VM_SOFTDIRTY,
  VM_WRITE,
  Vma,
  vmAreaAlloc,
  vmAreaFree,
  vmGetPageProt,
} from './vma.ts';
import { vmaMarkAttached, vmaStartWrite } from './vma-lock.ts';
import { vmaLinkFile } from './mapping.ts';
import { maxMapCount, vmaNodeAlloc, vmaNodeFree, vmaTreeStore } from './vma-tree.ts';
import { zapRange } from './zap-range.ts';

/** Steps 2 to 4. @returns 0 or a negative errno. */
function* newRegion(
  v: number,
  mm: number,
  start: number,
  count: number,
  flags: number,
  ops: number,
  file: number,
  pgoff: number,
): Op {
  if ((yield* read(Mm.mapCount.at(mm))) >= maxMapCount()) return -ENOMEM;
  const vma = yield* vmAreaAlloc(mm);
  if (vma === NO_VMA) return -ENOMEM;
  yield* write(Vma.vmStart.at(vma), start);
  yield* write(Vma.vmEnd.at(vma), start + count);
  yield* write(Vma.flags.at(vma), flags);
  yield* write(Vma.pageProt.at(vma), vmGetPageProt(flags));
  yield* write(Vma.pgoff.at(vma), pgoff);
  const node = yield* vmaNodeAlloc();
  if (node < 0) {
    yield* vmAreaFree(vma);
    return node;
  }
  const status = yield* vmOpsMmap(v, ops, file, vma);
  if (status < 0) {
    yield* zapRange(v, mm, vma, start, start + count);
    yield* vmaNodeFree(node);
    yield* vmAreaFree(vma);
    return status;
  }
  yield* vmaStartWrite(vma);
  yield* vmaMarkAttached(vma);
  yield* vmaTreeStore(v, mm, node, start, start + count, vma);
  yield* vmaLinkFile(vma);
  yield* write(Mm.mapCount.at(mm), (yield* read(Mm.mapCount.at(mm))) + 1);
  return 0;
}

/**
 * mm/mmap.c: mmap_region(). The caller holds mmap_lock for writing. Arguments as mmapRegion, but
 * the flags with their VM_MAY* bits. @returns 0 or a negative errno.
 */
export function* doMmapRegion(
  v: number,
  mm: number,
  start: number,
  count: number,
  flags: number,
  ops: number,
  file: number,
  pgoff: number,
): Op {
  const status = yield* doVmiMunmap(v, mm, start, start + count, 0);
  if (status !== 0) return status;
  const account = (flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) === VM_WRITE ? VM_ACCOUNT : 0;
  const vmFlags = flags | account | VM_SOFTDIRTY;
  return yield* newRegion(v, mm, start, count, vmFlags, ops, file, pgoff);
}

/** What do_mmap() adds to the flags of a mapping whose file may be read and written. */
function withMayFlags(flags: number): number {
  const may = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  return flags | may | ((flags & VM_SHARED) !== 0 ? VM_MAYSHARE : 0);
}

/**
 * mmap(2) at a fixed address.
 * @param v - vCPU that runs this. @param start - first vpn. @param count - pages.
 * @param flags - VM_READ, VM_WRITE, VM_SHARED. @param ops - VM_OPS_* of the file, VM_OPS_ANONYMOUS
 * without one.
 * @param file - the driver's open file, -1 without one. @param pgoff - offset in it, in pages.
 * @returns the vpn, or a negative errno.
 */
export function* mmapRegion(
  v: number,
  mm: number,
  start: number,
  count: number,
  flags: number,
  ops: number,
  file: number,
  pgoff: number,
): Op {
  if (!isUserRange(start, count)) return -EINVAL;
  const vmFlags = withMayFlags(flags);
  yield* mmapWriteLock(mm);
  const status = yield* doMmapRegion(v, mm, start, count, vmFlags, ops, file, pgoff);
  yield* mmapWriteUnlock(mm);
  return status < 0 ? status : start;
}
