/**
 * The frontend of a network interface (drivers/net/xen-netfront.c): gives buffers to be received
 * into, takes what came, sends pages.
 *
 * A response says that the backend is done with a page. The guest ends the access before it reads
 * the page or uses it anew; the result of that says whether it is its own again
 * (66e3531b33ee, XSA-396).
 */
import { cpuLoad } from '../../hardware/access.ts';
import { BUG_BUFFER_IN_USE, BUG_PAYLOAD } from '../../hardware/bugs.ts';
import { domainOf, frameWordCount, kernelBase } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import {
  gnttabGrantForeignAccess,
  gnttabTryEndForeignAccess,
} from '../../linux/drivers/grant-table.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { RING_EMPTY } from '../../shared/ring.ts';
import { waitForEvent } from '../channel.ts';
import { checksumOf } from '../payload.ts';
import { NetRing, NetSlot, putNetRequest, tryTakeNetResponse } from '../vif.ts';

/** Grants a page for a slot. @param readonly - 0 or 1. @returns 0 or a negative errno. */
export function* grantSlot(v: number, n: number, slot: number, pg: number, readonly: number): Op {
  const back = domainOf(readLocal(NetRing.back.at(n)));
  const ref = yield* gnttabGrantForeignAccess(v, back, pfnOf(pg), readonly);
  if (ref < 0) return ref;
  writeLocal(NetSlot.page.at2(n, slot), pg);
  yield* write(NetSlot.ref.at2(n, slot), ref);
  return 0;
}

/** Ends the access to the page of a slot that came back. */
export function* endSlot(v: number, n: number, slot: number): Op<void> {
  const ref = yield* read(NetSlot.ref.at2(n, slot));
  if (ref < 0) return;
  const ended = yield* gnttabTryEndForeignAccess(v, ref);
  warnOn(ended === 0, BUG_BUFFER_IN_USE, n, ref);
}

/** xennet_alloc_rx_buffers(), of one buffer. @returns 0 or a negative errno. */
export function* postBuffer(v: number, n: number, slot: number, pg: number): Op {
  const status = yield* grantSlot(v, n, slot, pg, 0);
  if (status === 0) yield* putNetRequest(n, slot);
  return status;
}

/** xennet_tx_buf_gc(): takes what was sent off the ring. @param n - its tx ring. */
export function* reapSent(v: number, n: number): Op<void> {
  for (;;) {
    const slot = yield* tryTakeNetResponse(n);
    if (slot === RING_EMPTY) return;
    yield* endSlot(v, n, slot);
    writeLocal(NetSlot.busy.at2(n, slot), 0);
  }
}

/** A free slot of the tx ring, waiting for one. @param n - ring. @returns slot, now busy. */
export function* takeSlot(v: number, n: number): Op {
  for (;;) {
    yield* reapSent(v, n);
    for (let slot = 0; slot < NetSlot.busy.count; slot++) {
      if (readLocal(NetSlot.busy.at2(n, slot)) !== 0) continue;
      writeLocal(NetSlot.busy.at2(n, slot), 1);
      return slot;
    }
    yield* waitForEvent(v);
  }
}

/** Is what is in the page of a slot what its sender put there? As TCP's checksum. */
export function* checkSlot(v: number, n: number, slot: number): Op<void> {
  const vpn = kernelBase() + pfnOf(readLocal(NetSlot.page.at2(n, slot)));
  const words = frameWordCount();
  let sum = 0;
  let failed = 0;
  for (let offset = 0; offset < words; offset++) {
    failed |= yield* cpuLoad(v, vpn, offset);
    sum = checksumOf(sum, reg(v, REG_VALUE));
  }
  const expected = yield* read(NetSlot.checksum.at2(n, slot));
  warnOn(failed !== 0 || sum !== expected, BUG_PAYLOAD, slot, sum);
}
