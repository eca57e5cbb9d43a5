/**
 * Operations of VMAs (include/linux/mm.h: struct vm_operations_struct) and of mapped files
 * (struct file_operations: mmap): Vma.ops says whose. Simulated code has no function pointers.
 *
 * mmap   the VMA is complete but in no tree yet; mmap_lock is held for writing
 * open   the VMA is a new copy (split, mremap); bounds of the old one have not changed yet
 * close  the VMA is out of the tree and its pages are unmapped; mmap_lock is held, perhaps only for
 *        reading
 * find_normal_page is the design's: normal-page.ts. may_split has no user here.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { gntallocMmap, gntallocVmaClose, gntallocVmaOpen } from '../drivers/gntalloc/mmap.ts';
import { gntdevMmap } from '../drivers/gntdev/mmap.ts';
import { gntdevVmaClose, gntdevVmaOpen } from '../drivers/gntdev/vm-ops.ts';
import { pfnmapMmap } from '../drivers/pfnmap.ts';
import { shmemMmap, shmemVmaClose, shmemVmaOpen } from '../fs/shmem-fault.ts';
import { vmaLinkFile } from './mapping.ts';
import { Vma } from './vma.ts';

/** Anonymous memory: faults bring pages. */
export const VM_OPS_ANONYMOUS = 0;
/** drivers/xen/gntdev.c: gntdev_vmops: foreign pages, mapped by the driver at mmap. */
export const VM_OPS_GNTDEV = 1;
/** drivers/xen/gntalloc.c: gntalloc_vmops: own granted pages, inserted by the driver at mmap. */
export const VM_OPS_GNTALLOC = 2;
/** drivers/pfnmap.ts: own pages, entries without references. */
export const VM_OPS_PFNMAP = 3;
/** mm/shmem.c: shmem_vm_ops: pages of a file of tmpfs, faulted in; the file is its inode. */
export const VM_OPS_SHMEM = 4;

/**
 * file->f_op->mmap(). @param v - vCPU that runs this. @param ops - VM_OPS_* of the file.
 * @param file - the driver's open file. @param vma - new VMA. @returns 0 or a negative errno.
 */
export function* vmOpsMmap(v: number, ops: number, file: number, vma: number): Op {
  switch (ops) {
    case VM_OPS_GNTDEV:
      return yield* gntdevMmap(v, file, vma);
    case VM_OPS_GNTALLOC:
      return yield* gntallocMmap(v, file, vma);
    case VM_OPS_PFNMAP:
      return yield* pfnmapMmap(v, file, vma);
    case VM_OPS_SHMEM:
      return yield* shmemMmap(file, vma);
    default:
      return 0;
  }
}

/** vma->vm_ops->open(). @param v - vCPU that runs this. @param vma - new copy. */
export function* vmOpsOpen(v: number, vma: number): Op<void> {
  switch (yield* read(Vma.ops.at(vma))) {
    case VM_OPS_GNTDEV:
      yield* gntdevVmaOpen(v, vma);
      break;
    case VM_OPS_GNTALLOC:
      yield* gntallocVmaOpen(v, vma);
      break;
    case VM_OPS_PFNMAP:
      yield* vmaLinkFile(vma);
      break;
    case VM_OPS_SHMEM:
      yield* shmemVmaOpen(vma);
      break;
    default:
      break;
  }
}

/** vma->vm_ops->close(). @param v - vCPU that runs this. @param vma - VMA that goes. */
export function* vmOpsClose(v: number, vma: number): Op<void> {
  switch (yield* read(Vma.ops.at(vma))) {
    case VM_OPS_GNTDEV:
      yield* gntdevVmaClose(v, vma);
      break;
    case VM_OPS_GNTALLOC:
      yield* gntallocVmaClose(v, vma);
      break;
    case VM_OPS_SHMEM:
      yield* shmemVmaClose(v, vma);
      break;
    default:
      break;
  }
}
