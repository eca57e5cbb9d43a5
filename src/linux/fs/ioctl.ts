/**
 * ioctl(2) (fs/ioctl.c): from a descriptor to what the file's driver does.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { evtchnIoctl } from '../drivers/evtchn/file.ts';
import { gntallocIoctl } from '../drivers/gntalloc/dispatch.ts';
import { gntdevIoctl } from '../drivers/gntdev/dispatch.ts';
import { EBADF, ENOTTY } from '../errno.ts';
import { currentMm } from '../mm/mm-life.ts';
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
