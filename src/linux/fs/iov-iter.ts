/**
 * What a read or write goes to or comes from (include/linux/uio.h: struct iov_iter;
 * lib/iov_iter.c): one user buffer, several, or pages of the kernel. A vCPU runs one task, and a
 * task is in one such call at a time: the iterator is a record of the vCPU.
 *
 *   ITER_UBUF    base = user address of one buffer
 *   ITER_IOVEC   base = word of records { address, bytes } of the caller
 *   ITER_BVEC    base = word of records { page, offset, bytes }
 * offset: bytes of the current record that are done; count: bytes that are left in all.
 */
import type { Op } from '../../shared/op.ts';
import { readLocal, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { EFAULT, EINVAL } from '../errno.ts';
import { getUserPagesFast } from '../mm/gup-fast.ts';
import { currentMm } from '../mm/mm-life.ts';
import { getPage } from '../mm/page.ts';
import { userLoad } from '../mm/user-access.ts';
import {
  COPY_FAULT,
  accessOk,
  clearUser,
  copyBytes,
  kmap,
  offsetInPage,
  pageBytes,
  pagesOfRange,
  vpnOf,
} from './copy-bytes.ts';

export const ITER_UBUF = 0;
export const ITER_IOVEC = 1;
export const ITER_BVEC = 2;

/** struct iovec: words of a record { address, bytes }. */
export const IOVEC_WORDS = 2;
/** struct bio_vec: words of a record { page, offset, bytes }. */
export const BVEC_WORDS = 3;
/** include/uapi/linux/uio.h: most records of a call. */
const UIO_MAXIOV = 1024;

export const IovIter = defineTable('%v.iov_iter', ['vcpus'], {
  type: '[VCPU] ITER_*',
  base: '[VCPU] user address, or word of the current record',
  offset: '[VCPU] iov_offset: bytes of the current record that are done',
  count: '[VCPU] bytes that are left',
});

function setIter(v: number, type: number, base: number, count: number): void {
  writeLocal(IovIter.type.at(v), type);
  writeLocal(IovIter.base.at(v), base);
  writeLocal(IovIter.offset.at(v), 0);
  writeLocal(IovIter.count.at(v), count);
}

/** lib/iov_iter.c: import_ubuf(). @param addr - user address. @returns 0, -EFAULT or -EINVAL. */
export function importUbuf(v: number, addr: number, count: number): number {
  if (count < 0) return -EINVAL;
  if (!accessOk(addr, count)) return -EFAULT;
  setIter(v, ITER_UBUF, addr, count);
  return 0;
}

/** lib/iov_iter.c: import_iovec(). @param iov - word of `nr` records. @returns 0 or an error. */
export function importIovec(v: number, iov: number, nr: number): number {
  if (nr < 0 || nr > UIO_MAXIOV) return -EINVAL;
  let count = 0;
  for (let i = 0; i < nr; i++) {
    const length = readLocal(iov + i * IOVEC_WORDS + 1);
    if (length < 0 || count + length < count) return -EINVAL;
    if (!accessOk(readLocal(iov + i * IOVEC_WORDS), length)) return -EFAULT;
    count += length;
  }
  setIter(v, ITER_IOVEC, iov, count);
  return 0;
}

/** lib/iov_iter.c: iov_iter_bvec(). @param bvec - word of records. @param count - their bytes. */
export function iterBvec(v: number, bvec: number, count: number): void {
  setIter(v, ITER_BVEC, bvec, count);
}

/** include/linux/uio.h: iov_iter_count(). @returns bytes that are left. */
export function iovIterCount(v: number): number {
  return readLocal(IovIter.count.at(v));
}

/** include/linux/uio.h: iov_iter_truncate() */
export function iovIterTruncate(v: number, count: number): void {
  if (iovIterCount(v) > count) writeLocal(IovIter.count.at(v), count);
}

/** Bytes of the record at `base`. */
function recordBytes(v: number, base: number): number {
  const type = readLocal(IovIter.type.at(v));
  return readLocal(base + (type === ITER_IOVEC ? 1 : 2));
}

/** Skips records without bytes. @returns bytes that the current record still has. */
function segmentBytes(v: number): number {
  const count = iovIterCount(v);
  const type = readLocal(IovIter.type.at(v));
  if (type === ITER_UBUF || count === 0) return count;
  const words = type === ITER_IOVEC ? IOVEC_WORDS : BVEC_WORDS;
  for (;;) {
    const base = readLocal(IovIter.base.at(v));
    const left = recordBytes(v, base) - readLocal(IovIter.offset.at(v));
    if (left > 0) return Math.min(left, count);
    writeLocal(IovIter.base.at(v), base + words);
    writeLocal(IovIter.offset.at(v), 0);
  }
}

/** Vpn and offset at which the current record goes on: offset in bytes from the vpn. */
function segmentVpn(v: number): number {
  const base = readLocal(IovIter.base.at(v));
  switch (readLocal(IovIter.type.at(v))) {
    case ITER_BVEC:
      return kmap(readLocal(base));
    case ITER_IOVEC:
      return vpnOf(readLocal(base) + readLocal(IovIter.offset.at(v)));
    default:
      return vpnOf(base + readLocal(IovIter.offset.at(v)));
  }
}

function segmentOffset(v: number): number {
  const base = readLocal(IovIter.base.at(v));
  const done = readLocal(IovIter.offset.at(v));
  switch (readLocal(IovIter.type.at(v))) {
    case ITER_BVEC:
      return readLocal(base + 1) + done;
    case ITER_IOVEC:
      return offsetInPage(readLocal(base) + done);
    default:
      return offsetInPage(base + done);
  }
}

/** Offset in the first page of what iovIterGetPages would give. */
export function iovIterPageOffset(v: number): number {
  segmentBytes(v);
  return segmentOffset(v);
}

/** lib/iov_iter.c: iov_iter_alignment(): addresses and lengths of all records, or-ed. */
export function iovIterAlignment(v: number): number {
  const base = readLocal(IovIter.base.at(v));
  if (readLocal(IovIter.type.at(v)) === ITER_UBUF) return base | iovIterCount(v);
  const words = readLocal(IovIter.type.at(v)) === ITER_IOVEC ? IOVEC_WORDS : BVEC_WORDS;
  let bits = 0;
  let left = iovIterCount(v);
  for (let at = base; left > 0; at += words) {
    const bytes = Math.min(left, recordBytes(v, at));
    if (bytes > 0) bits |= readLocal(at + words - 2) | bytes;
    left -= bytes;
  }
  return bits;
}

/** lib/iov_iter.c: iov_iter_advance(), inside the current record or up to its end. */
function advanceSegment(v: number, bytes: number): void {
  writeLocal(IovIter.offset.at(v), readLocal(IovIter.offset.at(v)) + bytes);
  writeLocal(IovIter.count.at(v), iovIterCount(v) - bytes);
}

/** lib/iov_iter.c: iov_iter_advance() */
export function iovIterAdvance(v: number, bytes: number): void {
  let left = Math.min(bytes, iovIterCount(v));
  while (left > 0) {
    const step = Math.min(left, segmentBytes(v));
    advanceSegment(v, step);
    left -= step;
  }
}

/**
 * lib/iov_iter.c: copy_page_from_iter(), copy_page_from_iter_atomic()
 * @param pg - page that the caller holds. @param offset - bytes. @param bytes - at most to its end.
 * @param mode - COPY_*. @returns bytes copied, fewer at a fault.
 */
export function* copyPageFromIter(
  v: number,
  pg: number,
  offset: number,
  bytes: number,
  mode: number,
): Op {
  const mm = currentMm(v);
  let done = 0;
  while (done < bytes && iovIterCount(v) > 0) {
    const step = Math.min(bytes - done, segmentBytes(v));
    const vpn = segmentVpn(v);
    const at = segmentOffset(v);
    const copied = yield* copyBytes(v, mm, kmap(pg), offset + done, vpn, at, step, mode);
    advanceSegment(v, copied);
    done += copied;
    if (copied < step) break;
  }
  return done;
}

/**
 * lib/iov_iter.c: copy_page_to_iter()
 * @param pg - page that the caller holds. @param offset - bytes. @param bytes - at most to its end.
 * @returns bytes copied, fewer at a fault.
 */
export function* copyPageToIter(v: number, pg: number, offset: number, bytes: number): Op {
  const mm = currentMm(v);
  let done = 0;
  while (done < bytes && iovIterCount(v) > 0) {
    const step = Math.min(bytes - done, segmentBytes(v));
    const vpn = segmentVpn(v);
    const at = segmentOffset(v);
    const from = kmap(pg);
    const copied = yield* copyBytes(v, mm, vpn, at, from, offset + done, step, COPY_FAULT);
    advanceSegment(v, copied);
    done += copied;
    if (copied < step) break;
  }
  return done;
}

/**
 * lib/iov_iter.c: iov_iter_get_pages2(): takes the pages behind the next bytes of the current
 * record, by get_user_pages_fast() if they are a user's, and advances over them.
 * @param out - word of an array for the pages. @param maxPages - its length.
 * @param gupFlags - FOLL_* for a user's pages.
 * @returns bytes, from iovIterPageOffset in the first page on; 0 at the end; or a negative error.
 */
export function* iovIterGetPages(v: number, out: number, maxPages: number, gupFlags: number): Op {
  const segment = segmentBytes(v);
  if (segment === 0) return 0;
  const start = segmentOffset(v);
  const bytes = Math.min(segment, maxPages * pageBytes() - start);
  const vpn = segmentVpn(v);
  if (readLocal(IovIter.type.at(v)) === ITER_BVEC) {
    const pg = readLocal(readLocal(IovIter.base.at(v)));
    yield* getPage(pg);
    writeLocal(out, pg);
    advanceSegment(v, segment);
    return segment;
  }
  const pages = pagesOfRange(start, bytes);
  const got = yield* getUserPagesFast(v, currentMm(v), vpn, pages, gupFlags, out);
  if (got <= 0) return got;
  const had = Math.min(bytes, got * pageBytes() - start);
  advanceSegment(v, had);
  return had;
}

/**
 * lib/iov_iter.c: fault_in_iov_iter_readable(): touches every page of the next bytes, so that an
 * atomic copy finds them. @returns bytes that cannot be read.
 */
export function* faultInIovIterReadable(v: number, bytes: number): Op {
  const type = readLocal(IovIter.type.at(v));
  if (type === ITER_BVEC) return 0;
  const segment = Math.min(bytes, segmentBytes(v));
  const start = segmentOffset(v);
  const vpn = segmentVpn(v);
  for (let i = 0; i < pagesOfRange(start, segment); i++) {
    const at = i === 0 ? start : 0;
    if ((yield* userLoad(v, currentMm(v), vpn + i, at)) < 0) {
      return bytes - Math.max(0, i * pageBytes() - start);
    }
  }
  return 0;
}

/** lib/iov_iter.c: iov_iter_zero(). @returns bytes, fewer at a fault. */
export function* zeroIter(v: number, bytes: number): Op {
  const mm = currentMm(v);
  let done = 0;
  while (done < bytes && iovIterCount(v) > 0) {
    const step = Math.min(bytes - done, segmentBytes(v));
    const cleared = yield* clearUser(v, mm, segmentVpn(v), segmentOffset(v), step);
    advanceSegment(v, cleared);
    done += cleared;
    if (cleared < step) break;
  }
  return done;
}
