/**
 * Block I/O (include/linux/blk_types.h: struct bio; block/bio.c) on the disks of brd.ts.
 *
 *   DISK_RAM    who submits a bio copies the data himself, before submit_bio() returns
 *   DISK_LOOP   a bio is put on a list, and the thread of the disk copies the data later
 *               (drivers/block/loop.c before 4.0: loop_make_request(), loop_thread()). Until then
 *               the pages of a direct I/O are in use, whatever becomes of the address they were
 *               found at.
 *
 * A bio's pages are references that get_user_pages took (6.1: FOLL_GET); whoever has done the
 * transfer puts them (bio_release_pages()) and tells the submitter (bi_end_io).
 *
 * Loop.loLock   spinlock of the list;  Loop.event   the thread sleeps here while the list is empty
 */
import { domainOf } from '../../hardware/params.ts';
import { complete, reinitCompletion, waitForCompletion } from '../../shared/completion.ts';
import type { Op } from '../../shared/op.ts';
import { awaitNotEqual, fetchAdd, read, trace, write, writeOnce } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { EIO, ENOMEM } from '../errno.ts';
import { putPage } from '../mm/page.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';
import { aioCompleteRw } from './aio-complete.ts';
import { DISKS_PER_DOMAIN, DISK_RAM, copyFromBrd, copyToBrd, diskBytes } from './brd.ts';
import { offsetInPage, pageBytes } from './copy-bytes.ts';

/** No bio. */
export const NO_BIO = -1;

/** REQ_OP_READ: from the disk into the pages. */
export const REQ_OP_READ = 0;
/** REQ_OP_WRITE: from the pages to the disk. */
export const REQ_OP_WRITE = 1;

export const Bio = defineTable(
  'bio[%]',
  ['bios'],
  {
    op: '[GST] REQ_OP_*',
    disk: '[GST] disk',
    pos: '[GST] first byte on the disk',
    size: '[GST] bytes: bi_iter.bi_size',
    vecs: '[GST] records in bi_io_vec',
    user: '[GST] 1 if its pages are get_user_pages references, to be put at the end',
    status: '[GST] bi_status: 0 or a negative errno',
    iocb: '[GST] asynchronous request that it completes, -1: somebody waits for it',
    done: '[GST] completion, for who waits',
    next: '[GST] next bio of the list of a disk; loLock',
  },
  { lineAligned: true },
);

export const BioPool = defineTable('bio_cache[%]', ['bioWords'], {
  value: '[GST] bitmap of the bios in use (slab.ts)',
});

export const BioVec = defineTable('bio[%].vec[%]', ['bios', 'bioVecs'], {
  page: '[GST] bv_page',
  offset: '[GST] bv_offset: first byte in it',
  len: '[GST] bv_len',
});

export const Loop = defineTable(
  'd%.loop',
  ['domains'],
  {
    loLock: '[GST] lo_lock: spinlock',
    first: '[GST] lo_bio_list: first bio + 1, 0 if none; loLock',
    last: '[GST] its last bio + 1; loLock',
    pending: '[GST] lo_event: bios on the list',
  },
  { lineAligned: true },
);

/** Most pages of a bio: BIO_MAX_VECS. */
export function bioMaxVecs(): number {
  return BioVec.page.count;
}

/** block/bio.c: bio_alloc(). @param iocb - request that it completes, or -1. @returns it, or -1. */
export function* bioAlloc(op: number, disk: number, pos: number, iocb: number): Op {
  const bio = yield* slabAlloc(BioPool.value.word, Bio.op.count);
  if (bio < 0) return NO_BIO;
  yield* write(Bio.op.at(bio), op);
  yield* write(Bio.disk.at(bio), disk);
  yield* write(Bio.pos.at(bio), pos);
  yield* write(Bio.size.at(bio), 0);
  yield* write(Bio.vecs.at(bio), 0);
  yield* write(Bio.user.at(bio), 0);
  yield* write(Bio.status.at(bio), 0);
  yield* write(Bio.iocb.at(bio), iocb);
  yield* reinitCompletion(Bio.done.at(bio));
  return bio;
}

/** block/bio.c: bio_put() */
export function* bioPut(bio: number): Op<void> {
  yield* slabFree(BioPool.value.word, bio);
}

/** block/bio.c: bio_add_page(). The caller knows that there is room. */
export function* bioAddPage(bio: number, pg: number, offset: number, len: number): Op<void> {
  const i = yield* read(Bio.vecs.at(bio));
  yield* write(BioVec.page.at2(bio, i), pg);
  yield* write(BioVec.offset.at2(bio, i), offset);
  yield* write(BioVec.len.at2(bio, i), len);
  yield* write(Bio.vecs.at(bio), i + 1);
  yield* write(Bio.size.at(bio), (yield* read(Bio.size.at(bio))) + len);
}

/** block/bio.c: bio_release_pages() */
export function* bioReleasePages(v: number, bio: number): Op<void> {
  if ((yield* read(Bio.user.at(bio))) === 0) return;
  const vecs = yield* read(Bio.vecs.at(bio));
  for (let i = 0; i < vecs; i++) {
    const pg = yield* read(BioVec.page.at2(bio, i));
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* putPage(v, pg);
  }
}

