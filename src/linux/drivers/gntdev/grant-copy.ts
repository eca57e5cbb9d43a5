/**
 * IOCTL_GNTDEV_GRANT_COPY: drivers/xen/gntdev.c, gntdev_ioctl_grant_copy(): copies between grants
 * and the task's own memory, without mapping.
 *
 * A segment is cut where its local side crosses a page; each piece is one GNTTABOP_copy with the
 * local page pinned. Up to GNTDEV_COPY_BATCH pieces go in one hypercall; then the pages are let go.
 * A segment's status is set to okay before anything is asked, and to the first failure afterwards.
 *
 * The segments lie in the task's memory as records of words (uapi/gntdev.ts); a page is
 * frameWordCount() words, one a byte in life. CopyBatch is the kernel's struct
 * gntdev_copy_batch, of the task that runs on the vCPU.
 */
import { frameWordCount } from '../../../hardware/params.ts';
import type { Op } from '../../../shared/op.ts';
import { read, readLocal, write, writeLocal } from '../../../shared/operations.ts';
import { defineTable } from '../../../shared/table.ts';
import { grantTableOpCopy } from '../../../xen/grant-table/copy.ts';
import {
  COPY_DEST,
  COPY_DEST_DOMID,
  COPY_DEST_OFFSET,
  COPY_FLAGS,
  COPY_LEN,
  COPY_SOURCE,
  COPY_SOURCE_DOMID,
  COPY_SOURCE_OFFSET,
  COPY_STATUS,
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTST_bad_page,
  GNTST_eagain,
  GNTST_okay,
} from '../../../xen/public/grant-table.ts';
import { DOMID_SELF } from '../../../xen/public/xen.ts';
import { msleep } from '../../../shared/clock.ts';
import { domainOf } from '../../../hardware/params.ts';
import { EFAULT, EINVAL } from '../../errno.ts';
import { getUserPagesFast } from '../../mm/gup-fast.ts';
import { FOLL_PIN, FOLL_WRITE, gupPut } from '../../mm/gup.ts';
import { pfnToMfn } from '../../mm/p2m.ts';
import { pfnOf } from '../../mm/page.ts';
import {
  COPY_SEGMENT_DEST,
  COPY_SEGMENT_DEST_DOMID,
  COPY_SEGMENT_DEST_OFFSET,
  COPY_SEGMENT_FLAGS,
  COPY_SEGMENT_LEN,
  COPY_SEGMENT_SOURCE,
  COPY_SEGMENT_SOURCE_DOMID,
  COPY_SEGMENT_SOURCE_OFFSET,
  COPY_SEGMENT_STATUS,
  COPY_SEGMENT_WORDS,
} from '../../uapi/gntdev.ts';

/** GNTDEV_COPY_BATCH: operations of one hypercall. */
export const GNTDEV_COPY_BATCH = 16;
/** Milliseconds after which a paged-out frame is given up (MAX_DELAY). */
const MAX_DELAY = 256;

export const CopyBatch = defineTable('%v.gntdev_copy_batch', ['vcpus'], {
  nrOps: '[VCPU] nr_ops: operations so far',
  nrPages: '[VCPU] nr_pages: pages that are pinned for them',
});

/** struct gnttab_copy ops[]; the place of the segment's status with each. */
export const CopyBatchOp = defineTable('%v.gntdev_copy_batch.ops[%]', ['vcpus', 'gntdevCopies'], {
  source: '[VCPU] ref or frame',
  sourceDomid: '[VCPU] its domain',
  sourceOffset: '[VCPU] first word',
  dest: '[VCPU] ref or frame',
  destDomid: '[VCPU] its domain',
  destOffset: '[VCPU] first word',
  len: '[VCPU] words',
  flags: '[VCPU] GNTCOPY_*',
  status: '[XEN] GNTST_*',
  pad0: '[VCPU] none',
  pad1: '[VCPU] none',
  statusOf: '[VCPU] word of the status of its segment',
});

/** struct page *pages[], one for each operation at most. */
export const CopyBatchPage = defineTable(
  '%v.gntdev_copy_batch.pages[%]',
  ['vcpus', 'gntdevCopies'],
  {
    value: '[VCPU] a pinned page',
  },
);

