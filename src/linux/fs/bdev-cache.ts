/**
 * Between the page cache of a block device and its disk (fs/buffer.c: block_read_full_page();
 * mm/filemap.c: filemap_write_and_wait_range(); mm/truncate.c: invalidate_inode_pages2_range()).
 * Buffered writes stay in the cache until somebody asks: direct I/O does, before it goes past it.
 */
import type { Op } from '../../shared/op.ts';
import { fetchAnd, read } from '../../shared/operations.ts';
import { EBUSY } from '../errno.ts';
import { NO_PAGE, Page, putPage } from '../mm/page.ts';
import {
  NO_BIO,
  REQ_OP_READ,
  REQ_OP_WRITE,
  bioAddPage,
  bioAlloc,
  bioOrError,
  bioPut,
  submitBioWait,
} from './bio.ts';
import { pageBytes } from './copy-bytes.ts';
import {
  Inode,
  PG_dirty,
  findLockPage,
  setPageUptodate,
  truncateInodePages,
  unlockPage,
} from './page-cache.ts';

/** One page between cache and disk. @returns 0 or a negative errno. */
function* transferPage(v: number, inode: number, index: number, pg: number, op: number): Op {
  const bio = yield* bioAlloc(op, yield* read(Inode.disk.at(inode)), index * pageBytes(), -1);
  if (bio === NO_BIO) return bioOrError(bio);
  yield* bioAddPage(bio, pg, 0, pageBytes());
  const status = yield* submitBioWait(v, bio);
  yield* bioPut(bio);
  return status;
}

/**
 * a_ops->read_folio()
 * @param pg - locked page of the cache; PG_uptodate afterwards. @returns 0 or a negative errno.
 */
export function* readCachePage(v: number, inode: number, index: number, pg: number): Op {
  const status = yield* transferPage(v, inode, index, pg, REQ_OP_READ);
  if (status === 0) yield* setPageUptodate(pg);
  return status;
}

/**
 * mm/filemap.c: filemap_write_and_wait_range()
 * @param first, end - indices of pages. @returns 0 or a negative errno.
 */
export function* filemapWriteAndWait(v: number, inode: number, first: number, end: number): Op {
  let error = 0;
  for (let index = first; index < end; index++) {
    const pg = yield* findLockPage(v, inode, index);
    if (pg === NO_PAGE) continue;
    const dirty = (yield* fetchAnd(Page.flags.at(pg), ~PG_dirty)) & PG_dirty;
    if (dirty !== 0) {
      const status = yield* transferPage(v, inode, index, pg, REQ_OP_WRITE);
      if (error === 0) error = status;
    }
    yield* unlockPage(pg);
    yield* putPage(v, pg);
  }
  return error;
}

/**
 * mm/truncate.c: invalidate_inode_pages2_range(): the cache forgets what direct I/O changes.
 * @param first, end - indices of pages. @returns 0, or -EBUSY if a page became dirty meanwhile.
 */
export function* invalidateInodePages(v: number, inode: number, first: number, end: number): Op {
  let status = 0;
  for (let index = first; index < end; index++) {
    const pg = yield* findLockPage(v, inode, index);
    if (pg === NO_PAGE) continue;
    if (((yield* read(Page.flags.at(pg))) & PG_dirty) !== 0) status = -EBUSY;
    else yield* truncateInodePages(v, inode, index, index + 1);
    yield* unlockPage(pg);
    yield* putPage(v, pg);
  }
  return status;
}
