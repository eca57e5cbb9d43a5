/**
 * Reading and writing of pipes (fs/pipe.c). The ring is pipe-ring.ts.
 *
 * A write: 1. the rest that does not fill a page goes behind the newest buffer, if that is of a
 * write and has room. 2. for each page: take the slot, then copy into it. A page on which the copy
 * faults stays in the ring with no bytes, and the next reader takes it out. 3. sleep while the ring
 * is full.
 * A read: 1. copy out of the oldest buffer; an empty one is released. 2. sleep only if nothing was
 * read so far and there is a writer.
 */
import { reg, setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { loadAcquire, read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { EAGAIN, EFAULT, EINVAL, ENFILE, ENOMEM, EPIPE } from '../errno.ts';
import { NO_PAGE } from '../mm/page.ts';
import { allocPage } from '../mm/page-alloc.ts';
import { COPY_FAULT, pageBytes } from './copy-bytes.ts';
import { fdInstall, getUnusedFd, putUnusedFd } from './fd-table.ts';
import { FILE_OPS_PIPE } from './file-ops.ts';
import {
  File,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  allocFile,
  fput,
  mayRead,
  mayWrite,
} from './file.ts';
import { currentFiles } from './files-struct.ts';
import { copyPageFromIter, copyPageToIter, iovIterCount } from './iov-iter.ts';
import {
  NO_PIPE,
  PIPE_BUF_ANON,
  PIPE_BUF_FLAG_CAN_MERGE,
  Pipe,
  PipeBuffer,
  allocPipe,
  freePipe,
  pipeFull,
  pipeLock,
  pipeOccupancy,
  pipePopBuffer,
  pipePushBuffer,
  pipeSlot,
  pipeUnlock,
  pipeWaitReadable,
  pipeWaitWritable,
  wakePipeReaders,
  wakePipeWriters,
} from './pipe-ring.ts';

/** Register: was the ring empty (for a writer) or full (for a reader): the other side may sleep. */
const REG_WAKE_PEER = 26;
/** Register: this task has slept; the next of its kind may go on too. */
const REG_WAKE_NEXT = 27;

/** Step 1 of pipe_write(). @returns bytes that were appended, or -EFAULT. */
function* appendToLast(v: number, p: number): Op {
  const chars = iovIterCount(v) & (pageBytes() - 1);
  if (chars === 0 || (yield* pipeOccupancy(p)) === 0) return 0;
  const slot = pipeSlot((yield* read(Pipe.head.at(p))) - 1);
  const len = yield* read(PipeBuffer.len.at2(p, slot));
  const end = (yield* read(PipeBuffer.offset.at2(p, slot))) + len;
  const flags = yield* read(PipeBuffer.flags.at2(p, slot));
  if ((flags & PIPE_BUF_FLAG_CAN_MERGE) === 0 || end + chars > pageBytes()) return 0;
  const page = yield* read(PipeBuffer.page.at2(p, slot));
  const copied = yield* copyPageFromIter(v, page, end, chars, COPY_FAULT);
  if (copied < chars) return -EFAULT;
  yield* write(PipeBuffer.len.at2(p, slot), len + copied);
  return copied;
}

/** Step 2 for one page, into a free slot. @returns bytes, -ENOMEM, or -EFAULT. */
function* writePage(v: number, p: number): Op {
  let pg = yield* read(Pipe.tmpPage.at(p));
  if (pg === NO_PAGE) pg = yield* allocPage(v);
  if (pg === NO_PAGE) return -ENOMEM;
  yield* write(Pipe.tmpPage.at(p), NO_PAGE);
  const slot = pipeSlot(yield* read(Pipe.head.at(p)));
  yield* pipePushBuffer(p, pg, 0, 0, PIPE_BUF_ANON, PIPE_BUF_FLAG_CAN_MERGE);
  const copied = yield* copyPageFromIter(v, pg, 0, pageBytes(), COPY_FAULT);
  if (copied < pageBytes() && iovIterCount(v) > 0) return -EFAULT;
  yield* write(PipeBuffer.len.at2(p, slot), copied);
  return copied;
}

/** fs/pipe.c: pipe_write(), its loop. Under the mutex. @returns bytes, or a negative error. */
function* writeLoop(v: number, p: number, flags: number, before: number): Op {
  let done = before;
  for (;;) {
    if ((yield* read(Pipe.readers.at(p))) === 0) return done > 0 ? done : -EPIPE;
    if ((yield* pipeFull(p)) === 0) {
      const copied = yield* writePage(v, p);
      if (copied < 0) return done > 0 ? done : copied;
      done += copied;
      if (iovIterCount(v) === 0) return done;
      continue;
    }
    if ((flags & O_NONBLOCK) !== 0) return done > 0 ? done : -EAGAIN;
    yield* pipeUnlock(p);
    if (reg(v, REG_WAKE_PEER) === 1) yield* wakePipeReaders(p);
    yield* pipeWaitWritable(p);
    yield* pipeLock(p);
    setReg(v, REG_WAKE_PEER, (yield* pipeOccupancy(p)) === 0 ? 1 : 0);
    setReg(v, REG_WAKE_NEXT, 1);
  }
}

/**
 * fs/pipe.c: pipe_write(). The caller sends SIGPIPE for -EPIPE.
 * @param v - vCPU of the task, whose iov_iter is the source. @param f - file of the pipe.
 * @returns bytes, -EPIPE, -EAGAIN, -EFAULT or -ENOMEM.
 */
export function* pipeWrite(v: number, f: number): Op {
  if (iovIterCount(v) === 0) return 0;
  const p = yield* read(File.object.at(f));
  const flags = yield* read(File.flags.at(f));
  yield* pipeLock(p);
  setReg(v, REG_WAKE_PEER, (yield* pipeOccupancy(p)) === 0 ? 1 : 0);
  setReg(v, REG_WAKE_NEXT, 0);
  let status = -EPIPE;
  if ((yield* read(Pipe.readers.at(p))) > 0) {
    status = yield* appendToLast(v, p);
    if (status >= 0 && iovIterCount(v) > 0) status = yield* writeLoop(v, p, flags, status);
  }
  const full = yield* pipeFull(p);
  yield* pipeUnlock(p);
  if (reg(v, REG_WAKE_PEER) === 1) yield* wakePipeReaders(p);
  if (reg(v, REG_WAKE_NEXT) === 1 && full === 0) yield* wakePipeWriters(p);
  return status;
}

/** Step 1 of pipe_read(), one buffer. @param left - bytes wanted. @returns bytes, or -EFAULT. */
function* readBuffer(v: number, p: number, left: number): Op {
  const slot = pipeSlot(yield* read(Pipe.tail.at(p)));
  const len = yield* read(PipeBuffer.len.at2(p, slot));
  const offset = yield* read(PipeBuffer.offset.at2(p, slot));
  const chars = Math.min(len, left);
  const page = yield* read(PipeBuffer.page.at2(p, slot));
  if ((yield* copyPageToIter(v, page, offset, chars)) < chars) return -EFAULT;
  yield* write(PipeBuffer.offset.at2(p, slot), offset + chars);
  yield* write(PipeBuffer.len.at2(p, slot), len - chars);
  if (len === chars) yield* pipePopBuffer(v, p);
  return chars;
}

/** fs/pipe.c: pipe_read(), its loop. Under the mutex. @returns bytes, or a negative error. */
function* readLoop(v: number, p: number, flags: number, total: number): Op {
  let done = 0;
  for (;;) {
    const head = yield* loadAcquire(Pipe.head.at(p));
    if (head !== (yield* read(Pipe.tail.at(p)))) {
      const got = yield* readBuffer(v, p, total - done);
      if (got < 0) return done > 0 ? done : got;
      done += got;
      if (done === total) return done;
      continue;
    }
    if ((yield* read(Pipe.writers.at(p))) === 0 || done > 0) return done;
    if ((flags & O_NONBLOCK) !== 0) return -EAGAIN;
    yield* pipeUnlock(p);
    if (reg(v, REG_WAKE_PEER) === 1) yield* wakePipeWriters(p);
    yield* pipeWaitReadable(p);
    yield* pipeLock(p);
    setReg(v, REG_WAKE_PEER, yield* pipeFull(p));
    setReg(v, REG_WAKE_NEXT, 1);
  }
}

/**
 * fs/pipe.c: pipe_read()
 * @param v - vCPU of the task, whose iov_iter is the target. @param f - file of the pipe.
 * @returns bytes, 0 if no writer is left, -EAGAIN or -EFAULT.
 */
export function* pipeRead(v: number, f: number): Op {
  const total = iovIterCount(v);
  if (total === 0) return 0;
  const p = yield* read(File.object.at(f));
  yield* pipeLock(p);
  setReg(v, REG_WAKE_PEER, yield* pipeFull(p));
  setReg(v, REG_WAKE_NEXT, 0);
  const status = yield* readLoop(v, p, yield* read(File.flags.at(f)), total);
  const empty = (yield* pipeOccupancy(p)) === 0;
  yield* pipeUnlock(p);
  if (reg(v, REG_WAKE_PEER) === 1) yield* wakePipeWriters(p);
  if (reg(v, REG_WAKE_NEXT) === 1 && !empty) yield* wakePipeReaders(p);
  return status;
}

/**
 * fs/pipe.c: pipe_release()
 * @param v - vCPU of the task. @param f - file of the pipe, without references.
 */
export function* pipeRelease(v: number, f: number): Op<void> {
  const p = yield* read(File.object.at(f));
  const flags = yield* read(File.flags.at(f));
  yield* pipeLock(p);
  if (mayRead(flags)) yield* addTo(Pipe.readers.at(p), -1);
  if (mayWrite(flags)) yield* addTo(Pipe.writers.at(p), -1);
  const noReader = (yield* read(Pipe.readers.at(p))) === 0;
  const noWriter = (yield* read(Pipe.writers.at(p))) === 0;
  if (noReader !== noWriter) {
    yield* wakePipeReaders(p);
    yield* wakePipeWriters(p);
  }
  const files = (yield* read(Pipe.files.at(p))) - 1;
  yield* write(Pipe.files.at(p), files);
  yield* pipeUnlock(p);
  if (files === 0) yield* freePipe(v, p);
}

function* addTo(word: number, delta: number): Op<void> {
  yield* write(word, (yield* read(word)) + delta);
}

/** fs/pipe.c: create_pipe_files(). @returns the file of the end for reading, or an error. */
function* createPipeFiles(v: number, flags: number, out: number): Op {
  const p = yield* allocPipe();
  if (p === NO_PIPE) return -ENFILE;
  const writer = yield* allocFile(FILE_OPS_PIPE, p, O_WRONLY | flags);
  if (writer < 0) {
    yield* freePipe(v, p);
    return writer;
  }
  yield* write(Pipe.writers.at(p), 1);
  yield* write(Pipe.files.at(p), 1);
  const reader = yield* allocFile(FILE_OPS_PIPE, p, O_RDONLY | flags);
  if (reader < 0) {
    yield* fput(v, writer);
    return reader;
  }
  yield* write(Pipe.readers.at(p), 1);
  yield* write(Pipe.files.at(p), 2);
  writeLocal(out, reader);
  writeLocal(out + 1, writer);
  return 0;
}

/** Two numbers for two files. @param out - word of both files; the numbers afterwards. */
function* installPair(v: number, out: number, cloexec: number): Op {
  const files = currentFiles(v);
  const readFd = yield* getUnusedFd(files, 0, cloexec);
  if (readFd < 0) return readFd;
  const writeFd = yield* getUnusedFd(files, 0, cloexec);
  if (writeFd < 0) {
    yield* putUnusedFd(files, readFd);
    return writeFd;
  }
  yield* fdInstall(files, readFd, readLocal(out));
  yield* fdInstall(files, writeFd, readLocal(out + 1));
  writeLocal(out, readFd);
  writeLocal(out + 1, writeFd);
  return 0;
}

/**
 * pipe2(2). fs/pipe.c: do_pipe2()
 * @param v - vCPU of the task. @param out - word of two, for the numbers { read, write }.
 * @param flags - O_CLOEXEC, O_NONBLOCK. @returns 0, -EINVAL, -EMFILE or -ENFILE.
 */
export function* sysPipe2(v: number, out: number, flags: number): Op {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  let status = yield* createPipeFiles(v, flags & O_NONBLOCK, out);
  if (status < 0) return status;
  const reader = readLocal(out);
  const writer = readLocal(out + 1);
  status = yield* installPair(v, out, (flags & O_CLOEXEC) !== 0 ? 1 : 0);
  if (status === 0) return 0;
  yield* fput(v, reader);
  yield* fput(v, writer);
  return status;
}
