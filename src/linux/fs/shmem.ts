/**
 * Files of tmpfs (mm/shmem.c): their pages are the page cache alone. A file has no name here; it
 * goes with its last open file and mapping (O_TMPFILE, memfd_create(2)).
 */
import type { Op } from '../../shared/op.ts';
import { read, readOnce, write, writeOnce } from '../../shared/operations.ts';
import { downWrite, upWrite } from '../../shared/rwsem.ts';
import { EFBIG, EINVAL } from '../errno.ts';
import { NO_PAGE, putPage } from '../mm/page.ts';
import { offsetInPage, pageBytes, vpnOf, zeroBytes } from './copy-bytes.ts';
import { File, O_APPEND } from './file.ts';
import { filemapRead, genericPerformWrite } from './filemap-io.ts';
import { iovIterCount, iovIterTruncate } from './iov-iter.ts';
import {
  Inode,
  InodePage,
  findLockPage,
  maxFileBytes,
  truncateInodePages,
  unlockPage,
} from './page-cache.ts';

/**
 * mm/shmem.c: shmem_file_read_iter()
 * @param v - vCPU of the task, whose iov_iter is the target. @param f - file. @param pos - in
 * bytes.
 * @returns bytes, or a negative errno.
 */
export function* shmemRead(v: number, f: number, pos: number): Op {
  return yield* filemapRead(v, yield* read(File.object.at(f)), pos);
}

/**
 * mm/filemap.c: generic_file_write_iter(), generic_write_checks(). With O_APPEND the place is the
 * end of the file, and f_pos goes there.
 * @param v - vCPU of the task, whose iov_iter is the source. @param f - file. @param pos - in
 * bytes.
 * @returns bytes, -EFBIG, or another negative errno.
 */
export function* shmemWrite(v: number, f: number, pos: number): Op {
  const inode = yield* read(File.object.at(f));
  let at = pos;
  let status = 0;
  yield* downWrite(Inode.iRwsem.at(inode));
  if (((yield* read(File.flags.at(f))) & O_APPEND) !== 0) {
    at = yield* read(Inode.size.at(inode));
    yield* write(File.pos.at(f), at);
  }
  if (iovIterCount(v) > 0 && at >= maxFileBytes()) status = -EFBIG;
  if (status === 0) {
    iovIterTruncate(v, maxFileBytes() - at);
    status = yield* genericPerformWrite(v, inode, at);
  }
  yield* upWrite(Inode.iRwsem.at(inode));
  return status;
}

/** The rest of the last page, after the file became shorter. */
function* zeroTail(v: number, inode: number, size: number): Op<void> {
  const offset = offsetInPage(size);
  if (offset === 0) return;
  const pg = yield* findLockPage(v, inode, vpnOf(size));
  if (pg === NO_PAGE) return;
  yield* zeroBytes(v, pg, offset, pageBytes() - offset);
  yield* unlockPage(pg);
  yield* putPage(v, pg);
}

/**
 * ftruncate(2). mm/shmem.c: shmem_setattr(): 1. the size. 2. the pages beyond it leave the cache;
 * who holds one keeps it.
 * @param inode - file of tmpfs. @param size - in bytes. @returns 0, -EINVAL or -EFBIG.
 */
export function* shmemTruncate(v: number, inode: number, size: number): Op {
  if (size < 0) return -EINVAL;
  if (size > maxFileBytes()) return -EFBIG;
  yield* downWrite(Inode.iRwsem.at(inode));
  const old = yield* readOnce(Inode.size.at(inode));
  yield* writeOnce(Inode.size.at(inode), size);
  if (size < old) {
    yield* zeroTail(v, inode, size);
    const first = vpnOf(size + pageBytes() - 1);
    yield* truncateInodePages(v, inode, first, InodePage.value.count);
  }
  yield* upWrite(Inode.iRwsem.at(inode));
  return 0;
}
