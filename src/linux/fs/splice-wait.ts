/**
 * What splice(2) and its kin share (fs/splice.c): which pipe, waiting for it, and taking out of it.
 *
 * wakeup_pipe_readers() and wakeup_pipe_writers() ask first whether anybody sleeps; the barrier
 * before the question pairs with the one of who goes to sleep (wait-queue.ts).
 */
import type { Op } from '../../shared/op.ts';
import { read, smpMb, write } from '../../shared/operations.ts';
import { waitqueueActive } from '../../shared/wait-queue.ts';
import { EAGAIN, EPIPE } from '../errno.ts';
import { FILE_OPS_PIPE } from './file-ops.ts';
import { FILE_RECORD, File, fileKind, fileObject } from './file.ts';
import {
  Pipe,
  PipeBuffer,
  pipeFull,
  pipeLock,
  pipeOccupancy,
  pipePopBuffer,
  pipeSlot,
  pipeUnlock,
  pipeWaitReadable,
  pipeWaitWritable,
  wakePipeReaders,
  wakePipeWriters,
} from './pipe-ring.ts';

/** include/linux/splice.h: flags. MOVE and MORE change nothing here. */
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const SPLICE_F_MORE = 4;
export const SPLICE_F_GIFT = 8;
export const SPLICE_F_ALL = 15;

/** No pipe: the file is another one. */
export const NOT_A_PIPE = -1;

/** fs/splice.c: get_pipe_info(). @returns the pipe of a file, or NOT_A_PIPE. */
export function* pipeOf(file: number): Op {
  if (fileKind(file) !== FILE_RECORD) return NOT_A_PIPE;
  const f = fileObject(file);
  return (yield* read(File.kind.at(f))) === FILE_OPS_PIPE
    ? yield* read(File.object.at(f))
    : NOT_A_PIPE;
}

export function* flagsOf(file: number): Op {
  return fileKind(file) === FILE_RECORD ? yield* read(File.flags.at(fileObject(file))) : 0;
}

/** fs/splice.c: wakeup_pipe_readers(): the barrier between head and the question who sleeps. */
export function* wakeupPipeReaders(p: number): Op<void> {
  yield* smpMb();
  if ((yield* waitqueueActive(Pipe.rdWait.at(p))) === 1) yield* wakePipeReaders(p);
}

/** fs/splice.c: wakeup_pipe_writers() */
export function* wakeupPipeWriters(p: number): Op<void> {
  yield* smpMb();
  if ((yield* waitqueueActive(Pipe.wrWait.at(p))) === 1) yield* wakePipeWriters(p);
}

/** fs/splice.c: wait_for_space(). The caller holds the mutex. @returns 0, -EPIPE or -EAGAIN. */
export function* waitForSpace(p: number, flags: number): Op {
  for (;;) {
    if ((yield* read(Pipe.readers.at(p))) === 0) return -EPIPE;
    if ((yield* pipeFull(p)) === 0) return 0;
    if ((flags & SPLICE_F_NONBLOCK) !== 0) return -EAGAIN;
    yield* pipeUnlock(p);
    yield* pipeWaitWritable(p);
    yield* pipeLock(p);
  }
}

/** Until there is a buffer. The caller holds the mutex. @returns 1; 0: no writer; or -EAGAIN. */
export function* waitForData(p: number, flags: number): Op {
  for (;;) {
    if ((yield* pipeOccupancy(p)) > 0) return 1;
    if ((yield* read(Pipe.writers.at(p))) === 0) return 0;
    if ((flags & SPLICE_F_NONBLOCK) !== 0) return -EAGAIN;
    yield* pipeUnlock(p);
    yield* wakeupPipeWriters(p);
    yield* pipeWaitReadable(p);
    yield* pipeLock(p);
  }
}

/** Bytes at the ring's beginning are done with. */
export function* consumePipe(v: number, p: number, bytes: number): Op<void> {
  let left = bytes;
  while (left > 0) {
    const slot = pipeSlot(yield* read(Pipe.tail.at(p)));
    const len = yield* read(PipeBuffer.len.at2(p, slot));
    const step = Math.min(left, len);
    const offset = yield* read(PipeBuffer.offset.at2(p, slot));
    yield* write(PipeBuffer.offset.at2(p, slot), offset + step);
    yield* write(PipeBuffer.len.at2(p, slot), len - step);
    if (step === len) yield* pipePopBuffer(v, p);
    left -= step;
  }
}
