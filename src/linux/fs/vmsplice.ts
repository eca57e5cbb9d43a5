/**
 * vmsplice(2) (fs/splice.c): user pages into a pipe. get_user_pages takes them, and the pipe holds
 * them until somebody has read them. The address may be unmapped meanwhile; a grant behind it then
 * cannot go. SPLICE_F_GIFT only says that the process will not use the pages any more. On the end
 * for reading: out of the pipe into user buffers, a copy.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { EBADF, EFAULT, EINVAL } from '../errno.ts';
import { fdFile, fdget, fdput } from './fd-table.ts';
import { NO_FILE, mayWrite } from './file.ts';
import { copyPageToIter, importIovec, iovIterCount } from './iov-iter.ts';
import {
  PIPE_BUF_FLAG_GIFT,
  Pipe,
  PipeBuffer,
  pipeLock,
  pipeSlot,
  pipeUnlock,
} from './pipe-ring.ts';
import { iterToPipe } from './splice-pages.ts';
import {
  NOT_A_PIPE,
  SPLICE_F_ALL,
  SPLICE_F_GIFT,
  SPLICE_F_NONBLOCK,
  consumePipe,
  flagsOf,
  pipeOf,
  waitForData,
  waitForSpace,
  wakeupPipeReaders,
  wakeupPipeWriters,
} from './splice-wait.ts';

/** fs/splice.c: vmsplice_to_pipe(). @returns bytes or a negative errno. */
function* vmspliceToPipe(v: number, p: number, flags: number): Op {
  const gift = (flags & SPLICE_F_GIFT) !== 0 ? PIPE_BUF_FLAG_GIFT : 0;
  yield* pipeLock(p);
  let status = yield* waitForSpace(p, flags);
  if (status === 0) status = yield* iterToPipe(v, p, gift);
  yield* pipeUnlock(p);
  if (status > 0) yield* wakeupPipeReaders(p);
  return status;
}

/** One buffer of splice_from_pipe() with pipe_to_user(). @returns bytes or -EFAULT. */
function* bufferToUser(v: number, p: number): Op {
  const slot = pipeSlot(yield* read(Pipe.tail.at(p)));
  const len = yield* read(PipeBuffer.len.at2(p, slot));
  const offset = yield* read(PipeBuffer.offset.at2(p, slot));
  const want = Math.min(len, iovIterCount(v));
  const page = yield* read(PipeBuffer.page.at2(p, slot));
  if ((yield* copyPageToIter(v, page, offset, want)) < want) return -EFAULT;
  yield* consumePipe(v, p, want);
  return want;
}

/** fs/splice.c: vmsplice_to_user(). @returns bytes or a negative errno. */
function* vmspliceToUser(v: number, p: number, flags: number): Op {
  let done = 0;
  let status = 0;
  yield* pipeLock(p);
  while (iovIterCount(v) > 0 && status === 0) {
    const ready = yield* waitForData(p, done > 0 ? flags | SPLICE_F_NONBLOCK : flags);
    if (ready <= 0) {
      status = ready;
      break;
    }
    const got = yield* bufferToUser(v, p);
    if (got < 0) status = got;
    else done += got;
  }
  yield* pipeUnlock(p);
  if (done > 0) yield* wakeupPipeWriters(p);
  return done > 0 ? done : status;
}

/**
 * vmsplice(2)
 * @param v - vCPU of the task. @param fd - a pipe: of the end for writing its pages go in, of the
 *   other what is in it comes out. @param iov - word of `nr` records { address, bytes }.
 * @param flags - SPLICE_F_*. @returns bytes; -EINVAL, -EBADF, -EFAULT, -EPIPE or -EAGAIN.
 */
export function* sysVmsplice(v: number, fd: number, iov: number, nr: number, flags: number): Op {
  if ((flags & ~SPLICE_F_ALL) !== 0) return -EINVAL;
  const found = yield* fdget(v, fd);
  if (found === NO_FILE) return -EBADF;
  const file = fdFile(found);
  const p = yield* pipeOf(file);
  const writes = mayWrite(yield* flagsOf(file));
  let status = importIovec(v, iov, nr);
  if (status === 0 && iovIterCount(v) > 0) {
    if (p === NOT_A_PIPE) status = -EBADF;
    else status = writes ? yield* vmspliceToPipe(v, p, flags) : yield* vmspliceToUser(v, p, flags);
  }
  yield* fdput(v, found);
  return status;
}
