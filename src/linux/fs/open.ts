/**
 * open(2) (fs/open.c). There are no names to walk: a node is a number for what a path would lead
 * to.
 */
import type { Op } from '../../shared/op.ts';
import { evtchnOpen, evtchnRelease } from '../drivers/evtchn/file.ts';
import { gntallocOpen } from '../drivers/gntalloc/ioctl.ts';
import { gntdevOpen } from '../drivers/gntdev/file.ts';
import { EFAULT, EINVAL, ENOENT } from '../errno.ts';
import { currentMm } from '../mm/mm-life.ts';
import { NO_MM } from '../mm/mm.ts';
import { bdevInode } from './block-file.ts';
import { DISK_LOOP, DISK_RAM } from './brd.ts';
import { installFile } from './fd-table.ts';
import { FILE_OPS_BLKDEV, FILE_OPS_EVTCHN, FILE_OPS_PRIVCMD, FILE_OPS_SHMEM } from './file-ops.ts';
import { FILE_GNTALLOC, FILE_GNTDEV, O_CLOEXEC, O_DIRECT, allocFile, fileOf } from './file.ts';
import { INODE_SHMEM, iput, newInode } from './page-cache.ts';
import { procMemOpen } from './proc-mem.ts';

/** /dev/xen/gntdev */
export const NODE_GNTDEV = 1;
/** /dev/xen/gntalloc */
export const NODE_GNTALLOC = 2;
/** /dev/xen/privcmd */
export const NODE_PRIVCMD = 3;
/** /dev/xen/evtchn */
export const NODE_EVTCHN = 4;
/** A new file of tmpfs without a name: O_TMPFILE, memfd_create(2). */
export const NODE_TMPFILE = 5;
/** /dev/ram0 */
export const NODE_RAM0 = 6;
/** /dev/loop0 */
export const NODE_LOOP0 = 7;

/** An open file of a driver. @param object - its record, or a negative error. */
function driverFile(kind: number, object: number): number {
  return object < 0 ? object : fileOf(kind, object);
}

/** A file of an inode, whose user goes to it. @param inode - or a negative error. */
function* inodeFile(v: number, kind: number, inode: number, flags: number): Op {
  if (inode < 0) return inode;
  const file = yield* allocFile(kind, inode, flags);
  if (file < 0) yield* iput(v, inode);
  return file;
}

function* openEvtchn(v: number, flags: number): Op {
  const user = yield* evtchnOpen(v);
  if (user < 0) return user;
  const file = yield* allocFile(FILE_OPS_EVTCHN, user, flags);
  if (file < 0) yield* evtchnRelease(v, user);
  return file;
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
      return yield* allocFile(FILE_OPS_PRIVCMD, 0, flags);
    case NODE_EVTCHN:
      return yield* openEvtchn(v, flags);
    case NODE_TMPFILE:
      // A file system that has no direct I/O refuses it at open.
      if ((flags & O_DIRECT) !== 0) return -EINVAL;
      return yield* inodeFile(v, FILE_OPS_SHMEM, yield* newInode(INODE_SHMEM, 0, 0), flags);
    case NODE_RAM0:
      return yield* inodeFile(v, FILE_OPS_BLKDEV, yield* bdevInode(v, DISK_RAM), flags);
    case NODE_LOOP0:
      return yield* inodeFile(v, FILE_OPS_BLKDEV, yield* bdevInode(v, DISK_LOOP), flags);
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
  const file = yield* openNode(v, node, flags & ~O_CLOEXEC);
  return yield* installFile(v, file, (flags & O_CLOEXEC) !== 0 ? 1 : 0);
}

/**
 * open(2) of /proc/pid/mem
 * @param v - vCPU of the task. @param pid - whose memory. @param flags - O_*.
 * @returns a descriptor, -ESRCH, or another negative error.
 */
export function* sysOpenProcMem(v: number, pid: number, flags: number): Op {
  const file = yield* procMemOpen(v, pid, flags & ~O_CLOEXEC);
  return yield* installFile(v, file, (flags & O_CLOEXEC) !== 0 ? 1 : 0);
}
