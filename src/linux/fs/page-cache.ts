/**
 * Inodes and their page caches (include/linux/fs.h: struct inode, struct address_space;
 * mm/filemap.c). An inode is a file of tmpfs or a block device; the cache is an array of pages by
 * index.
 *
 * iRwsem       i_rwsem: write: who changes the contents by write() or the size
 * xaLock       spinlock (xa_lock): who stores into the cache
 * InodePage    page + 1, 0 for none; read without the lock: 1. the slot. 2. a reference unless the
 *              page is free. 3. the slot again.
 * PG_locked    of a page: its contents are being brought or written; who finds a page that is not
 *              PG_uptodate waits for it
 *
 * A page of a cache has one reference of the cache, and says whose it is: PG_mapping, `private` is
 * the inode and `index` its place (page->mapping, page->index).
 */
import type { Op } from '../../shared/op.ts';
import {
  acquireWhen,
  fetchAdd,
  fetchAnd,
  fetchOr,
  read,
  readOnce,
  warnOn,
  write,
  writeOnce,
} from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { EEXIST, ENOMEM } from '../errno.ts';
import { allocPage } from '../mm/page-alloc.ts';
import { NO_PAGE, PG_locked, Page, getPage, putPage, tryGetPage } from '../mm/page.ts';
import { BUG_INODE_COUNT } from './bugs.ts';
import { pageBytes } from './copy-bytes.ts';

/** Bit of Page.flags: PG_uptodate, the contents are the file's. */
export const PG_uptodate = 4;
/** Bit of Page.flags: page->mapping is an inode's: `private` and `index` say whose and where. */
export const PG_mapping = 128;
/** Bit of Page.flags: PG_dirty, the contents are newer than the disk's. */
export const PG_dirty = 256;

/** A file of tmpfs. */
export const INODE_SHMEM = 1;
/** A block device. */
export const INODE_BDEV = 2;

export const Inode = defineTable(
  'inode[%]',
  ['inodes'],
  {
    count: '[GST] i_count: open files and mappings',
    kind: '[GST] INODE_*; constant while the inode lives',
    disk: '[GST] disk of a block device; constant',
    iRwsem: '[GST] i_rwsem',
    size: '[GST] i_size in bytes; iRwsem write, read without it',
    xaLock: '[GST] spinlock of the cache',
    sequence: '[GST] i_sequence: number for futexes, 0 before the first',
  },
  { lineAligned: true },
);

export const InodePool = defineTable('inode_cache[%]', ['inodeWords'], {
  value: '[GST] bitmap of the inodes in use (slab.ts)',
});

export const InodePage = defineTable('inode[%].i_pages[%]', ['inodes', 'inodePages'], {
  value: '[GST] page + 1, 0 if none; stored under xaLock',
});

/** Most bytes of a file: s_maxbytes. */
export function maxFileBytes(): number {
  return InodePage.value.count * pageBytes();
}

/** fs/inode.c: new_inode(). @param kind - INODE_*. @returns it with one user, or -ENOMEM. */
export function* newInode(kind: number, disk: number, size: number): Op {
  const inode = yield* slabAlloc(InodePool.value.word, Inode.count.count);
  if (inode < 0) return -ENOMEM;
  yield* write(Inode.kind.at(inode), kind);
  yield* write(Inode.disk.at(inode), disk);
  yield* write(Inode.iRwsem.at(inode), 0);
  yield* write(Inode.xaLock.at(inode), 0);
  yield* writeOnce(Inode.sequence.at(inode), 0);
  yield* writeOnce(Inode.size.at(inode), size);
  yield* write(Inode.count.at(inode), 1);
  return inode;
}

/** fs/inode.c: ihold(). @param inode - one that the caller has a user of. */
export function* ihold(inode: number): Op<void> {
  yield* fetchAdd(Inode.count.at(inode), 1);
}

/** mm/filemap.c: filemap_remove_folio(). The page keeps the reference of the caller. */
function* removeFromCache(v: number, inode: number, index: number): Op<void> {
  const slot = InodePage.value.at2(inode, index);
  yield* spinLock(Inode.xaLock.at(inode));
  const pg = (yield* read(slot)) - 1;
  if (pg !== NO_PAGE) {
    yield* writeOnce(slot, 0);
    yield* fetchAnd(Page.flags.at(pg), ~PG_mapping);
  }
  yield* spinUnlock(Inode.xaLock.at(inode));
  if (pg !== NO_PAGE) yield* putPage(v, pg);
}

