/**
 * Asynchronous I/O (fs/aio.c): io_setup(2), io_submit(2), io_destroy(2). A request of direct I/O to
 * a disk that is slow (bio.ts: DISK_LOOP) goes on after io_submit() has returned: its pages are
 * held until it is complete. Every other request is done inside io_submit(), as there. Reading the
 * events is aio-events.ts.
 *
 * A request holds its file, and its context until it is complete (reqs). io_destroy() and the end
 * of the address space wait for all requests.
 *
 * Not modelled: eventfd, cancelling, polling, fsync requests; a context is a number and not the
 * address of a ring in user space.
 */
import type { Op } from '../../shared/op.ts';
import { waitForCompletion } from '../../shared/completion.ts';
import {
  cmpxchg,
  read,
  readLocal,
  readOnce,
  write,
  writeOnce,
  xchg,
} from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { wakeUp } from '../../shared/wait-queue.ts';
import { EAGAIN, EBADF, EINVAL } from '../errno.ts';
import { currentMm } from '../mm/mm-life.ts';
import { NO_MM } from '../mm/mm.ts';
import {
  AioEvent,
  Kiocb,
  KiocbPool,
  Kioctx,
  KioctxPool,
  aioCompleteRw,
  putReqs,
  putUsers,
} from './aio-complete.ts';
import { EIOCBQUEUED } from './block-file.ts';
import { fget } from './fd-table.ts';
import { fileReadIter, fileWriteIter, hasReadWrite } from './file-ops.ts';
import {
  FILE_RECORD,
  File,
  NO_FILE,
  fileKind,
  fileObject,
  fput,
  mayRead,
  mayWrite,
} from './file.ts';
import { currentFiles } from './files-struct.ts';
import { importIovec, importUbuf } from './iov-iter.ts';

/** include/uapi/linux/aio_abi.h: aio_lio_opcode. */
export const IOCB_CMD_PREAD = 0;
export const IOCB_CMD_PWRITE = 1;
export const IOCB_CMD_PREADV = 7;
export const IOCB_CMD_PWRITEV = 8;

/** struct iocb: words of a record of the submitter. */
export const IOCB_OPCODE = 0;
export const IOCB_FILDES = 1;
export const IOCB_BUF = 2;
export const IOCB_NBYTES = 3;
export const IOCB_OFFSET = 4;
export const IOCB_DATA = 5;
export const IOCB_WORDS = 6;

/**
 * io_setup(2). fs/aio.c: ioctx_alloc()
 * @param v - vCPU of the task. @param nrEvents - most requests at a time.
 * @returns a context, -EINVAL, or -EAGAIN if there is no room for one.
 */
export function* sysIoSetup(v: number, nrEvents: number): Op {
  if (nrEvents <= 0) return -EINVAL;
  if (nrEvents > AioEvent.res.count) return -EAGAIN;
  const ctx = yield* slabAlloc(KioctxPool.value.word, Kioctx.dead.count);
  if (ctx < 0) return -EAGAIN;
  for (let word = Kioctx.dead.at(ctx); word <= Kioctx.drained.at(ctx); word++) {
    yield* write(word, 0);
  }
  yield* write(Kioctx.maxReqs.at(ctx), nrEvents);
  yield* write(Kioctx.reqs.at(ctx), 1);
  yield* writeOnce(Kioctx.users.at(ctx), 1);
  yield* write(Kioctx.mm.at(ctx), currentMm(v) + 1);
  return ctx;
}

/**
 * fs/aio.c: lookup_ioctx()
 * @returns 1 if the number is a living context of the caller's address space, with a user more
 *   (putUsers); or 0.
 */
export function* lookupIoctx(v: number, ctx: number): Op {
  if (ctx < 0 || ctx >= Kioctx.dead.count) return 0;
  const users = Kioctx.users.at(ctx);
  let old = yield* readOnce(users);
  while (old !== 0) {
    const seen = yield* cmpxchg(users, old, old + 1);
    if (seen === old) break;
    old = seen;
  }
  if (old === 0) return 0;
  // The record may be another's since its number was given.
  const mine = (yield* readOnce(Kioctx.mm.at(ctx))) === currentMm(v) + 1;
  if (mine && (yield* readOnce(Kioctx.dead.at(ctx))) === 0) return 1;
  yield* putUsers(ctx);
  return 0;
}

/** fs/aio.c: kill_ioctx(), and the wait for its requests. @returns 0, or -EINVAL if it is dead. */
function* killIoctx(ctx: number): Op {
  if ((yield* xchg(Kioctx.dead.at(ctx), 1)) !== 0) return -EINVAL;
  yield* write(Kioctx.mm.at(ctx), NO_MM + 1);
  yield* wakeUp(Kioctx.wait.at(ctx));
  yield* putUsers(ctx);
  yield* waitForCompletion(Kioctx.drained.at(ctx));
  yield* slabFree(KioctxPool.value.word, ctx);
  return 0;
}

/** io_destroy(2). @param v - vCPU of the task. @returns 0 or -EINVAL. */
export function* sysIoDestroy(v: number, ctx: number): Op {
  if ((yield* lookupIoctx(v, ctx)) === 0) return -EINVAL;
  yield* putUsers(ctx);
  return yield* killIoctx(ctx);
}

