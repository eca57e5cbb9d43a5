/**
 * mmap(2) and munmap(2) (mm/mmap.c: ksys_mmap_pgoff(), do_mmap(); mm/util.c: vm_mmap_pgoff()).
 *
 * 1. the file of the descriptor. 2. with mmap_lock held for writing: the place; what the flags and
 * the file's mode permit; the mapping itself (mm/mmap.ts), which asks the driver. 3. without the
 * lock: MAP_POPULATE, MAP_LOCKED bring the pages in; an error there is not reported.
 *
 * Not modelled: files that may not be executed, sealed or append-only ones, MAP_HUGETLB.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { EACCES, EBADF, EEXIST, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EOVERFLOW } from '../errno.ts';
import { fget } from '../fs/fd-table.ts';
import { FILE_OPS_SHMEM } from '../fs/file-ops.ts';
import {
  FILE_GNTALLOC,
  FILE_GNTDEV,
  FILE_RECORD,
  File,
  NO_FILE,
  O_ACCMODE,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  fileKind,
  fileObject,
  fileOps,
  fput,
} from '../fs/file.ts';
import { INODE_SHMEM, iput, maxFileBytes, newInode } from '../fs/page-cache.ts';
import { currentFiles } from '../fs/files-struct.ts';
import { fitsTask, offsetInPage, pageSize, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import { Mm, mmapWriteLock, mmapWriteUnlock } from '../mm/mm.ts';
import { currentMm } from '../mm/mm-life.ts';
import { doMmapRegion } from '../mm/mmap.ts';
import { doMunmap } from '../mm/munmap.ts';
import { mmPopulate } from '../mm/populate.ts';
import { findVmaIntersection, getUnmappedArea } from '../mm/unmapped-area.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTALLOC, VM_OPS_GNTDEV, VM_OPS_SHMEM } from '../mm/vm-ops.ts';
import {
  NO_VMA,
  VM_ACCESS_FLAGS,
  VM_LOCKED,
  VM_LOCKED_MASK,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  VM_SPECIAL,
  Vma,
} from '../mm/vma.ts';
import { maxMapCount, vmaLookup } from '../mm/vma-tree.ts';
import {
  LEGACY_MAP_MASK,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_LOCKED,
  MAP_NONBLOCK,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MAP_TYPE,
  PROT_WRITE,
} from './mman.ts';

/** O_* of a file that say how it was opened. The grant devices are opened for both. */
function* openMode(file: number): Op {
  if (fileKind(file) !== FILE_RECORD) return O_RDWR;
  return (yield* read(File.flags.at(fileObject(file)))) & O_ACCMODE;
}

/** file->f_op->mmap. @returns VM_OPS_*, or -ENODEV if files of its kind cannot be mapped. */
function* mmapOps(file: number): Op {
  switch (fileKind(file)) {
    case FILE_GNTDEV:
      return VM_OPS_GNTDEV;
    case FILE_GNTALLOC:
      return VM_OPS_GNTALLOC;
    default:
      return (yield* fileOps(file)) === FILE_OPS_SHMEM ? VM_OPS_SHMEM : -ENODEV;
  }
}

/** What vmOpsMmap is given of a file: the driver's record, or the inode. */
function* mappedObject(file: number): Op {
  if (fileKind(file) !== FILE_RECORD) return fileObject(file);
  return yield* read(File.object.at(fileObject(file)));
}

/** do_mmap(), its part for a file. @returns VM_* that the file adds, or a negative errno. */
function* fileFlags(file: number, prot: number, flags: number): Op {
  const mode = yield* openMode(file);
  let vmFlags = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  switch (flags & MAP_TYPE) {
    case MAP_SHARED:
    case MAP_SHARED_VALIDATE: {
      const validate = (flags & MAP_TYPE) === MAP_SHARED_VALIDATE;
      if (validate && (flags & ~LEGACY_MAP_MASK) !== 0) return -EOPNOTSUPP;
      if ((prot & PROT_WRITE) !== 0 && mode === O_RDONLY) return -EACCES;
      vmFlags |= VM_SHARED | VM_MAYSHARE;
      if (mode === O_RDONLY) vmFlags &= ~(VM_MAYWRITE | VM_SHARED);
      break;
    }
    case MAP_PRIVATE:
      break;
    default:
      return -EINVAL;
  }
  if (mode === O_WRONLY) return -EACCES;
  const ops = yield* mmapOps(file);
  return ops < 0 ? ops : vmFlags;
}

/** do_mmap(), its part without a file. @returns VM_* of the mapping, or -EINVAL. */
function anonymousFlags(flags: number): number {
  const may = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  switch (flags & MAP_TYPE) {
    case MAP_PRIVATE:
      return may;
    case MAP_SHARED:
      return may | VM_SHARED | VM_MAYSHARE;
    default:
      return -EINVAL;
  }
}

/** calc_vm_prot_bits(), calc_vm_flag_bits(). */
function flagsOfCall(prot: number, flags: number): number {
  let vmFlags = prot & VM_ACCESS_FLAGS;
  if ((flags & MAP_LOCKED) !== 0) vmFlags |= VM_LOCKED;
  if ((flags & MAP_NORESERVE) !== 0) vmFlags |= VM_NORESERVE;
  return vmFlags;
}

/**
 * Memory without a name. mm/shmem.c: shmem_zero_setup(): what processes share is a file of tmpfs,
 * which the mapping alone keeps.
 */
