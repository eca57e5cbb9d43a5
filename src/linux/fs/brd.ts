/**
 * Disks in memory (drivers/block/brd.c): two of each domain, whose sectors are pages of the kernel,
 * made when they are first written. Both are done by bio.ts; what differs is who does it.
 *
 * BrdPage   page + 1 of an index, 0 for none: reads as zeros; stored once, under brdLock
 */
import type { Op } from '../../shared/op.ts';
import { read, readOnce, writeOnce } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { ENOSPC } from '../errno.ts';
import { clearPage } from '../mm/direct-map.ts';
import { allocPage } from '../mm/page-alloc.ts';
import { NO_PAGE, putPage } from '../mm/page.ts';
import {
  COPY_ATOMIC,
  copyBytes,
  kmap,
  offsetInPage,
  pageBytes,
  vpnOf,
  zeroBytes,
} from './copy-bytes.ts';

/** Disk of a domain: /dev/ram0. */
export const DISK_RAM = 0;
/** Disk of a domain: /dev/loop0. */
export const DISK_LOOP = 1;
export const DISKS_PER_DOMAIN = 2;

/** SECTOR_SIZE; a smaller page is a sector. */
const SECTOR_BYTES = 512;

export const Brd = defineTable('disk[%].brd', ['disks'], {
  brdLock: '[GST] brd_lock: spinlock',
});

export const BrdPage = defineTable('disk[%].page[%]', ['disks', 'diskPages'], {
  value: '[GST] page + 1, 0 if none; stored under brdLock',
});

/** Bytes of a disk. */
export function diskBytes(): number {
  return BrdPage.value.count * pageBytes();
}

/** include/linux/blkdev.h: bdev_logical_block_size(): what direct I/O is aligned to. */
export function logicalBlockSize(): number {
  return Math.min(SECTOR_BYTES, pageBytes());
}

/** drivers/block/brd.c: brd_insert_page(). @returns the page of an index, or NO_PAGE. */
function* insertPage(v: number, disk: number, index: number): Op {
  const slot = BrdPage.value.at2(disk, index);
  const there = (yield* readOnce(slot)) - 1;
  if (there !== NO_PAGE) return there;
  const pg = yield* allocPage(v);
  if (pg === NO_PAGE) return NO_PAGE;
  yield* clearPage(v, pg);
  yield* spinLock(Brd.brdLock.at(disk));
  const raced = (yield* read(slot)) - 1;
  if (raced === NO_PAGE) yield* writeOnce(slot, pg + 1);
  yield* spinUnlock(Brd.brdLock.at(disk));
  if (raced === NO_PAGE) return pg;
  yield* putPage(v, pg);
  return raced;
}

/**
 * drivers/block/brd.c: copy_to_brd(), inside one page of the disk.
 * @param pos - byte of the disk. @param pg - page with the data. @param offset - byte in it.
 * @returns 0, or -ENOSPC if there is no memory for the sector.
 */
export function* copyToBrd(
  v: number,
  disk: number,
  pos: number,
  pg: number,
  offset: number,
  bytes: number,
): Op {
  const to = yield* insertPage(v, disk, vpnOf(pos));
  if (to === NO_PAGE) return -ENOSPC;
  const from = kmap(pg);
  yield* copyBytes(v, -1, kmap(to), offsetInPage(pos), from, offset, bytes, COPY_ATOMIC);
  return 0;
}

/** drivers/block/brd.c: copy_from_brd(), inside one page of the disk. As copyToBrd. @returns 0. */
export function* copyFromBrd(
  v: number,
  disk: number,
  pos: number,
  pg: number,
  offset: number,
  bytes: number,
): Op {
  const from = (yield* readOnce(BrdPage.value.at2(disk, vpnOf(pos)))) - 1;
  if (from === NO_PAGE) {
    yield* zeroBytes(v, pg, offset, bytes);
    return 0;
  }
  const at = offsetInPage(pos);
  yield* copyBytes(v, -1, kmap(pg), offset, kmap(from), at, bytes, COPY_ATOMIC);
  return 0;
}
