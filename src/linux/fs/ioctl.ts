/**
 * ioctl(2) and mmap(2) of an open file (fs/ioctl.c: ioctl(); mm/mmap.c: ksys_mmap_pgoff()): from a
 * descriptor to what the file's driver does.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { evtchnIoctl } from '../drivers/evtchn/file.ts';
import { gntallocIoctl } from '../drivers/gntalloc/dispatch.ts';
import { gntdevIoctl } from '../drivers/gntdev/dispatch.ts';
import { EBADF, ENODEV, ENOTTY } from '../errno.ts';
import { currentMm } from '../mm/mm-life.ts';
import { mmapRegion } from '../mm/mmap.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_GNTALLOC, VM_OPS_GNTDEV } from '../mm/vm-ops.ts';
import { fdFile, fdget, fdput } from './fd-table.ts';
import { FILE_OPS_EVTCHN } from './file-ops.ts';
import { FILE_GNTALLOC, FILE_GNTDEV, File, NO_FILE, fileKind, fileObject } from './file.ts';

/** Of a file that is a record of `File`. */
function* recordIoctl(v: number, f: number, cmd: number, arg: number): Op {
  if ((yield* read(File.kind.at(f))) !== FILE_OPS_EVTCHN) return -ENOTTY;
  return yield* evtchnIoctl(v, yield* read(File.object.at(f)), cmd, arg);
}

/** file->f_op->unlocked_ioctl() */
function* fileIoctl(v: number, file: number, cmd: number, arg: number): Op {
  switch (fileKind(file)) {
    case FILE_GNTDEV:
      return yield* gntdevIoctl(v, currentMm(v), fileObject(file), cmd, arg);
    case FILE_GNTALLOC:
      return yield* gntallocIoctl(v, fileObject(file), cmd, arg);
    default:
      return yield* recordIoctl(v, fileObject(file), cmd, arg);
  }
}

/**
 * ioctl(2)
 * @param v - vCPU of the task. @param cmd - number of the call (uapi). @param arg - word of its
 *   argument, 0: NULL. @returns what the driver says; -EBADF, -ENOTTY.
 */
export function* sysIoctl(v: number, fd: number, cmd: number, arg: number): Op {
  const found = yield* fdget(v, fd);
  const file = fdFile(found);
  if (file === NO_FILE) return -EBADF;
  const status = yield* fileIoctl(v, file, cmd, arg);
  yield* fdput(v, found);
  return status;
}

/** VM_OPS_* of a file, -1 if it cannot be mapped. */
function vmOpsOf(file: number): number {
  switch (fileKind(file)) {
    case FILE_GNTDEV:
      return VM_OPS_GNTDEV;
    case FILE_GNTALLOC:
      return VM_OPS_GNTALLOC;
    default:
      return -1;
  }
}

/**
 * mmap(2), MAP_FIXED.
 * @param v - vCPU of the task. @param vpn - first page. @param pages - how many.
 * @param flags - VM_READ, VM_WRITE, VM_SHARED. @param fd - file, -1: anonymous memory.
 * @param pgoff - offset in the file, in pages. @returns vpn or a negative errno.
 */
export function* sysMmap(
  v: number,
  vpn: number,
  pages: number,
  flags: number,
  fd: number,
  pgoff: number,
): Op {
  const mm = currentMm(v);
  if (fd < 0) return yield* mmapRegion(v, mm, vpn, pages, flags, VM_OPS_ANONYMOUS, -1, 0);
  const found = yield* fdget(v, fd);
  const file = fdFile(found);
  if (file === NO_FILE) return -EBADF;
  const ops = vmOpsOf(file);
  let status = -ENODEV;
  if (ops >= 0) {
    status = yield* mmapRegion(v, mm, vpn, pages, flags, ops, fileObject(file), pgoff);
  }
  yield* fdput(v, found);
  return status;
}