function* mapAnonymous(v: number, mm: number, vpn: number, count: number, flags: number): Op {
  if ((flags & VM_SHARED) === 0) {
    return yield* doMmapRegion(v, mm, vpn, count, flags, VM_OPS_ANONYMOUS, -1, vpn);
  }
  const size = count * pageSize();
  if (size > maxFileBytes()) return -ENOMEM;
  const inode = yield* newInode(INODE_SHMEM, 0, size);
  if (inode < 0) return inode;
  const status = yield* doMmapRegion(v, mm, vpn, count, flags, VM_OPS_SHMEM, inode, 0);
  yield* iput(v, inode);
  return status;
}

/** The end of mmap_region(): VMAs of drivers are not locked, others are counted. */
function* accountLocked(mm: number, vpn: number, count: number): Op<void> {
  const vma = yield* vmaLookup(mm, vpn);
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & VM_LOCKED) === 0) return;
  if ((flags & VM_SPECIAL) !== 0) yield* write(Vma.flags.at(vma), flags & ~VM_LOCKED_MASK);
  else yield* write(Mm.lockedVm.at(mm), (yield* read(Mm.lockedVm.at(mm))) + count);
}

/**
 * mm/mmap.c: do_mmap(). The caller holds mmap_lock for writing.
 * @param hint - vpn. @param count - pages. @param file - or NO_FILE. @param pgoff - in pages.
 * @returns vpn or a negative errno.
 */
function* doMmap(
  v: number,
  mm: number,
  hint: number,
  count: number,
  prot: number,
  flags: number,
  file: number,
  pgoff: number,
): Op {
  if ((yield* read(Mm.mapCount.at(mm))) > maxMapCount()) return -ENOMEM;
  const fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0 ? 1 : 0;
  const vpn = yield* getUnmappedArea(mm, hint, count, fixed);
  if (vpn < 0) return vpn;
  if ((flags & MAP_FIXED_NOREPLACE) !== 0) {
    if ((yield* findVmaIntersection(mm, vpn, vpn + count)) !== NO_VMA) return -EEXIST;
  }
  let vmFlags = anonymousFlags(flags);
  if (file !== NO_FILE) vmFlags = yield* fileFlags(file, prot, flags);
  if (vmFlags < 0) return vmFlags;
  vmFlags |= flagsOfCall(prot, flags) | (yield* read(Mm.defFlags.at(mm)));
  let status = 0;
  if (file === NO_FILE) {
    status = yield* mapAnonymous(v, mm, vpn, count, vmFlags);
  } else {
    const object = yield* mappedObject(file);
    const ops = yield* mmapOps(file);
    status = yield* doMmapRegion(v, mm, vpn, count, vmFlags, ops, object, pgoff);
  }
  if (status < 0) return status;
  yield* accountLocked(mm, vpn, count);
  return vpn;
}

/** mm/util.c: vm_mmap_pgoff(). @returns vpn or a negative errno. */
function* vmMmapPgoff(
  v: number,
  hint: number,
  count: number,
  prot: number,
  flags: number,
  file: number,
  pgoff: number,
): Op {
  const mm = currentMm(v);
  yield* mmapWriteLock(mm);
  const vpn = yield* doMmap(v, mm, hint, count, prot, flags, file, pgoff);
  let populate = (flags & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE;
  if (vpn >= 0) populate ||= ((yield* read(Mm.defFlags.at(mm))) & VM_LOCKED) !== 0;
  yield* mmapWriteUnlock(mm);
  if (vpn >= 0 && (populate || (flags & MAP_LOCKED) !== 0)) {
    yield* mmPopulate(v, mm, vpn, vpn + count, 1);
  }
  return vpn;
}

/** do_mmap()'s checks of length and offset, and of a fixed address. @returns 0 or an error. */
function checkRange(address: number, length: number, flags: number, offset: number): number {
  if (offsetInPage(offset) !== 0 || length === 0) return -EINVAL;
  if (offset < 0) return -EOVERFLOW;
  if (length < 0) return -ENOMEM;
  const fixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
  const pages = pagesOfLength(length);
  if (!fixed) return 0;
  if (!fitsTask(vpnOfAddress(address), pages)) return -ENOMEM;
  return offsetInPage(address) === 0 ? 0 : -EINVAL;
}

/**
 * mmap(2).
 * @param v - vCPU of the task. @param address - hint or fixed address. @param length - unsigned.
 * @param prot - PROT_*. @param flags - MAP_*. @param fd - descriptor, not looked at with
 *   MAP_ANONYMOUS. @param offset - in the file. @returns address, or a negative errno.
 */
export function* sysMmap(
  v: number,
  address: number,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
): Op {
  if (offsetInPage(offset) !== 0) return -EINVAL;
  let file = NO_FILE;
  if ((flags & MAP_ANONYMOUS) === 0) {
    file = yield* fget(v, currentFiles(v), fd);
    if (file === NO_FILE) return -EBADF;
  }
  let vpn = checkRange(address, length, flags, offset);
  if (vpn === 0) {
    const hint = vpnOfAddress(Math.max(0, address) + pageSize() - 1);
    const pgoff = vpnOfAddress(offset);
    vpn = yield* vmMmapPgoff(v, hint, pagesOfLength(length), prot, flags, file, pgoff);
  }
  if (file !== NO_FILE) yield* fput(v, file);
  return vpn < 0 ? vpn : vpn * pageSize();
}

/**
 * munmap(2).
 * @param v - vCPU of the task. @param address - of a page. @param length - unsigned.
 * @returns 0, -EINVAL or -ENOMEM.
 */
export function* sysMunmap(v: number, address: number, length: number): Op {
  if (offsetInPage(address) !== 0 || length <= 0) return -EINVAL;
  return yield* doMunmap(v, currentMm(v), vpnOfAddress(address), pagesOfLength(length));
}
