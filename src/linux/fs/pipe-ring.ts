/**
 * Pipes (include/linux/pipe_fs_i.h: struct pipe_inode_info, struct pipe_buffer): a ring of buffers,
 * each a part of a page. Pages come from write(), by splice() from a file's page cache, or by
 * vmsplice() from a process: then the page, and a grant behind it, stays with the pipe whatever
 * becomes of the address.
 *
 * mutex        head, tail and the buffers, of whoever changes them; readers and writers
 * head, tail   count up without end; buffer number n is slot n & (ring - 1). A buffer at
 *              [tail, head) has a page with a reference of the pipe.
 * rdWait       readers sleep here until there is a buffer or no writer is left
 * wrWait       writers sleep here until a slot is free or no reader is left
 * tmpPage      page of a buffer that was read, kept for the next write
 *
 * Not modelled: signals that interrupt a sleeper; exclusive sleepers (all are woken and look);
 * user limits; notification pipes.
 */
import { mutexLock, mutexUnlock } from '../../shared/mutex.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, trace, write } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { finishWait, prepareToWait, waitForWakeUp, wakeUp } from '../../shared/wait-queue.ts';
import { NO_PAGE, getPage, pageCount, putPage } from '../mm/page.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';

/** No pipe. */
export const NO_PIPE = -1;

/** A buffer of write(): its page is the pipe's own (anon_pipe_buf_ops). */
export const PIPE_BUF_ANON = 0;
/** A page of a process (user_page_pipe_buf_ops). */
export const PIPE_BUF_USER = 1;
/** A page of a file's page cache (page_cache_pipe_buf_ops). */
export const PIPE_BUF_CACHE = 2;

/** include/linux/pipe_fs_i.h: flags of a buffer. */
export const PIPE_BUF_FLAG_GIFT = 4;
/** A write may be appended to the buffer. */
export const PIPE_BUF_FLAG_CAN_MERGE = 16;

export const Pipe = defineTable(
  'pipe[%]',
  ['pipes'],
  {
    mutex: '[GST] mutex',
    head: '[GST] buffers that were put in; mutex',
    tail: '[GST] buffers that were taken out; mutex',
    readers: '[GST] open files for reading; mutex',
    writers: '[GST] open files for writing; mutex',
    files: '[GST] open files of both kinds; mutex',
    tmpPage: '[GST] a page of the own for the next write, -1 if none; mutex',
    rdWait: '[GST] wait queue of readers',
    wrWait: '[GST] wait queue of writers',
  },
  { lineAligned: true },
);

export const PipePool = defineTable('pipe_cache[%]', ['pipeWords'], {
  value: '[GST] bitmap of the pipes in use (kmalloc)',
});

export const PipeBuffer = defineTable('pipe[%].buf[%]', ['pipes', 'pipeSlots'], {
  page: '[GST] page with a reference of the pipe; mutex',
  offset: '[GST] first byte in the page; mutex',
  len: '[GST] bytes; mutex',
  ops: '[GST] PIPE_BUF_*; mutex',
  flags: '[GST] PIPE_BUF_FLAG_*; mutex',
});

/** Slots of a pipe's ring, a power of two: PIPE_DEF_BUFFERS is 16. */
export function pipeRingSize(): number {
  return PipeBuffer.page.count;
}

/** The slot of a buffer. @param n - number of the buffer. */
export function pipeSlot(n: number): number {
  return n & (pipeRingSize() - 1);
}

/** fs/pipe.c: alloc_pipe_info(). @returns a pipe, or NO_PIPE. */
export function* allocPipe(): Op {
  const p = yield* slabAlloc(PipePool.value.word, Pipe.mutex.count);
  if (p < 0) return NO_PIPE;
  for (let word = Pipe.mutex.at(p); word <= Pipe.files.at(p); word++) yield* write(word, 0);
  yield* write(Pipe.tmpPage.at(p), NO_PAGE);
  return p;
}

/** fs/pipe.c: pipe_lock() */
export function* pipeLock(p: number): Op<void> {
  yield* mutexLock(Pipe.mutex.at(p));
}

/** fs/pipe.c: pipe_unlock() */
export function* pipeUnlock(p: number): Op<void> {
  yield* mutexUnlock(Pipe.mutex.at(p));
}

/** include/linux/pipe_fs_i.h: pipe_occupancy(), under the mutex. @returns buffers in the ring. */
export function* pipeOccupancy(p: number): Op {
  return ((yield* read(Pipe.head.at(p))) - (yield* read(Pipe.tail.at(p)))) | 0;
}

/** include/linux/pipe_fs_i.h: pipe_full(), under the mutex. @returns 1 or 0. */
export function* pipeFull(p: number): Op {
  return (yield* pipeOccupancy(p)) >= pipeRingSize() ? 1 : 0;
}