/** gntdev_put_pages() */
function* putPages(v: number): Op<void> {
  const pages = readLocal(CopyBatch.nrPages.at(v));
  for (let i = 0; i < pages; i++) {
    yield* gupPut(v, yield* read(CopyBatchPage.value.at2(v, i)), FOLL_PIN);
  }
  writeLocal(CopyBatch.nrPages.at(v), 0);
}

/** gnttab_retry_eagain_gop(): a frame that is paged out is waited for. */
function* retryEagain(v: number, op: number): Op<void> {
  let delay = 1;
  while ((yield* read(op + COPY_STATUS)) === GNTST_eagain && delay < MAX_DELAY) {
    yield* msleep(delay++);
    yield* grantTableOpCopy(v, op, 1);
  }
  if (delay >= MAX_DELAY) yield* write(op + COPY_STATUS, GNTST_bad_page);
}

/** gntdev_copy(): the hypercall, the pages, then the statuses of the segments. */
function* gntdevCopy(v: number): Op<void> {
  const count = readLocal(CopyBatch.nrOps.at(v));
  yield* grantTableOpCopy(v, CopyBatchOp.source.at2(v, 0), count);
  for (let i = 0; i < count; i++) yield* retryEagain(v, CopyBatchOp.source.at2(v, i));
  yield* putPages(v);
  for (let i = 0; i < count; i++) {
    const status = yield* read(CopyBatchOp.status.at2(v, i));
    if (status === GNTST_okay) continue;
    const word = yield* read(CopyBatchOp.statusOf.at2(v, i));
    if ((yield* read(word)) === GNTST_okay) yield* write(word, status);
  }
  writeLocal(CopyBatch.nrOps.at(v), 0);
}

/**
 * gntdev_get_page(): pins a page of the task. A page that a grant is mapped onto has a foreign
 * frame in the P2M, which Xen refuses as the caller's own (GNTST_bad_page).
 * @returns its frame, or a negative errno.
 */
function* getPageFrame(v: number, mm: number, vpn: number, writeable: number): Op {
  const slot = readLocal(CopyBatch.nrPages.at(v));
  const flags = FOLL_PIN | (writeable !== 0 ? FOLL_WRITE : 0);
  const got = yield* getUserPagesFast(v, mm, vpn, 1, flags, CopyBatchPage.value.at2(v, slot));
  if (got < 0) return got;
  writeLocal(CopyBatch.nrPages.at(v), slot + 1);
  return yield* pfnToMfn(domainOf(v), pfnOf(readLocal(CopyBatchPage.value.at2(v, slot))));
}

/** One side of an operation that names a grant. */
function* setGrant(op: number, segment: number, dest: number, copied: number): Op<void> {
  const from = dest !== 0 ? COPY_SEGMENT_DEST : COPY_SEGMENT_SOURCE;
  const fromDomid = dest !== 0 ? COPY_SEGMENT_DEST_DOMID : COPY_SEGMENT_SOURCE_DOMID;
  const fromOffset = dest !== 0 ? COPY_SEGMENT_DEST_OFFSET : COPY_SEGMENT_SOURCE_OFFSET;
  const to = dest !== 0 ? COPY_DEST : COPY_SOURCE;
  const toDomid = dest !== 0 ? COPY_DEST_DOMID : COPY_SOURCE_DOMID;
  const toOffset = dest !== 0 ? COPY_DEST_OFFSET : COPY_SOURCE_OFFSET;
  const flag = dest !== 0 ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
  yield* write(op + to, yield* read(segment + from));
  yield* write(op + toDomid, yield* read(segment + fromDomid));
  yield* write(op + toOffset, (yield* read(segment + fromOffset)) + copied);
  yield* write(op + COPY_FLAGS, (yield* read(op + COPY_FLAGS)) | flag);
}

/** One side that is memory of the task. @returns words until its page ends, or an errno. */
function* setLocal(
  v: number,
  mm: number,
  op: number,
  segment: number,
  dest: number,
  copied: number,
): Op {
  const from = dest !== 0 ? COPY_SEGMENT_DEST : COPY_SEGMENT_SOURCE;
  const fromOffset = dest !== 0 ? COPY_SEGMENT_DEST_OFFSET : COPY_SEGMENT_SOURCE_OFFSET;
  const at = (yield* read(segment + fromOffset)) + copied;
  const page = (at / frameWordCount()) | 0;
  const mfn = yield* getPageFrame(v, mm, (yield* read(segment + from)) + page, dest);
  if (mfn < 0) return mfn;
  yield* write(op + (dest !== 0 ? COPY_DEST : COPY_SOURCE), mfn);
  yield* write(op + (dest !== 0 ? COPY_DEST_DOMID : COPY_SOURCE_DOMID), DOMID_SELF);
  const offset = at % frameWordCount();
  yield* write(op + (dest !== 0 ? COPY_DEST_OFFSET : COPY_SOURCE_OFFSET), offset);
  return frameWordCount() - offset;
}

