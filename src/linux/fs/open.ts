/**
 * open(2) (fs/open.c). There are no names to walk: a node is a number for what a path would lead
 * to.
 */
import type { Op } from '../../shared/op.ts';
import { gntallocOpen } from '../drivers/gntalloc/ioctl.ts';
import { gntdevOpen } from '../drivers/gntdev/file.ts';
import { EFAULT, ENOENT } from '../errno.ts';
import { currentMm } from '../mm/mm-life.ts';
import { NO_MM } from '../mm/mm.ts';
import { FILE_OPS_PRIVCMD } from './file-ops.ts';
import { installFile } from './fd-table.ts';
import { FILE_GNTALLOC, FILE_GNTDEV, O_CLOEXEC, allocFile, fileOf } from './file.ts';

/** /dev/xen/gntdev */
export const NODE_GNTDEV = 1;
/** /dev/xen/gntalloc */
export const NODE_GNTALLOC = 2;
/** /dev/xen/privcmd */
export const NODE_PRIVCMD = 3;

/** An open file of a driver. @param object - its record, or a negative error. */
function driverFile(kind: number, object: number): number {
  return object < 0 ? object : fileOf(kind, object);
}

/** fs/open.c: do_dentry_open(). @returns a file with one reference, or a negative error. */
function* openNode(v: number, node: number, flags: number): Op {
  const mm = currentMm(v);
  switch (node) {
    case NODE_GNTDEV:
      if (mm === NO_MM) return -EFAULT;
      return driverFile(FILE_GNTDEV, yield* gntdevOpen(v, mm));
    case NODE_GNTALLOC:
      return driverFile(FILE_GNTALLOC, yield* gntallocOpen());
    case NODE_PRIVCMD:
      return yield* allocFile(FILE_OPS_PRIVCMD, 0, flags & ~O_CLOEXEC);
    default:
      return -ENOENT;
  }
}

/**
 * open(2)
 * @param v - vCPU of the task. @param node - NODE_*. @param flags - O_*.
 * @returns a descriptor, or a negative error.
 */
export function* sysOpen(v: number, node: number, flags: number): Op {
  const file = yield* openNode(v, node, flags);
  return yield* installFile(v, file, (flags & O_CLOEXEC) !== 0 ? 1 : 0);
}
