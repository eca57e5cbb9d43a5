/**
 * Reads and writes through a page cache (mm/filemap.c: filemap_read(), generic_perform_write();
 * mm/shmem.c: shmem_file_read_iter(), shmem_write_begin(), shmem_write_end(); block/fops.c).
 *
 * A write, page by page, with i_rwsem held for writing: 1. touch the source, so that its pages are
 * there; if none of it can be read, -EFAULT. 2. the cache's page, locked. 3. copy with page faults
 * off: the fault handler may need this very page. Nothing copied: again from 1. 4. unlock.
 * A read takes no lock but a page's, while that is not PG_uptodate.
 */
import type { Op } from '../../shared/op.ts';
import { fetchOr, read, readOnce, writeOnce } from '../../shared/operations.ts';
import { EFAULT, ENOMEM } from '../errno.ts';
import { allocPage } from '../mm/page-alloc.ts';
import { NO_PAGE, Page, putPage } from '../mm/page.ts';
import { readCachePage } from './bdev-cache.ts';
import { COPY_ATOMIC, offsetInPage, pageBytes, vpnOf, zeroBytes } from './copy-bytes.ts';
import {
  copyPageFromIter,
  copyPageToIter,
  faultInIovIterReadable,
  iovIterCount,
  zeroIter,
} from './iov-iter.ts';
import {
  INODE_BDEV,
  Inode,
  PG_dirty,
  findGetPage,
  grabCachePage,
  lockPage,
  pageUptodate,
  setPageUptodate,
  unlockPage,
} from './page-cache.ts';

/** a_ops->write_begin(). @returns the locked page with a reference, or -ENOMEM or -EIO. */
function* writeBegin(v: number, inode: number, index: number, bytes: number): Op {
  const pg = yield* grabCachePage(v, inode, index);
  if (pg < 0 || (yield* read(Inode.kind.at(inode))) !== INODE_BDEV) return pg;
  if (bytes === pageBytes() || (yield* pageUptodate(pg)) === 1) return pg;
  const status = yield* readCachePage(v, inode, index, pg);
  if (status === 0) return pg;
  yield* unlockPage(pg);
  yield* putPage(v, pg);
  return status;
}

/** The contents of a page that is new, around what was copied into it. */
function* finishNewPage(v: number, pg: number, offset: number, copied: number): Op<void> {
  if ((yield* pageUptodate(pg)) === 1) return;
  yield* zeroBytes(v, pg, 0, offset);
  yield* zeroBytes(v, pg, offset + copied, pageBytes() - offset - copied);
  yield* setPageUptodate(pg);
}

/**
 * a_ops->write_end(). @param end - byte of the file after what was copied.
 * @returns bytes that count as written.
 */
function* writeEnd(
  v: number,
  inode: number,
  pg: number,
  offset: number,
  copied: number,
  end: number,
): Op {
  const bdev = (yield* read(Inode.kind.at(inode))) === INODE_BDEV;
  // A page of a disk that is neither read nor wholly written is not the disk's (block_write_end()).
  const accepted = bdev && copied < pageBytes() && (yield* pageUptodate(pg)) === 0 ? 0 : copied;
  if (accepted > 0) {
    yield* finishNewPage(v, pg, offset, copied);
    if (bdev) yield* fetchOr(Page.flags.at(pg), PG_dirty);
    else if (end > (yield* read(Inode.size.at(inode)))) yield* writeOnce(Inode.size.at(inode), end);
  }
  yield* unlockPage(pg);
  yield* putPage(v, pg);
  return accepted;
}

/** One page of generic_perform_write(). @returns bytes; 0: try again; or a negative errno. */
function* writeOnePage(v: number, inode: number, pos: number, bytes: number): Op {
  const offset = offsetInPage(pos);
  if ((yield* faultInIovIterReadable(v, bytes)) === bytes) return -EFAULT;
  const pg = yield* writeBegin(v, inode, vpnOf(pos), bytes);
  if (pg < 0) return pg;
  const copied = yield* copyPageFromIter(v, pg, offset, bytes, COPY_ATOMIC);
  return yield* writeEnd(v, inode, pg, offset, copied, pos + copied);
}

/**
 * mm/filemap.c: generic_perform_write(). The caller holds i_rwsem for writing.
 * @param v - vCPU of the task, whose iov_iter is the source. @param pos - first byte of the file.
 * @returns bytes written, or a negative errno if none.
 */
export function* genericPerformWrite(v: number, inode: number, pos: number): Op {
  let done = 0;
  while (iovIterCount(v) > 0) {
    const room = pageBytes() - offsetInPage(pos + done);
    const written = yield* writeOnePage(v, inode, pos + done, Math.min(room, iovIterCount(v)));
    if (written < 0) return done > 0 ? done : written;
    done += written;
  }
  return done;
}

/** The cache's page for a read. @returns it with a reference; NO_PAGE: zeros; or -EIO, -ENOMEM. */
export function* pageForRead(v: number, inode: number, index: number): Op {
  const bdev = (yield* read(Inode.kind.at(inode))) === INODE_BDEV;
  const found = yield* findGetPage(v, inode, index);
  if (found === NO_PAGE && !bdev) return NO_PAGE;
  if (found !== NO_PAGE && (yield* pageUptodate(found)) === 1) return found;
  const pg = found === NO_PAGE ? yield* grabCachePage(v, inode, index) : found;
  if (pg < 0) return pg;
  if (found !== NO_PAGE) yield* lockPage(pg);
  let status = 0;
  if (bdev && (yield* pageUptodate(pg)) === 0) status = yield* readCachePage(v, inode, index, pg);
  yield* unlockPage(pg);
  if (status === 0) return pg;
  yield* putPage(v, pg);
  return status;
}

/**
 * mm/filemap.c: filemap_read(); mm/shmem.c: shmem_file_read_iter()
 * @param v - vCPU of the task, whose iov_iter is the target. @param pos - first byte of the file.
 * @returns bytes read, 0 at the end of the file, or a negative errno if none.
 */
export function* filemapRead(v: number, inode: number, pos: number): Op {
  let done = 0;
  while (iovIterCount(v) > 0) {
    const at = pos + done;
    const left = (yield* readOnce(Inode.size.at(inode))) - at;
    if (left <= 0) return done;
    const offset = offsetInPage(at);
    const bytes = Math.min(left, pageBytes() - offset, iovIterCount(v));
    const pg = yield* pageForRead(v, inode, vpnOf(at));
    if (pg < NO_PAGE) return done > 0 ? done : pg;
    const copied =
      pg === NO_PAGE ? yield* zeroIter(v, bytes) : yield* copyPageToIter(v, pg, offset, bytes);
    if (pg !== NO_PAGE) yield* putPage(v, pg);
    done += copied;
    if (copied < bytes) return done > 0 ? done : -EFAULT;
  }
  return done;
}

/** A page of zeros with one reference, in place of a hole of a file. @returns it, or -ENOMEM. */
export function* newZeroPage(v: number): Op {
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return -ENOMEM;
  yield* zeroBytes(v, pg, 0, pageBytes());
  return pg;
}