/** One operation of a segment. @returns the words that it copies, or a negative errno. */
function* addOperation(v: number, mm: number, segment: number, copied: number, flags: number): Op {
  const slot = readLocal(CopyBatch.nrOps.at(v));
  const op = CopyBatchOp.source.at2(v, slot);
  let len = (yield* read(segment + COPY_SEGMENT_LEN)) - copied;
  yield* write(op + COPY_FLAGS, 0);
  for (let dest = 0; dest <= 1; dest++) {
    if ((flags & (dest !== 0 ? GNTCOPY_dest_gref : GNTCOPY_source_gref)) !== 0) {
      yield* setGrant(op, segment, dest, copied);
    } else {
      const room = yield* setLocal(v, mm, op, segment, dest, copied);
      if (room < 0) return room;
      len = Math.min(len, room);
    }
  }
  yield* write(op + COPY_LEN, len);
  writeLocal(CopyBatchOp.statusOf.at2(v, slot), segment + COPY_SEGMENT_STATUS);
  writeLocal(CopyBatch.nrOps.at(v), slot + 1);
  return len;
}

/** gntdev_grant_copy_seg(), its checks. @returns 0 or -EINVAL. */
function* checkSegment(segment: number, flags: number): Op {
  // There is one page for each operation.
  if ((flags & (GNTCOPY_source_gref | GNTCOPY_dest_gref)) === 0) return -EINVAL;
  const len = yield* read(segment + COPY_SEGMENT_LEN);
  if ((flags & GNTCOPY_source_gref) !== 0) {
    const offset = yield* read(segment + COPY_SEGMENT_SOURCE_OFFSET);
    if (offset + len > frameWordCount()) return -EINVAL;
  }
  if ((flags & GNTCOPY_dest_gref) !== 0) {
    const offset = yield* read(segment + COPY_SEGMENT_DEST_OFFSET);
    if (offset + len > frameWordCount()) return -EINVAL;
  }
  return 0;
}

/** gntdev_grant_copy_seg(). @returns 0 or a negative errno. */
function* copySegment(v: number, mm: number, segment: number): Op {
  const flags = yield* read(segment + COPY_SEGMENT_FLAGS);
  const status = yield* checkSegment(segment, flags);
  if (status < 0) return status;
  yield* write(segment + COPY_SEGMENT_STATUS, GNTST_okay);
  const len = yield* read(segment + COPY_SEGMENT_LEN);
  let copied = 0;
  while (copied < len) {
    if (readLocal(CopyBatch.nrOps.at(v)) >= GNTDEV_COPY_BATCH) yield* gntdevCopy(v);
    const words = yield* addOperation(v, mm, segment, copied, flags);
    if (words < 0) return words;
    copied += words;
  }
  return 0;
}

/**
 * drivers/xen/gntdev.c: gntdev_ioctl_grant_copy()
 * @param v - vCPU of the task. @param mm - its address space. @param segments - word of the first
 *   record, 0: none. @param count - records.
 * @returns 0: each segment has its status; -EINVAL or -EFAULT: the segments before the bad one may
 *   or may not have been copied.
 */
export function* gntdevGrantCopy(v: number, mm: number, segments: number, count: number): Op {
  writeLocal(CopyBatch.nrOps.at(v), 0);
  writeLocal(CopyBatch.nrPages.at(v), 0);
  for (let i = 0; i < count; i++) {
    if (segments === 0) {
      yield* putPages(v);
      return -EFAULT;
    }
    const status = yield* copySegment(v, mm, segments + i * COPY_SEGMENT_WORDS);
    if (status < 0) {
      yield* putPages(v);
      return status;
    }
  }
  if (readLocal(CopyBatch.nrOps.at(v)) > 0) yield* gntdevCopy(v);
  return 0;
}
