/**
 * Contexts of asynchronous I/O and the end of a request (fs/aio.c: struct kioctx, aio_complete()).
 *
 * users              1 until io_destroy(), and calls in progress: percpu_ref users
 * reqs               1 until users are none, and requests in progress: percpu_ref reqs
 * completionLock     spinlock, interrupts off: tail and the events before it
 * ringLock           mutex: head, of who reads events
 * An event is written first, then the tail (write barrier between); a reader reads the tail first.
 */
import { localIrqRestore, localIrqSave } from '../../hardware/irq.ts';
import { complete } from '../../shared/completion.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, smpMb, smpWmb, write, writeOnce } from '../../shared/operations.ts';
import { slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { waitqueueActive, wakeUp } from '../../shared/wait-queue.ts';
import { fput } from './file.ts';

export const Kioctx = defineTable(
  'kioctx[%]',
  ['kioctxs'],
  {
    dead: '[GST] 1 once io_destroy() has begun',
    mm: '[GST] address space that it belongs to, -1 if the record is free',
    maxReqs: '[GST] most requests at a time; constant',
    users: '[GST] calls in progress, and 1 until io_destroy()',
    reqs: '[GST] requests in progress, and 1 while there are users',
    completionLock: '[GST] spinlock: tail and events',
    ringLock: '[GST] mutex: head',
    head: '[GST] events that were read; ringLock',
    tail: '[GST] events that were written; completionLock',
    wait: '[GST] wait queue of readers of events',
    drained: '[GST] completion: the last request is over',
  },
  { lineAligned: true },
);

export const KioctxPool = defineTable('kioctx_cache[%]', ['kioctxWords'], {
  value: '[GST] bitmap of the contexts in use (slab.ts)',
});

/** struct io_event */
export const AioEvent = defineTable('kioctx[%].event[%]', ['kioctxs', 'aioEvents'], {
  data: '[GST] aio_data of the request',
  obj: '[GST] its number',
  res: '[GST] bytes, or a negative errno',
});

/** struct aio_kiocb */
export const Kiocb = defineTable('kiocb[%]', ['kiocbs'], {
  ctx: '[GST] context',
  file: '[GST] file, with a reference',
  data: '[GST] aio_data',
  obj: '[GST] what the submitter calls it',
});

export const KiocbPool = defineTable('kiocb_cache[%]', ['kiocbWords'], {
  value: '[GST] bitmap of the requests in use (slab.ts)',
});

/** The slot of an event. @param n - its number. */
export function aioSlot(n: number): number {
  return (n >>> 0) % AioEvent.res.count;
}

/** fs/aio.c: aio_complete() */
function* aioComplete(v: number, ctx: number, iocb: number, result: number): Op<void> {
  const flags = yield* localIrqSave(v);
  yield* spinLock(Kioctx.completionLock.at(ctx));
  const tail = yield* read(Kioctx.tail.at(ctx));
  const slot = aioSlot(tail);
  yield* write(AioEvent.data.at2(ctx, slot), yield* read(Kiocb.data.at(iocb)));
  yield* write(AioEvent.obj.at2(ctx, slot), yield* read(Kiocb.obj.at(iocb)));
  yield* write(AioEvent.res.at2(ctx, slot), result);
  yield* smpWmb();
  yield* writeOnce(Kioctx.tail.at(ctx), (tail + 1) | 0);
  yield* spinUnlock(Kioctx.completionLock.at(ctx));
  yield* localIrqRestore(v, flags);
  // The tail before the question whether somebody sleeps: else both sides miss each other.
  yield* smpMb();
  if ((yield* waitqueueActive(Kioctx.wait.at(ctx))) === 1) yield* wakeUp(Kioctx.wait.at(ctx));
}

/** percpu_ref_put(&ctx->users) */
export function* putUsers(ctx: number): Op<void> {
  if ((yield* fetchAdd(Kioctx.users.at(ctx), -1)) === 1) yield* putReqs(ctx);
}

/** percpu_ref_put(&ctx->reqs) */
export function* putReqs(ctx: number): Op<void> {
  const before = yield* fetchAdd(Kioctx.reqs.at(ctx), -1);
  if (before === 1) yield* complete(Kioctx.drained.at(ctx));
}

/**
 * fs/aio.c: aio_complete_rw(), iocb_put()
 * @param v - vCPU that finished the request. @param iocb - request, gone afterwards.
 * @param result - bytes, or a negative errno.
 */
export function* aioCompleteRw(v: number, iocb: number, result: number): Op<void> {
  const ctx = yield* read(Kiocb.ctx.at(iocb));
  const file = yield* read(Kiocb.file.at(iocb));
  yield* aioComplete(v, ctx, iocb, result);
  yield* fput(v, file);
  yield* slabFree(KiocbPool.value.word, iocb);
  yield* putReqs(ctx);
}