/** mm/truncate.c: truncate_inode_pages_range(). @param first, end - indices of pages. */
export function* truncateInodePages(
  v: number,
  inode: number,
  first: number,
  end: number,
): Op<void> {
  for (let index = first; index < end; index++) {
    if ((yield* readOnce(InodePage.value.at2(inode, index))) === 0) continue;
    yield* removeFromCache(v, inode, index);
  }
}

/** fs/inode.c: iput(): the last user of a file of tmpfs frees it. */
export function* iput(v: number, inode: number): Op<void> {
  const before = yield* fetchAdd(Inode.count.at(inode), -1);
  warnOn(before <= 0, BUG_INODE_COUNT, inode, before);
  if (before !== 1) return;
  yield* truncateInodePages(v, inode, 0, InodePage.value.count);
  yield* slabFree(InodePool.value.word, inode);
}

/** include/linux/pagemap.h: lock_page(). @param pg - page that the caller has a reference of. */
export function* lockPage(pg: number): Op<void> {
  yield* acquireWhen(Page.flags.at(pg), PG_locked, 0, PG_locked);
}

/** mm/filemap.c: unlock_page() */
export function* unlockPage(pg: number): Op<void> {
  yield* fetchAnd(Page.flags.at(pg), ~PG_locked);
}

/** SetPageUptodate(). The caller holds the page's lock. */
export function* setPageUptodate(pg: number): Op<void> {
  yield* fetchOr(Page.flags.at(pg), PG_uptodate);
}

/** PageUptodate(). @returns 1 or 0. */
export function* pageUptodate(pg: number): Op {
  return ((yield* readOnce(Page.flags.at(pg))) & PG_uptodate) !== 0 ? 1 : 0;
}

/** mm/filemap.c: find_get_entry(). @returns the page with a reference, or NO_PAGE. */
export function* findGetPage(v: number, inode: number, index: number): Op {
  const slot = InodePage.value.at2(inode, index);
  for (;;) {
    const pg = (yield* readOnce(slot)) - 1;
    if (pg === NO_PAGE) return NO_PAGE;
    if ((yield* tryGetPage(pg)) === 0) continue;
    if ((yield* readOnce(slot)) === pg + 1) return pg;
    yield* putPage(v, pg);
  }
}

/** mm/filemap.c: find_lock_page(). @returns the page, locked, with a reference; or NO_PAGE. */
export function* findLockPage(v: number, inode: number, index: number): Op {
  for (;;) {
    const pg = yield* findGetPage(v, inode, index);
    if (pg === NO_PAGE) return NO_PAGE;
    yield* lockPage(pg);
    // It may have left the cache while the lock was waited for.
    if ((yield* readOnce(InodePage.value.at2(inode, index))) === pg + 1) return pg;
    yield* unlockPage(pg);
    yield* putPage(v, pg);
  }
}

/** mm/filemap.c: filemap_add_folio(). @param pg - locked page. @returns 0 or -EEXIST. */
function* addToCache(inode: number, index: number, pg: number): Op {
  const slot = InodePage.value.at2(inode, index);
  yield* spinLock(Inode.xaLock.at(inode));
  const busy = (yield* read(slot)) !== 0;
  if (!busy) {
    yield* getPage(pg);
    yield* write(Page.private.at(pg), inode);
    yield* write(Page.index.at(pg), index);
    yield* fetchOr(Page.flags.at(pg), PG_mapping);
    yield* writeOnce(slot, pg + 1);
  }
  yield* spinUnlock(Inode.xaLock.at(inode));
  return busy ? -EEXIST : 0;
}

/**
 * mm/filemap.c: pagecache_get_page(FGP_LOCK | FGP_CREAT): the page of an index, a new one if there
 * is none. @returns it, locked, with a reference, perhaps not PG_uptodate; or -ENOMEM.
 */
export function* grabCachePage(v: number, inode: number, index: number): Op {
  for (;;) {
    const found = yield* findLockPage(v, inode, index);
    if (found !== NO_PAGE) return found;
    const pg = yield* allocPage(v);
    if (pg === NO_PAGE) return -ENOMEM;
    yield* lockPage(pg);
    if ((yield* addToCache(inode, index, pg)) === 0) return pg;
    yield* unlockPage(pg);
    yield* putPage(v, pg);
  }
}
