/**
 * mmap of a gntdev file, by generation: drivers/xen/gntdev.c, gntdev_mmap().
 */
import type { Op } from '../../../shared/op.ts';
import { read } from '../../../shared/operations.ts';
import { FIND_NORMAL_PAGE, VMA_PAGES, VM_FOREIGN_ARRAY, design } from '../../designs/design.ts';
import { EINVAL } from '../../errno.ts';
import { VM_SHARED, VM_WRITE, Vma } from '../../mm/vma.ts';
import { mmapByVma } from './by-vma/mmap.ts';
import { mmapClassic } from './classic/mmap.ts';
import { mmapDraftB } from './draft-b/mmap.ts';
import { mmapToday } from './today/mmap.ts';

/**
 * drivers/xen/gntdev.c: gntdev_mmap(). The caller (mm/mmap.c) holds mmap_lock for writing.
 * @param v - vCPU of the task. @param fd - file. @param vma - new VMA with its address, flags and
 *   offset in the file. @returns 0, or a negative error.
 */
export function* gntdevMmap(v: number, fd: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & VM_WRITE) !== 0 && (flags & VM_SHARED) === 0) return -EINVAL;
  switch (design()) {
    case VMA_PAGES:
      return yield* mmapDraftB(v, fd, vma);
    case VM_FOREIGN_ARRAY:
      return yield* mmapClassic(v, fd, vma);
    case FIND_NORMAL_PAGE:
      return yield* mmapToday(v, fd, vma);
    default:
      return yield* mmapByVma(v, fd, vma);
  }
}
