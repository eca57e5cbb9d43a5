/**
 * Reading and writing of block devices (block/fops.c): through the page cache, or with O_DIRECT
 * past it, from and into the very pages of the buffer.
 *
 * Direct I/O: 1. address, length and place are multiples of a sector (-EINVAL). 2. the cache's
 * dirty pages of the range go to the disk; a write makes the cache forget them. 3. get_user_pages
 * takes the pages of the buffer, as far as it can; none: -EFAULT. 4. bios. 5. what could not be
 * had goes through the cache: for a buffer that is not there that ends in what was done so far.
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { cmpxchg, read, readLocal, readOnce, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { EINVAL, ENOSPC } from '../errno.ts';
import { FOLL_WRITE } from '../mm/gup.ts';
import { filemapWriteAndWait, invalidateInodePages } from './bdev-cache.ts';
import {
  Bio,
  NO_BIO,
  REQ_OP_READ,
  REQ_OP_WRITE,
  bioAddPage,
  bioAlloc,
  bioMaxVecs,
  bioOrError,
  bioPut,
  bioReleasePages,
  submitBio,
  submitBioWait,
} from './bio.ts';
import { DISKS_PER_DOMAIN, diskBytes, logicalBlockSize } from './brd.ts';
import { pageBytes, vpnOf } from './copy-bytes.ts';
import { File, O_DIRECT } from './file.ts';
import { filemapRead, genericPerformWrite } from './filemap-io.ts';
import {
  iovIterAlignment,
  iovIterCount,
  iovIterGetPages,
  iovIterPageOffset,
  iovIterTruncate,
} from './iov-iter.ts';
import { INODE_BDEV, Inode, ihold, iput, newInode } from './page-cache.ts';

/** The request completes later: what an asynchronous caller gets (include/linux/errno.h). */
export const EIOCBQUEUED = 529;
/** No asynchronous request: the caller waits. */
export const NO_IOCB = -1;

/** bd_inode of each disk. */
export const Bdev = defineTable('disk[%].bdev', ['disks'], {
  inode: '[GST] inode + 1 once the device was opened; it stays',
});

/** Pages of the direct I/O in hand: on the kernel stack of the task. */
export const DioPage = defineTable('%v.dio_page[%]', ['vcpus', 'bioVecs'], {
  value: '[VCPU] page that get_user_pages returned',
});

/**
 * block/bdev.c: blkdev_get_no_open()
 * @param v - vCPU of the task. @param which - DISK_* of its domain.
 * @returns the inode of the device with one user more, or -ENOMEM.
 */
export function* bdevInode(v: number, which: number): Op {
  const disk = domainOf(v) * DISKS_PER_DOMAIN + which;
  const word = Bdev.inode.at(disk);
  let inode = (yield* readOnce(word)) - 1;
  if (inode < 0) {
    const fresh = yield* newInode(INODE_BDEV, disk, diskBytes());
    if (fresh < 0) return fresh;
    // Two who open it first: one inode stays.
    const raced = yield* cmpxchg(word, 0, fresh + 1);
    if (raced !== 0) yield* iput(v, fresh);
    inode = raced === 0 ? fresh : raced - 1;
  }
  yield* ihold(inode);
  return inode;
}

/** The part of a page that a bio takes of `left` bytes. */
function* addUserPages(v: number, bio: number, start: number, bytes: number): Op<void> {
  let offset = start;
  let left = bytes;
  for (let i = 0; left > 0; i++) {
    const len = Math.min(left, pageBytes() - offset);
    yield* bioAddPage(bio, readLocal(DioPage.value.at2(v, i)), offset, len);
    left -= len;
    offset = 0;
  }
}

/**
 * block/bio.c: bio_iov_iter_get_pages().
 * @returns bytes in the bio, or a negative errno if none.
 */
function* bioIovIterGetPages(v: number, bio: number, flags: number): Op {
  let total = 0;
  yield* write(Bio.user.at(bio), 1);
  while (iovIterCount(v) > 0) {
    const room = bioMaxVecs() - (yield* read(Bio.vecs.at(bio)));
    if (room === 0) return total;
    const start = iovIterPageOffset(v);
    const bytes = yield* iovIterGetPages(v, DioPage.value.at2(v, 0), room, flags);
    if (bytes <= 0) return total > 0 ? total : bytes;
    yield* addUserPages(v, bio, start, bytes);
    total += bytes;
  }
  return total;
}

/** block/fops.c: __blkdev_direct_IO_simple(), __blkdev_direct_IO_async(), one bio. */
function* dioBio(v: number, inode: number, pos: number, op: number, iocb: number): Op {
  const bio = yield* bioAlloc(op, yield* read(Inode.disk.at(inode)), pos, iocb);
  if (bio === NO_BIO) return bioOrError(bio);
  const bytes = yield* bioIovIterGetPages(v, bio, op === REQ_OP_READ ? FOLL_WRITE : 0);
  if (bytes < 0) {
    yield* bioReleasePages(v, bio);
    yield* bioPut(bio);
    return bytes;
  }
  if (iocb !== NO_IOCB) {
    yield* submitBio(v, bio);
    return -EIOCBQUEUED;
  }
  const status = yield* submitBioWait(v, bio);
  yield* bioReleasePages(v, bio);
  yield* bioPut(bio);
  return status < 0 ? status : bytes;
}

