/**
 * splice(2), tee(2) (fs/splice.c): between a pipe and a file or another pipe. Pages of a file's
 * cache go into a pipe as they are; into a file they are copied. tee takes nothing out of the
 * first pipe.
 */
import type { Op } from '../../shared/op.ts';
import { read, write, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { EAGAIN, EBADF, EINVAL, ESPIPE } from '../errno.ts';
import { NO_PAGE, putPage } from '../mm/page.ts';
import { NO_IOCB } from './block-file.ts';
import { offsetInPage, pageBytes, vpnOf } from './copy-bytes.ts';
import { fdFile, fdget, fdput } from './fd-table.ts';
import { FILE_OPS_BLKDEV, FILE_OPS_SHMEM, fileWriteIter } from './file-ops.ts';
import {
  FILE_RECORD,
  File,
  NO_FILE,
  O_APPEND,
  O_NONBLOCK,
  fileKind,
  fileObject,
  mayRead,
  mayWrite,
} from './file.ts';
import { newZeroPage, pageForRead } from './filemap-io.ts';
import { iterBvec } from './iov-iter.ts';
import { Inode } from './page-cache.ts';
import {
  PIPE_BUF_CACHE,
  Pipe,
  PipeBuffer,
  pipeFull,
  pipeLock,
  pipePushBuffer,
  pipeSlot,
  pipeUnlock,
} from './pipe-ring.ts';
import { linkPipe, movePipeBuffers, pipeDoubleLock, pipeDoubleUnlock } from './splice-pages.ts';
import {
  NOT_A_PIPE,
  SPLICE_F_ALL,
  SPLICE_F_NONBLOCK,
  consumePipe,
  flagsOf,
  pipeOf,
  waitForData,
  waitForSpace,
  wakeupPipeReaders,
  wakeupPipeWriters,
} from './splice-wait.ts';

/** The call's place is f_pos of the file. */
export const NO_OFFSET = -1;

/** struct bio_vec of what a pipe gives to a file in one go. */
export const SpliceVec = defineTable('%v.splice_vec[%]', ['vcpus', 'pipeSlots'], {
  page: '[VCPU] page of a buffer',
  offset: '[VCPU] first byte in it',
  len: '[VCPU] bytes',
});

/** What a file or a call forbids: O_NONBLOCK of either end. */
function* nonblocking(inFile: number, outFile: number, flags: number): Op {
  const either = (yield* flagsOf(inFile)) | (yield* flagsOf(outFile));
  return (either & O_NONBLOCK) !== 0 ? flags | SPLICE_F_NONBLOCK : flags;
}

/** Pipe to pipe: ipipe_prep(), opipe_prep(), then both locked; again if one is not ready. */
function* pipeToPipe(from: number, to: number, bytes: number, flags: number, links: number): Op {
  if (from === to) return -EINVAL;
  for (;;) {
    yield* pipeLock(from);
    const ready = yield* waitForData(from, flags);
    yield* pipeUnlock(from);
    if (ready <= 0) return ready;
    yield* pipeLock(to);
    const space = yield* waitForSpace(to, flags);
    yield* pipeUnlock(to);
    if (space < 0) return space;
    yield* pipeDoubleLock(from, to);
    const done =
      links === 1 ? yield* linkPipe(from, to, bytes) : yield* movePipeBuffers(from, to, bytes);
    yield* pipeDoubleUnlock(from, to);
    if (done === -EAGAIN) continue;
    if (done > 0) yield* wakeupPipeReaders(to);
    if (done > 0 && links === 0) yield* wakeupPipeWriters(from);
    return done;
  }
}

/** The buffers at the beginning of a ring as an iov_iter. @returns their bytes. */
function* pipeToBvec(v: number, p: number, bytes: number): Op {
  const head = yield* read(Pipe.head.at(p));
  let at = yield* read(Pipe.tail.at(p));
  let total = 0;
  for (let i = 0; at !== head && total < bytes; i++) {
    const slot = pipeSlot(at);
    const len = Math.min(yield* read(PipeBuffer.len.at2(p, slot)), bytes - total);
    writeLocal(SpliceVec.page.at2(v, i), yield* read(PipeBuffer.page.at2(p, slot)));
    writeLocal(SpliceVec.offset.at2(v, i), yield* read(PipeBuffer.offset.at2(p, slot)));
    writeLocal(SpliceVec.len.at2(v, i), len);
    total += len;
    at = (at + 1) | 0;
  }
  iterBvec(v, SpliceVec.page.at2(v, 0), total);
  return total;
}

/** fs/splice.c: iter_file_splice_write(). @returns bytes or a negative errno. */
function* pipeToFile(
  v: number,
  p: number,
  file: number,
  pos: number,
  bytes: number,
  flags: number,
): Op {
  let done = 0;
  let status = 0;
  yield* pipeLock(p);
  while (done < bytes && status === 0) {
    status = yield* waitForData(p, done > 0 ? flags | SPLICE_F_NONBLOCK : flags);
    if (status <= 0) break;
    yield* pipeToBvec(v, p, bytes - done);
    const written = yield* fileWriteIter(v, fileObject(file), pos + done, NO_IOCB);
    status = written < 0 ? written : 0;
    if (written > 0) yield* consumePipe(v, p, written);
    if (written > 0) done += written;
    else break;
  }
  yield* pipeUnlock(p);
  if (done > 0) yield* wakeupPipeWriters(p);
  return done > 0 ? done : status;
}

/** One page of generic_file_splice_read(): the cache's page itself. @returns bytes, 0 or error. */
function* filePageToPipe(v: number, inode: number, pos: number, p: number, bytes: number): Op {
  const left = (yield* read(Inode.size.at(inode))) - pos;
  if (left <= 0) return 0;
  const offset = offsetInPage(pos);
  let pg = yield* pageForRead(v, inode, vpnOf(pos));
  if (pg === NO_PAGE) pg = yield* newZeroPage(v);
  if (pg < 0) return pg;
  const len = Math.min(left, bytes, pageBytes() - offset);
  if ((yield* pipeFull(p)) === 1) {
    yield* putPage(v, pg);
    return 0;
  }
  yield* pipePushBuffer(p, pg, offset, len, PIPE_BUF_CACHE, 0);
  return len;
}

/** fs/splice.c: splice_file_to_pipe(). @returns bytes or a negative errno. */
function* fileToPipe(
  v: number,
  file: number,
  pos: number,
  p: number,
  bytes: number,
  flags: number,
): Op {
  const inode = yield* read(File.object.at(fileObject(file)));
  let done = 0;
  yield* pipeLock(p);
  let status = yield* waitForSpace(p, flags);
  while (status === 0 && done < bytes) {
    const got = yield* filePageToPipe(v, inode, pos + done, p, bytes - done);
    if (got < 0) status = got;
    if (got <= 0) break;
    done += got;
  }
  yield* pipeUnlock(p);
  if (done > 0) yield* wakeupPipeReaders(p);
  return done > 0 ? done : status;
}

/** Has a file the pages or the write that splice needs? */
function* canSplice(file: number): Op {
  if (fileKind(file) !== FILE_RECORD) return 0;
  const kind = yield* read(File.kind.at(fileObject(file)));
  return kind === FILE_OPS_SHMEM || kind === FILE_OPS_BLKDEV ? 1 : 0;
}

/** Between a pipe and a file, at `offset` or at f_pos, which moves. */
function* spliceFile(
  v: number,
  p: number,
  file: number,
  offset: number,
  bytes: number,
  flags: number,
  toFile: number,
): Op {
  if ((yield* canSplice(file)) === 0) return -EINVAL;
  const f = fileObject(file);
  if (toFile === 1 && ((yield* read(File.flags.at(f))) & O_APPEND) !== 0) return -EINVAL;
  const pos = offset === NO_OFFSET ? yield* read(File.pos.at(f)) : offset;
  const done =
    toFile === 1
      ? yield* pipeToFile(v, p, file, pos, bytes, flags)
      : yield* fileToPipe(v, file, pos, p, bytes, flags);
  if (done > 0 && offset === NO_OFFSET) yield* write(File.pos.at(f), pos + done);
  return done;
}

/** fs/splice.c: do_splice(). */
function* doSplice(
  v: number,
  inFile: number,
  inOffset: number,
  outFile: number,
  outOffset: number,
  bytes: number,
  flags: number,
): Op {
  if (!mayRead(yield* flagsOf(inFile)) || !mayWrite(yield* flagsOf(outFile))) return -EBADF;
  const from = yield* pipeOf(inFile);
  const to = yield* pipeOf(outFile);
  if (from === NOT_A_PIPE && to === NOT_A_PIPE) return -EINVAL;
  if (from !== NOT_A_PIPE && inOffset !== NO_OFFSET) return -ESPIPE;
  if (to !== NOT_A_PIPE && outOffset !== NO_OFFSET) return -ESPIPE;
  const how = yield* nonblocking(inFile, outFile, flags);
  if (from !== NOT_A_PIPE && to !== NOT_A_PIPE) return yield* pipeToPipe(from, to, bytes, how, 0);
  if (from !== NOT_A_PIPE) return yield* spliceFile(v, from, outFile, outOffset, bytes, how, 1);
  return yield* spliceFile(v, to, inFile, inOffset, bytes, how, 0);
}

/**
 * splice(2)
 * @param v - vCPU of the task. @param fdIn - from where. @param inOffset - byte of the file, or
 *   NO_OFFSET. @param fdOut - to where. @param outOffset - as inOffset. @param bytes - how many.
 * @param flags - SPLICE_F_*. @returns bytes; -EINVAL, -EBADF, -ESPIPE, -EPIPE or -EAGAIN.
 */
export function* sysSplice(
  v: number,
  fdIn: number,
  inOffset: number,
  fdOut: number,
  outOffset: number,
  bytes: number,
  flags: number,
): Op {
  if (bytes === 0) return 0;
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const found = yield* fdget(v, fdIn);
  if (found === NO_FILE) return -EBADF;
  const other = yield* fdget(v, fdOut);
  let done = -EBADF;
  if (other !== NO_FILE) {
    const inFile = fdFile(found);
    done = yield* doSplice(v, inFile, inOffset, fdFile(other), outOffset, bytes, flags);
    yield* fdput(v, other);
  }
  yield* fdput(v, found);
  return done;
}

/** fs/splice.c: do_tee(). */
function* doTee(inFile: number, outFile: number, bytes: number, flags: number): Op {
  if (!mayRead(yield* flagsOf(inFile)) || !mayWrite(yield* flagsOf(outFile))) return -EBADF;
  const from = yield* pipeOf(inFile);
  const to = yield* pipeOf(outFile);
  if (from === NOT_A_PIPE || to === NOT_A_PIPE) return -EINVAL;
  return yield* pipeToPipe(from, to, bytes, yield* nonblocking(inFile, outFile, flags), 1);
}

/**
 * tee(2)
 * @param v - vCPU of the task. @param fdIn - pipe. @param fdOut - another pipe.
 * @param bytes - how many. @param flags - SPLICE_F_*.
 * @returns bytes; -EINVAL, -EBADF, -EPIPE or -EAGAIN.
 */
export function* sysTee(v: number, fdIn: number, fdOut: number, bytes: number, flags: number): Op {
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  if (bytes === 0) return 0;
  const found = yield* fdget(v, fdIn);
  if (found === NO_FILE) return -EBADF;
  const other = yield* fdget(v, fdOut);
  let done = -EBADF;
  if (other !== NO_FILE) {
    done = yield* doTee(fdFile(found), fdFile(other), bytes, flags);
    yield* fdput(v, other);
  }
  yield* fdput(v, found);
  return done;
}