/** fs/aio.c: exit_aio(): the last user of an address space goes. @param mm - it. */
export function* exitAio(mm: number): Op<void> {
  for (let ctx = 0; ctx < Kioctx.dead.count; ctx++) {
    if ((yield* readOnce(Kioctx.mm.at(ctx))) === mm + 1) yield* killIoctx(ctx);
  }
}

/** get_reqs_available(): events that were not read take room too. @returns 1 or 0. */
function* getReqs(ctx: number): Op {
  const word = Kioctx.reqs.at(ctx);
  for (;;) {
    const reqs = yield* readOnce(word);
    const unread = (yield* readOnce(Kioctx.tail.at(ctx))) - (yield* readOnce(Kioctx.head.at(ctx)));
    if (reqs - 1 + unread >= (yield* read(Kioctx.maxReqs.at(ctx)))) return 0;
    if ((yield* cmpxchg(word, reqs, reqs + 1)) === reqs) return 1;
  }
}

/** fs/aio.c: aio_read(), aio_write(), their checks. @returns 0, -EBADF or -EINVAL. */
function* checkRequest(file: number, writes: boolean): Op {
  if (fileKind(file) !== FILE_RECORD) return -EINVAL;
  const flags = yield* read(File.flags.at(fileObject(file)));
  if (!(writes ? mayWrite(flags) : mayRead(flags))) return -EBADF;
  return hasReadWrite(yield* read(File.kind.at(fileObject(file)))) ? 0 : -EINVAL;
}

/** The request itself. @param iocb - word of the record. @returns bytes, -EIOCBQUEUED or error. */
function* perform(v: number, file: number, iocb: number, request: number): Op {
  const opcode = readLocal(iocb + IOCB_OPCODE);
  const vector = opcode === IOCB_CMD_PREADV || opcode === IOCB_CMD_PWRITEV;
  const buf = readLocal(iocb + IOCB_BUF);
  const bytes = readLocal(iocb + IOCB_NBYTES);
  const status = vector ? importIovec(v, buf, bytes) : importUbuf(v, buf, bytes);
  if (status < 0) return status;
  const f = fileObject(file);
  const pos = readLocal(iocb + IOCB_OFFSET);
  if (opcode === IOCB_CMD_PWRITE || opcode === IOCB_CMD_PWRITEV) {
    return yield* fileWriteIter(v, f, pos, request);
  }
  return yield* fileReadIter(v, f, pos, request);
}

function isKnown(opcode: number): boolean {
  return (
    opcode === IOCB_CMD_PREAD ||
    opcode === IOCB_CMD_PWRITE ||
    opcode === IOCB_CMD_PREADV ||
    opcode === IOCB_CMD_PWRITEV
  );
}

/** fs/aio.c: __io_submit_one(). @param request - with its file. @returns 0 or a negative errno. */
function* startRequest(v: number, file: number, iocb: number, request: number): Op {
  const opcode = readLocal(iocb + IOCB_OPCODE);
  if (!isKnown(opcode) || readLocal(iocb + IOCB_OFFSET) < 0) return -EINVAL;
  const writes = opcode === IOCB_CMD_PWRITE || opcode === IOCB_CMD_PWRITEV;
  const status = yield* checkRequest(file, writes);
  if (status < 0) return status;
  const result = yield* perform(v, file, iocb, request);
  // An error of the operation itself is an event; only one of the request is the call's.
  if (result !== -EIOCBQUEUED) yield* aioCompleteRw(v, request, result);
  return 0;
}

/** fs/aio.c: io_submit_one(). @param iocb - word of the record. @returns 0 or a negative errno. */
function* submitOne(v: number, ctx: number, iocb: number): Op {
  if ((yield* getReqs(ctx)) === 0) return -EAGAIN;
  const request = yield* slabAlloc(KiocbPool.value.word, Kiocb.ctx.count);
  let status = -EAGAIN;
  if (request >= 0) {
    const file = yield* fget(v, currentFiles(v), readLocal(iocb + IOCB_FILDES));
    yield* write(Kiocb.ctx.at(request), ctx);
    yield* write(Kiocb.file.at(request), file);
    yield* write(Kiocb.data.at(request), readLocal(iocb + IOCB_DATA));
    yield* write(Kiocb.obj.at(request), iocb);
    status = file === NO_FILE ? -EBADF : yield* startRequest(v, file, iocb, request);
    if (status === 0) return 0;
    if (file !== NO_FILE) yield* fput(v, file);
    yield* slabFree(KiocbPool.value.word, request);
  }
  yield* putReqs(ctx);
  return status;
}

/**
 * io_submit(2)
 * @param v - vCPU of the task. @param ctx - context. @param nr - requests. @param iocbs - word of
 *   `nr` records of IOCB_WORDS. @returns requests that were taken, or the error of the first.
 */
export function* sysIoSubmit(v: number, ctx: number, nr: number, iocbs: number): Op {
  if (nr < 0 || (yield* lookupIoctx(v, ctx)) === 0) return -EINVAL;
  let done = 0;
  let status = 0;
  while (done < nr && status === 0) {
    status = yield* submitOne(v, ctx, iocbs + done * IOCB_WORDS);
    if (status === 0) done++;
  }
  yield* putUsers(ctx);
  return done > 0 ? done : status;
}
