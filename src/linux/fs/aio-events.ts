/**
 * io_getevents(2) (fs/aio.c: read_events(), aio_read_events_ring()). A reader takes the tail before
 * the events (read barrier), the writer of aio-complete.ts writes them in the other order.
 */
import type { Op } from '../../shared/op.ts';
import { advanceClock } from '../../shared/clock.ts';
import { mutexLock, mutexUnlock } from '../../shared/mutex.ts';
import { read, readOnce, smpRmb, write, writeLocal } from '../../shared/operations.ts';
import { finishWait, prepareToWait, waitForWakeUp } from '../../shared/wait-queue.ts';
import { EINVAL } from '../errno.ts';
import { AioEvent, Kioctx, aioSlot, putUsers } from './aio-complete.ts';
import { lookupIoctx } from './aio.ts';

/** struct io_event: words of a record. */
export const IO_EVENT_DATA = 0;
export const IO_EVENT_OBJ = 1;
export const IO_EVENT_RES = 2;
export const IO_EVENT_WORDS = 3;

/** Waits as long as it takes. */
export const AIO_FOREVER = -1;

/** fs/aio.c: aio_read_events_ring(). @returns events. */
function* readEventsRing(ctx: number, nr: number, out: number): Op {
  yield* mutexLock(Kioctx.ringLock.at(ctx));
  const head = yield* read(Kioctx.head.at(ctx));
  const tail = yield* readOnce(Kioctx.tail.at(ctx));
  yield* smpRmb();
  const count = Math.min(nr, (tail - head) | 0);
  for (let i = 0; i < count; i++) {
    const slot = aioSlot((head + i) | 0);
    const record = out + i * IO_EVENT_WORDS;
    writeLocal(record + IO_EVENT_DATA, yield* read(AioEvent.data.at2(ctx, slot)));
    writeLocal(record + IO_EVENT_OBJ, yield* read(AioEvent.obj.at2(ctx, slot)));
    writeLocal(record + IO_EVENT_RES, yield* read(AioEvent.res.at2(ctx, slot)));
  }
  yield* write(Kioctx.head.at(ctx), (head + count) | 0);
  yield* mutexUnlock(Kioctx.ringLock.at(ctx));
  return count;
}

/** One look after the task is on the wait queue. @returns events that came; asleep until then. */
function* lookOrSleep(ctx: number, nr: number, out: number, want: number): Op {
  const seen = yield* prepareToWait(Kioctx.wait.at(ctx));
  const got = yield* readEventsRing(ctx, nr, out);
  const dead = yield* readOnce(Kioctx.dead.at(ctx));
  if (got < want && dead === 0) yield* waitForWakeUp(Kioctx.wait.at(ctx), seen);
  yield* finishWait(Kioctx.wait.at(ctx));
  return got;
}

/** A reader with a timeout looks once, and once more when the time is over. */
function* readUntil(ctx: number, nr: number, out: number, minNr: number, timeout: number): Op {
  const got = yield* readEventsRing(ctx, nr, out);
  if (got >= minNr || timeout === 0) return got;
  yield* advanceClock(timeout);
  return got + (yield* readEventsRing(ctx, nr - got, out + got * IO_EVENT_WORDS));
}

/** fs/aio.c: read_events() without a timeout. */
function* readForever(ctx: number, nr: number, out: number, minNr: number): Op {
  let got = 0;
  for (;;) {
    const at = out + got * IO_EVENT_WORDS;
    got += yield* lookOrSleep(ctx, nr - got, at, minNr - got);
    if (got >= minNr || (yield* readOnce(Kioctx.dead.at(ctx))) !== 0) return got;
  }
}

/**
 * io_getevents(2)
 * @param v - vCPU of the task. @param ctx - context. @param minNr - events to wait for.
 * @param nr - room. @param out - word of `nr` records of IO_EVENT_WORDS. @param timeout - in
 *   milliseconds of the virtual clock, 0: do not wait, AIO_FOREVER.
 * @returns events, or -EINVAL.
 */
export function* sysIoGetevents(
  v: number,
  ctx: number,
  minNr: number,
  nr: number,
  out: number,
  timeout: number,
): Op {
  if (minNr < 0 || nr < 0 || minNr > nr || (yield* lookupIoctx(v, ctx)) === 0) return -EINVAL;
  const got =
    timeout === AIO_FOREVER
      ? yield* readForever(ctx, nr, out, minNr)
      : yield* readUntil(ctx, nr, out, minNr, timeout);
  yield* putUsers(ctx);
  return got;
}