/** drivers/block/brd.c: brd_do_bvec(), by pieces inside a page of the disk. @returns 0 or error. */
function* doBvec(v: number, bio: number, i: number, pos: number): Op {
  const disk = yield* read(Bio.disk.at(bio));
  const pg = yield* read(BioVec.page.at2(bio, i));
  const offset = yield* read(BioVec.offset.at2(bio, i));
  const len = yield* read(BioVec.len.at2(bio, i));
  const writes = (yield* read(Bio.op.at(bio))) === REQ_OP_WRITE;
  let done = 0;
  while (done < len) {
    const at = pos + done;
    const bytes = Math.min(len - done, pageBytes() - offsetInPage(at));
    const status = writes
      ? yield* copyToBrd(v, disk, at, pg, offset + done, bytes)
      : yield* copyFromBrd(v, disk, at, pg, offset + done, bytes);
    if (status < 0) return status;
    done += bytes;
  }
  return 0;
}

/** drivers/block/brd.c: brd_submit_bio(). @returns 0 or a negative errno. */
function* transfer(v: number, bio: number): Op {
  let pos = yield* read(Bio.pos.at(bio));
  if (pos + (yield* read(Bio.size.at(bio))) > diskBytes()) return -EIO;
  const vecs = yield* read(Bio.vecs.at(bio));
  for (let i = 0; i < vecs; i++) {
    const status = yield* doBvec(v, bio, i, pos);
    if (status < 0) return status;
    pos += yield* read(BioVec.len.at2(bio, i));
  }
  return 0;
}

/** block/fops.c: blkdev_bio_end_io_async() */
function* endIoAsync(v: number, bio: number, iocb: number): Op<void> {
  const status = yield* read(Bio.status.at(bio));
  const result = status < 0 ? status : yield* read(Bio.size.at(bio));
  yield* bioReleasePages(v, bio);
  yield* bioPut(bio);
  yield* aioCompleteRw(v, iocb, result);
}

/** The transfer, and block/bio.c: bio_endio() */
function* doBio(v: number, bio: number): Op<void> {
  yield* write(Bio.status.at(bio), yield* transfer(v, bio));
  const iocb = yield* read(Bio.iocb.at(bio));
  if (iocb < 0) yield* complete(Bio.done.at(bio));
  else yield* endIoAsync(v, bio, iocb);
}

/** drivers/block/loop.c: loop_make_request(), loop_add_bio() */
function* queueBio(d: number, bio: number): Op<void> {
  yield* spinLock(Loop.loLock.at(d));
  const last = yield* read(Loop.last.at(d));
  yield* write(Bio.next.at(bio), 0);
  if ((yield* read(Loop.first.at(d))) === 0) yield* write(Loop.first.at(d), bio + 1);
  else yield* write(Bio.next.at(last - 1), bio + 1);
  yield* write(Loop.last.at(d), bio + 1);
  yield* spinUnlock(Loop.loLock.at(d));
  yield* fetchAdd(Loop.pending.at(d), 1);
}

/** block/blk-core.c: submit_bio(). @param v - vCPU of the submitter. */
export function* submitBio(v: number, bio: number): Op<void> {
  const disk = yield* read(Bio.disk.at(bio));
  if (disk % DISKS_PER_DOMAIN === DISK_RAM) yield* doBio(v, bio);
  else yield* queueBio(domainOf(v), bio);
}

/** block/bio.c: submit_bio_wait(). @returns 0 or a negative errno. */
export function* submitBioWait(v: number, bio: number): Op {
  yield* submitBio(v, bio);
  yield* waitForCompletion(Bio.done.at(bio));
  return yield* read(Bio.status.at(bio));
}

/** block/fops.c: -ENOMEM of a bio, or the bio. */
export function bioOrError(bio: number): number {
  return bio === NO_BIO ? -ENOMEM : bio;
}

/** drivers/block/loop.c: loop_get_bio(). @returns the oldest bio of the list. */
function* takeBio(d: number): Op {
  yield* spinLock(Loop.loLock.at(d));
  const bio = (yield* read(Loop.first.at(d))) - 1;
  yield* writeOnce(Loop.first.at(d), yield* read(Bio.next.at(bio)));
  yield* spinUnlock(Loop.loLock.at(d));
  yield* fetchAdd(Loop.pending.at(d), -1);
  return bio;
}

/** One turn of the thread of /dev/loop0: waits for a bio and does it. @param v - its vCPU. */
export function* loopThreadTurn(v: number): Op<void> {
  const d = domainOf(v);
  yield* awaitNotEqual(Loop.pending.at(d), -1, 0);
  yield* doBio(v, yield* takeBio(d));
}

/** drivers/block/loop.c: loop_thread(). @param v - its vCPU. */
export function* loopThread(v: number): Op<void> {
  for (;;) yield* loopThreadTurn(v);
}
