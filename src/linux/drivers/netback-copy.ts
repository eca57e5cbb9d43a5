/**
 * Grant copies of the network backend: drivers/net/xen-netback/netback.c, xenvif_gop_frag_copy()
 * (today rx.c, xenvif_rx_copy_add()) into the receive buffers of a guest, and the copies of
 * xenvif_tx_build_gops() out of the pages that a guest sends.
 *
 * A source that is mapped from another domain must be named by domain and reference: a machine
 * frame may only be the caller's own, and Xen refuses any other. Who knows domain and reference:
 *   designs with marked pages  the page itself, whoever mapped it (xen_page_foreign())
 *   the older ones             netback, of the packets that it has mapped: by the page's index
 *                              (linux-2.6.18-xen, netbk_gop_frag()), by the packet's ubuf chain
 *                              (3e2234b3149f, 583757446ba6). Of a page that blkback has mapped
 *                              nobody knows, and its frame is taken for an own one.
 *
 * NetbackCopyOp.*  [VCPU]  struct gnttab_copy of the copy in hand
 */
import { domainOf, frameWordCount } from '../../hardware/params.ts';
import { msleep } from '../../shared/clock.ts';
import type { Op } from '../../shared/op.ts';
import { read, write, writeLocal } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { grantTableOpCopy } from '../../xen/grant-table/copy.ts';
import {
  GNTCOPY_dest_gref,
  GNTCOPY_source_gref,
  GNTST_bad_page,
  GNTST_eagain,
} from '../../xen/public/grant-table.ts';
import { DOMID_SELF } from '../../xen/public/xen.ts';
import { designMarksForeignPages } from '../designs/design.ts';
import { NOT_FOREIGN, foreignDomid, foreignGref, xenPageForeign } from '../designs/foreign-page.ts';
import { pfnToMfn } from '../mm/p2m.ts';
import { pfnOf } from '../mm/page.ts';
import { PendingTx } from './netback-pending.ts';

/** MAX_DELAY of gnttab_retry_eagain_gop(), in milliseconds. */
const MAX_DELAY = 256;
/** The page of a packet that netback has not mapped. */
export const NOT_PENDING = -1;

export const NetbackCopyOp = defineTable('%v.netback.copy_op', ['vcpus'], {
  source: '[GST] ref with GNTCOPY_source_gref, else an own frame',
  sourceDomid: '[GST] its domain',
  sourceOffset: '[GST] first word',
  dest: '[GST] ref with GNTCOPY_dest_gref, else an own frame',
  destDomid: '[GST] its domain',
  destOffset: '[GST] first word',
  len: '[GST] words',
  flags: '[GST] GNTCOPY_*',
  status: '[XEN] GNTST_*',
});

/** gnttab_batch_copy() of one operation. @returns GNTST_*. */
function* batchCopy(v: number): Op {
  const op = NetbackCopyOp.source.at(v);
  const status = NetbackCopyOp.status.at(v);
  writeLocal(status, 0);
  yield* grantTableOpCopy(v, op, 1);
  let delay = 1;
  while ((yield* read(status)) === GNTST_eagain && delay < MAX_DELAY) {
    yield* msleep(delay++);
    yield* grantTableOpCopy(v, op, 1);
  }
  if (delay >= MAX_DELAY) yield* write(status, GNTST_bad_page);
  return yield* read(status);
}

function setLength(v: number): void {
  writeLocal(NetbackCopyOp.sourceOffset.at(v), 0);
  writeLocal(NetbackCopyOp.destOffset.at(v), 0);
  writeLocal(NetbackCopyOp.len.at(v), frameWordCount());
}

function setSourceRef(v: number, domid: number, ref: number): void {
  writeLocal(NetbackCopyOp.source.at(v), ref);
  writeLocal(NetbackCopyOp.sourceDomid.at(v), domid);
  const flags = NetbackCopyOp.flags.at(v);
  writeLocal(flags, GNTCOPY_dest_gref | GNTCOPY_source_gref);
}

/** The source of a copy out of a packet's page. @param pending - its slot, or NOT_PENDING. */
function* setSource(v: number, pg: number, pending: number): Op<void> {
  const d = domainOf(v);
  writeLocal(NetbackCopyOp.flags.at(v), GNTCOPY_dest_gref);
  const foreign = yield* xenPageForeign(pg);
  if (foreign !== NOT_FOREIGN) {
    setSourceRef(v, foreignDomid(foreign), foreignGref(foreign));
  } else if (designMarksForeignPages() === 0 && pending !== NOT_PENDING) {
    const ref = yield* read(PendingTx.gref.at2(d, pending));
    setSourceRef(v, yield* read(PendingTx.domid.at2(d, pending)), ref);
  } else {
    writeLocal(NetbackCopyOp.source.at(v), yield* pfnToMfn(d, pfnOf(pg)));
    writeLocal(NetbackCopyOp.sourceDomid.at(v), DOMID_SELF);
  }
}

/**
 * xenvif_gop_frag_copy() of a fragment of one page, and the flush of the operation.
 * @param v - vCPU of the backend. @param pg - page of the packet, of which it holds a reference.
 * @param pending - slot of a packet that netback has mapped, else NOT_PENDING.
 * @param domid - who receives. @param ref - its buffer. @returns GNTST_*.
 */
export function* xenvifGopFragCopy(
  v: number,
  pg: number,
  pending: number,
  domid: number,
  ref: number,
): Op {
  setLength(v);
  yield* setSource(v, pg, pending);
  writeLocal(NetbackCopyOp.dest.at(v), ref);
  writeLocal(NetbackCopyOp.destDomid.at(v), domid);
  return yield* batchCopy(v);
}

/**
 * A packet that a guest sends into a page of the backend (xenvif_tx_build_gops() before 3.15).
 * @param pg - the page, the backend's own. @param domid - who sends. @param ref - its page.
 * @returns GNTST_*.
 */
export function* xenvifTxCopy(v: number, pg: number, domid: number, ref: number): Op {
  setLength(v);
  setSourceRef(v, domid, ref);
  writeLocal(NetbackCopyOp.flags.at(v), GNTCOPY_source_gref);
  writeLocal(NetbackCopyOp.dest.at(v), yield* pfnToMfn(domainOf(v), pfnOf(pg)));
  writeLocal(NetbackCopyOp.destDomid.at(v), DOMID_SELF);
  return yield* batchCopy(v);
}