/**
 * block/fops.c: blkdev_direct_IO(). A request that is too long for one bio is waited for.
 * @param iocb - asynchronous request, or NO_IOCB. @returns bytes, -EIOCBQUEUED, or an error.
 */
function* blkdevDirectIo(v: number, inode: number, pos: number, op: number, iocb: number): Op {
  if (((pos | iovIterAlignment(v)) & (logicalBlockSize() - 1)) !== 0) return -EINVAL;
  const oneBio = iovIterCount(v) <= (bioMaxVecs() - 1) * pageBytes();
  if (oneBio && iocb !== NO_IOCB) return yield* dioBio(v, inode, pos, op, iocb);
  let done = 0;
  while (iovIterCount(v) > 0) {
    const bytes = yield* dioBio(v, inode, pos + done, op, NO_IOCB);
    if (bytes <= 0) return done > 0 ? done : bytes;
    done += bytes;
  }
  return done;
}

/** Indices of the pages of a range: the first, and the one after the last. */
function firstIndex(pos: number): number {
  return vpnOf(pos);
}

function endIndex(end: number): number {
  return vpnOf(end + pageBytes() - 1);
}

/**
 * block/fops.c: blkdev_read_iter()
 * @param v - vCPU of the task, whose iov_iter is the target. @param f - file. @param pos - in
 * bytes.
 * @param iocb - asynchronous request, or NO_IOCB.
 * @returns bytes, -EIOCBQUEUED, or a negative errno.
 */
export function* blkdevRead(v: number, f: number, pos: number, iocb: number): Op {
  const inode = yield* read(File.object.at(f));
  const size = yield* read(Inode.size.at(inode));
  if (pos >= size) return 0;
  iovIterTruncate(v, size - pos);
  const end = pos + iovIterCount(v);
  if (end === pos) return 0;
  let done = 0;
  if (((yield* read(File.flags.at(f))) & O_DIRECT) !== 0) {
    done = yield* filemapWriteAndWait(v, inode, firstIndex(pos), endIndex(end));
    if (done < 0) return done;
    done = yield* blkdevDirectIo(v, inode, pos, REQ_OP_READ, iocb);
    if (done < 0 || pos + done === end) return done;
  }
  const rest = yield* filemapRead(v, inode, pos + done);
  return rest < 0 ? (done > 0 ? done : rest) : done + rest;
}

/** mm/filemap.c: generic_file_direct_write(). @returns bytes, -EIOCBQUEUED, or an error. */
function* directWrite(v: number, inode: number, pos: number, end: number, iocb: number): Op {
  let status = yield* filemapWriteAndWait(v, inode, firstIndex(pos), endIndex(end));
  if (status < 0) return status;
  // Another writer's dirty page is in the way: through the cache, then.
  if ((yield* invalidateInodePages(v, inode, firstIndex(pos), endIndex(end))) < 0) return 0;
  status = yield* blkdevDirectIo(v, inode, pos, REQ_OP_WRITE, iocb);
  if (status !== -EIOCBQUEUED) {
    yield* invalidateInodePages(v, inode, firstIndex(pos), endIndex(end));
  }
  return status;
}

/**
 * block/fops.c: blkdev_write_iter(); mm/filemap.c: __generic_file_write_iter(). Without i_rwsem, as
 * there.
 * @param v - vCPU of the task, whose iov_iter is the source. @param f - file. @param pos - in
 * bytes.
 * @param iocb - asynchronous request, or NO_IOCB.
 * @returns bytes, -EIOCBQUEUED, -ENOSPC beyond the end, or another negative errno.
 */
export function* blkdevWrite(v: number, f: number, pos: number, iocb: number): Op {
  const inode = yield* read(File.object.at(f));
  const size = yield* read(Inode.size.at(inode));
  if (iovIterCount(v) === 0) return 0;
  if (pos >= size) return -ENOSPC;
  iovIterTruncate(v, size - pos);
  const end = pos + iovIterCount(v);
  if (((yield* read(File.flags.at(f))) & O_DIRECT) === 0) {
    return yield* genericPerformWrite(v, inode, pos);
  }
  const done = yield* directWrite(v, inode, pos, end, iocb);
  if (done < 0 || pos + done === end) return done;
  const rest = yield* genericPerformWrite(v, inode, pos + done);
  if (rest < 0) return done > 0 ? done : rest;
  yield* filemapWriteAndWait(v, inode, firstIndex(pos + done), endIndex(end));
  yield* invalidateInodePages(v, inode, firstIndex(pos + done), endIndex(end));
  return done + rest;
}

/** fsync(2) of a block device. block/fops.c: blkdev_fsync(). @returns 0 or a negative errno. */
export function* blkdevFsync(v: number, inode: number): Op {
  return yield* filemapWriteAndWait(v, inode, 0, endIndex(diskBytes()));
}
