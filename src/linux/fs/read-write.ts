/**
 * read(2), write(2) and their kin (fs/read_write.c): from the number to the file, its right, its
 * place, and the operation of its kind.
 *
 *   read, write      at f_pos, which moves. f_pos_lock while several may use the file.
 *   pread64, …       at a given place, of files that have places: no pipes.
 *   readv, …         several buffers.
 *
 * Order of the checks, as there: -EBADF (no such number, or not opened for this), -EINVAL (the file
 * has no such operation), -EFAULT (the buffer is not a user's), -EINVAL (place).
 */
import { mutexLock, mutexUnlock } from '../../shared/mutex.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { EBADF, EINVAL, ESPIPE } from '../errno.ts';
import { NO_IOCB } from './block-file.ts';
import { fdFile, fdget, fdput } from './fd-table.ts';
import { fileReadIter, fileWriteIter, hasPlaces, hasReadWrite } from './file-ops.ts';
import { FILE_RECORD, File, NO_FILE, fileKind, fileObject, mayRead, mayWrite } from './file.ts';
import { importIovec, importUbuf, iovIterCount, iovIterTruncate } from './iov-iter.ts';

/** include/linux/fs.h: MAX_RW_COUNT. */
const MAX_RW_COUNT = 0x7ffff000;

export const READ = 0;
export const WRITE = 1;

/** f_pos: where a call without a place goes on. */
const AT_F_POS = -1;

/** fs/read_write.c: vfs_read(), vfs_write(), their first checks. @returns 0, -EBADF or -EINVAL. */
function* checkFile(file: number, rw: number): Op {
  // The grant drivers have neither read nor write.
  if (fileKind(file) !== FILE_RECORD) return -EINVAL;
  const f = fileObject(file);
  const flags = yield* read(File.flags.at(f));
  if (!(rw === READ ? mayRead(flags) : mayWrite(flags))) return -EBADF;
  return hasReadWrite(yield* read(File.kind.at(f))) ? 0 : -EINVAL;
}

/** The buffer or buffers of a call become the vCPU's iov_iter. @returns 0 or a negative error. */
function importBuffers(v: number, buf: number, count: number, vector: number): number {
  const status = vector === 1 ? importIovec(v, buf, count) : importUbuf(v, buf, count);
  if (status === 0) iovIterTruncate(v, MAX_RW_COUNT);
  return status;
}

function* operate(v: number, f: number, pos: number, rw: number): Op {
  if (rw === READ) return yield* fileReadIter(v, f, pos, NO_IOCB);
  return yield* fileWriteIter(v, f, pos, NO_IOCB);
}

/** At f_pos. fs/read_write.c: ksys_read(), ksys_write(). */
function* atFilePos(v: number, f: number, rw: number): Op {
  yield* mutexLock(File.posLock.at(f));
  const pos = yield* read(File.pos.at(f));
  const done = yield* operate(v, f, pos, rw);
  // With O_APPEND the write has moved f_pos to the end of the file before it wrote.
  if (done > 0) yield* write(File.pos.at(f), (yield* read(File.pos.at(f))) + done);
  yield* mutexUnlock(File.posLock.at(f));
  return done;
}

/** A call on a file that was found. @param pos - or AT_F_POS. */
function* readWriteFile(
  v: number,
  file: number,
  buf: number,
  count: number,
  vector: number,
  pos: number,
  rw: number,
): Op {
  const f = fileObject(file);
  if (pos !== AT_F_POS && fileKind(file) === FILE_RECORD) {
    if (!hasPlaces(yield* read(File.kind.at(f)))) return -ESPIPE;
  }
  let status = yield* checkFile(file, rw);
  if (status === 0) status = importBuffers(v, buf, count, vector);
  if (status < 0) return status;
  const places = hasPlaces(yield* read(File.kind.at(f)));
  if (iovIterCount(v) === 0 && places) return 0;
  if (pos === AT_F_POS && places) return yield* atFilePos(v, f, rw);
  return yield* operate(v, f, pos, rw);
}

function* readWrite(
  v: number,
  fd: number,
  buf: number,
  count: number,
  vector: number,
  pos: number,
  rw: number,
): Op {
  const found = yield* fdget(v, fd);
  if (found === NO_FILE) return -EBADF;
  const done = yield* readWriteFile(v, fdFile(found), buf, count, vector, pos, rw);
  yield* fdput(v, found);
  return done;
}

/** read(2). @param v - vCPU of the task. @param buf - user address. @returns bytes or an error. */
export function* sysRead(v: number, fd: number, buf: number, count: number): Op {
  return yield* readWrite(v, fd, buf, count, 0, AT_F_POS, READ);
}

/** write(2). As read. */
export function* sysWrite(v: number, fd: number, buf: number, count: number): Op {
  return yield* readWrite(v, fd, buf, count, 0, AT_F_POS, WRITE);
}

/** readv(2). @param iov - word of `nr` records { address, bytes }. @returns bytes or an error. */
export function* sysReadv(v: number, fd: number, iov: number, nr: number): Op {
  return yield* readWrite(v, fd, iov, nr, 1, AT_F_POS, READ);
}

/** writev(2). As readv. */
export function* sysWritev(v: number, fd: number, iov: number, nr: number): Op {
  return yield* readWrite(v, fd, iov, nr, 1, AT_F_POS, WRITE);
}

/** pread64(2). As read, at byte `pos` of the file; -EINVAL if negative, -ESPIPE of a pipe. */
export function* sysPread64(v: number, fd: number, buf: number, count: number, pos: number): Op {
  return pos < 0 ? -EINVAL : yield* readWrite(v, fd, buf, count, 0, pos, READ);
}

/** pwrite64(2). As pread64. */
export function* sysPwrite64(v: number, fd: number, buf: number, count: number, pos: number): Op {
  return pos < 0 ? -EINVAL : yield* readWrite(v, fd, buf, count, 0, pos, WRITE);
}

/** preadv(2). As readv, at byte `pos` of the file. */
export function* sysPreadv(v: number, fd: number, iov: number, nr: number, pos: number): Op {
  return pos < 0 ? -EINVAL : yield* readWrite(v, fd, iov, nr, 1, pos, READ);
}

/** pwritev(2). As preadv. */
export function* sysPwritev(v: number, fd: number, iov: number, nr: number, pos: number): Op {
  return pos < 0 ? -EINVAL : yield* readWrite(v, fd, iov, nr, 1, pos, WRITE);
}