/** The same without the mutex. */
function* occupancyOnce(p: number): Op {
  const head = yield* readOnce(Pipe.head.at(p));
  return (head - (yield* readOnce(Pipe.tail.at(p)))) | 0;
}

/** fs/pipe.c: pipe_readable(). @returns 1 or 0. */
function* pipeReadable(p: number): Op {
  const writers = yield* readOnce(Pipe.writers.at(p));
  return writers === 0 || (yield* occupancyOnce(p)) > 0 ? 1 : 0;
}

/** fs/pipe.c: pipe_writable(). @returns 1 or 0. */
function* pipeWritable(p: number): Op {
  if ((yield* occupancyOnce(p)) < pipeRingSize()) return 1;
  return (yield* readOnce(Pipe.readers.at(p))) === 0 ? 1 : 0;
}

/** Sleeps until a reader can do something. The caller does not hold the mutex. */
export function* pipeWaitReadable(p: number): Op<void> {
  for (;;) {
    const seen = yield* prepareToWait(Pipe.rdWait.at(p));
    const ready = yield* pipeReadable(p);
    if (ready === 0) yield* waitForWakeUp(Pipe.rdWait.at(p), seen);
    yield* finishWait(Pipe.rdWait.at(p));
    if (ready === 1) return;
  }
}

/** Sleeps until a writer can do something. The caller does not hold the mutex. */
export function* pipeWaitWritable(p: number): Op<void> {
  for (;;) {
    const seen = yield* prepareToWait(Pipe.wrWait.at(p));
    const ready = yield* pipeWritable(p);
    if (ready === 0) yield* waitForWakeUp(Pipe.wrWait.at(p), seen);
    yield* finishWait(Pipe.wrWait.at(p));
    if (ready === 1) return;
  }
}

/** wake_up_interruptible(&pipe->rd_wait) */
export function* wakePipeReaders(p: number): Op<void> {
  yield* wakeUp(Pipe.rdWait.at(p));
}

/** wake_up_interruptible(&pipe->wr_wait) */
export function* wakePipeWriters(p: number): Op<void> {
  yield* wakeUp(Pipe.wrWait.at(p));
}

/**
 * The next buffer of the ring. The caller holds the mutex and knows that a slot is free.
 * @param pg - page, whose reference is the pipe's from now on.
 */
export function* pipePushBuffer(
  p: number,
  pg: number,
  offset: number,
  len: number,
  ops: number,
  flags: number,
): Op<void> {
  const head = yield* read(Pipe.head.at(p));
  const slot = pipeSlot(head);
  yield* write(PipeBuffer.page.at2(p, slot), pg);
  yield* write(PipeBuffer.offset.at2(p, slot), offset);
  yield* write(PipeBuffer.len.at2(p, slot), len);
  yield* write(PipeBuffer.ops.at2(p, slot), ops);
  yield* write(PipeBuffer.flags.at2(p, slot), flags);
  yield* write(Pipe.head.at(p), (head + 1) | 0);
}

/** include/linux/pipe_fs_i.h: pipe_buf_get(): a reference for another buffer of the page. */
export function* pipeBufGet(p: number, slot: number): Op<void> {
  yield* getPage(yield* read(PipeBuffer.page.at2(p, slot)));
}

/** fs/pipe.c: anon_pipe_buf_release(), generic_pipe_buf_release() */
function* releaseBuffer(v: number, p: number, slot: number): Op<void> {
  const pg = yield* read(PipeBuffer.page.at2(p, slot));
  if ((yield* read(PipeBuffer.ops.at2(p, slot))) === PIPE_BUF_ANON) {
    const keep = (yield* read(Pipe.tmpPage.at(p))) === NO_PAGE;
    if (keep && (yield* pageCount(pg)) === 1) {
      yield* write(Pipe.tmpPage.at(p), pg);
      return;
    }
  } else if ((yield* read(PipeBuffer.ops.at2(p, slot))) === PIPE_BUF_USER) {
    trace(TRACE_GUP_PUT, pg, 0, 0);
  }
  yield* putPage(v, pg);
}

/** Takes the oldest buffer out of the ring and releases its page. The caller holds the mutex. */
export function* pipePopBuffer(v: number, p: number): Op<void> {
  const tail = yield* read(Pipe.tail.at(p));
  yield* releaseBuffer(v, p, pipeSlot(tail));
  yield* write(Pipe.tail.at(p), (tail + 1) | 0);
}

/** fs/pipe.c: free_pipe_info(). @param p - pipe without files. */
export function* freePipe(v: number, p: number): Op<void> {
  while ((yield* pipeOccupancy(p)) > 0) yield* pipePopBuffer(v, p);
  const tmp = yield* read(Pipe.tmpPage.at(p));
  if (tmp !== NO_PAGE) yield* putPage(v, tmp);
  yield* slabFree(PipePool.value.word, p);
}
