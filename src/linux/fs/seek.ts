/**
 * Places and lengths of files (fs/read_write.c: ksys_lseek(), generic_file_llseek_size();
 * fs/open.c: do_sys_ftruncate(); fs/sync.c: do_fsync()).
 */
import { mutexLock, mutexUnlock } from '../../shared/mutex.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { EBADF, EINVAL, ESPIPE } from '../errno.ts';
import { blkdevFsync } from './block-file.ts';
import { fdFile, fdget, fdput } from './fd-table.ts';
import { FILE_OPS_BLKDEV, FILE_OPS_PROC_MEM, FILE_OPS_SHMEM, hasPlaces } from './file-ops.ts';
import { File, NO_FILE, fileObject, fileOps, mayWrite } from './file.ts';
import { Inode, maxFileBytes } from './page-cache.ts';
import { shmemTruncate } from './shmem.ts';

/** include/uapi/linux/fs.h */
export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;

/** What an offset is counted from. @returns a byte of the file, or -EINVAL. */
function* seekBase(f: number, kind: number, whence: number): Op {
  switch (whence) {
    case SEEK_SET:
      return 0;
    case SEEK_CUR:
      return yield* read(File.pos.at(f));
    case SEEK_END:
      if (kind === FILE_OPS_PROC_MEM) return -EINVAL;
      return yield* read(Inode.size.at(yield* read(File.object.at(f))));
    default:
      return -EINVAL;
  }
}

/** The new place. Under f_pos_lock. @returns it, or -EINVAL. */
function* seek(f: number, kind: number, offset: number, whence: number): Op {
  const base = yield* seekBase(f, kind, whence);
  if (base < 0) return base;
  const pos = base + offset;
  if (pos < 0 || (kind !== FILE_OPS_PROC_MEM && pos > maxFileBytes())) return -EINVAL;
  yield* write(File.pos.at(f), pos);
  return pos;
}

/**
 * lseek(2)
 * @param v - vCPU of the task. @param whence - SEEK_*. @returns the new place; -EBADF, -EINVAL, or
 *   -ESPIPE if the file has none.
 */
export function* sysLseek(v: number, fd: number, offset: number, whence: number): Op {
  const found = yield* fdget(v, fd);
  if (found === NO_FILE) return -EBADF;
  const file = fdFile(found);
  const kind = yield* fileOps(file);
  const f = fileObject(file);
  let status = -ESPIPE;
  if (whence < SEEK_SET || whence > SEEK_END) status = -EINVAL;
  else if (hasPlaces(kind)) {
    yield* mutexLock(File.posLock.at(f));
    status = yield* seek(f, kind, offset, whence);
    yield* mutexUnlock(File.posLock.at(f));
  }
  yield* fdput(v, found);
  return status;
}

/** ftruncate(2). @returns 0; -EBADF, -EFBIG, or -EINVAL if it is no writable file of tmpfs. */
export function* sysFtruncate(v: number, fd: number, size: number): Op {
  const found = yield* fdget(v, fd);
  if (found === NO_FILE) return -EBADF;
  const file = fdFile(found);
  const f = fileObject(file);
  let status = -EINVAL;
  if ((yield* fileOps(file)) === FILE_OPS_SHMEM && mayWrite(yield* read(File.flags.at(f)))) {
    status = yield* shmemTruncate(v, yield* read(File.object.at(f)), size);
  }
  yield* fdput(v, found);
  return status;
}

/** fsync(2). @returns 0; -EBADF, -EINVAL if there is nothing to sync, or an error of the disk. */
export function* sysFsync(v: number, fd: number): Op {
  const found = yield* fdget(v, fd);
  if (found === NO_FILE) return -EBADF;
  const file = fdFile(found);
  const kind = yield* fileOps(file);
  let status = kind === FILE_OPS_SHMEM ? 0 : -EINVAL;
  if (kind === FILE_OPS_BLKDEV) {
    status = yield* blkdevFsync(v, yield* read(File.object.at(fileObject(file))));
  }
  yield* fdput(v, found);
  return status;
}
