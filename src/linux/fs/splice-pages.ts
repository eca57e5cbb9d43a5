/**
 * Buffers that go from pipe to pipe, and pages of a process that go into one (fs/splice.c:
 * splice_pipe_to_pipe(), link_pipe(), iter_to_pipe()). Nothing is copied: the page itself moves, or
 * is held once more.
 *
 * Two pipes are locked by number, the lower first (pipe_double_lock()).
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { EAGAIN, EPIPE } from '../errno.ts';
import { putPage } from '../mm/page.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';
import { pageBytes, pagesOfRange } from './copy-bytes.ts';
import { iovIterCount, iovIterGetPages, iovIterPageOffset } from './iov-iter.ts';
import {
  PIPE_BUF_FLAG_CAN_MERGE,
  PIPE_BUF_FLAG_GIFT,
  PIPE_BUF_USER,
  Pipe,
  PipeBuffer,
  pipeBufGet,
  pipeFull,
  pipeLock,
  pipeOccupancy,
  pipePushBuffer,
  pipeSlot,
  pipeUnlock,
} from './pipe-ring.ts';

/** Pages of one round of iter_to_pipe(), which takes 16. */
export const SplicePage = defineTable('%v.splice_page[%]', ['vcpus', 'splicePages'], {
  value: '[VCPU] page that get_user_pages returned',
});

/** fs/pipe.c: pipe_double_lock() */
export function* pipeDoubleLock(a: number, b: number): Op<void> {
  yield* pipeLock(Math.min(a, b));
  yield* pipeLock(Math.max(a, b));
}

export function* pipeDoubleUnlock(a: number, b: number): Op<void> {
  yield* pipeUnlock(a);
  yield* pipeUnlock(b);
}

/** fs/splice.c: add_to_pipe(). The caller holds the mutex. @returns bytes, -EPIPE or -EAGAIN. */
function* addToPipe(p: number, pg: number, offset: number, len: number, flags: number): Op {
  if ((yield* read(Pipe.readers.at(p))) === 0) return -EPIPE;
  if ((yield* pipeFull(p)) === 1) return -EAGAIN;
  yield* pipePushBuffer(p, pg, offset, len, PIPE_BUF_USER, flags);
  return len;
}

/** Gives back the pages of a round that did not get into the pipe. */
function* dropPages(v: number, first: number, end: number): Op<void> {
  for (let i = first; i < end; i++) {
    const pg = readLocal(SplicePage.value.at2(v, i));
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* putPage(v, pg);
  }
}

/** One round of iter_to_pipe(). @returns bytes, or a negative errno if none. */
function* pagesToPipe(v: number, p: number, flags: number): Op {
  let offset = iovIterPageOffset(v);
  const room = SplicePage.value.count;
  const bytes = yield* iovIterGetPages(v, SplicePage.value.at2(v, 0), room, 0);
  if (bytes <= 0) return bytes;
  const pages = pagesOfRange(offset, bytes);
  let done = 0;
  for (let i = 0; i < pages; i++) {
    const len = Math.min(bytes - done, pageBytes() - offset);
    const pg = readLocal(SplicePage.value.at2(v, i));
    const status = yield* addToPipe(p, pg, offset, len, flags);
    if (status < 0) {
      yield* dropPages(v, i, pages);
      return done > 0 ? done : status;
    }
    done += len;
    offset = 0;
  }
  return done;
}

/**
 * fs/splice.c: iter_to_pipe(): the pages of the vCPU's iov_iter become buffers. They are held for
 * reading, by get_user_pages_fast(). The caller holds the mutex and knows that a slot is free.
 * @param flags - 0 or PIPE_BUF_FLAG_GIFT. @returns bytes, or a negative errno if none.
 */
export function* iterToPipe(v: number, p: number, flags: number): Op {
  let total = 0;
  while (iovIterCount(v) > 0) {
    const before = iovIterCount(v);
    const done = yield* pagesToPipe(v, p, flags);
    if (done <= 0) return total > 0 ? total : done;
    total += done;
    if (before - iovIterCount(v) > done) return total;
  }
  return total;
}

/** A buffer of `from` becomes the next one of `to`; without GIFT and CAN_MERGE if it is shared. */
function* copyBuffer(from: number, slot: number, to: number, len: number, mask: number): Op<void> {
  const pg = yield* read(PipeBuffer.page.at2(from, slot));
  const offset = yield* read(PipeBuffer.offset.at2(from, slot));
  const ops = yield* read(PipeBuffer.ops.at2(from, slot));
  const flags = (yield* read(PipeBuffer.flags.at2(from, slot))) & mask;
  yield* pipePushBuffer(to, pg, offset, len, ops, flags);
}

/** What a buffer that shares its page does not have. */
const SHARED_MASK = ~(PIPE_BUF_FLAG_GIFT | PIPE_BUF_FLAG_CAN_MERGE);

/**
 * fs/splice.c: splice_pipe_to_pipe(), under both mutexes: whole buffers move, of the last one
 * perhaps a part, whose page is held once more.
 * @returns bytes; 0 if there is nothing to read and no writer; -EPIPE; -EAGAIN: one has to wait.
 */
export function* movePipeBuffers(from: number, to: number, bytes: number): Op {
  let done = 0;
  while (done < bytes) {
    if ((yield* read(Pipe.readers.at(to))) === 0) return done > 0 ? done : -EPIPE;
    if ((yield* pipeOccupancy(from)) === 0) {
      if (done > 0 || (yield* read(Pipe.writers.at(from))) === 0) return done;
      return -EAGAIN;
    }
    if ((yield* pipeFull(to)) === 1) return done > 0 ? done : -EAGAIN;
    const tail = yield* read(Pipe.tail.at(from));
    const slot = pipeSlot(tail);
    const len = yield* read(PipeBuffer.len.at2(from, slot));
    const step = Math.min(len, bytes - done);
    if (step === len) {
      yield* copyBuffer(from, slot, to, len, -1);
      yield* write(Pipe.tail.at(from), (tail + 1) | 0);
    } else {
      yield* pipeBufGet(from, slot);
      yield* copyBuffer(from, slot, to, step, SHARED_MASK);
      const offset = yield* read(PipeBuffer.offset.at2(from, slot));
      yield* write(PipeBuffer.offset.at2(from, slot), offset + step);
      yield* write(PipeBuffer.len.at2(from, slot), len - step);
    }
    done += step;
  }
  return done;
}

/**
 * fs/splice.c: link_pipe() of tee(2), under both mutexes: every page is held once more.
 * @returns bytes, 0 if there is nothing, or -EPIPE.
 */
export function* linkPipe(from: number, to: number, bytes: number): Op {
  let done = 0;
  let at = yield* read(Pipe.tail.at(from));
  while (done < bytes) {
    if ((yield* read(Pipe.readers.at(to))) === 0) return done > 0 ? done : -EPIPE;
    if (at === (yield* read(Pipe.head.at(from))) || (yield* pipeFull(to)) === 1) return done;
    const slot = pipeSlot(at);
    const len = Math.min(yield* read(PipeBuffer.len.at2(from, slot)), bytes - done);
    yield* pipeBufGet(from, slot);
    yield* copyBuffer(from, slot, to, len, SHARED_MASK);
    done += len;
    at = (at + 1) | 0;
  }
  return done;
}
