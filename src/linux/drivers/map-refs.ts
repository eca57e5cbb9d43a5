/**
 * The mapping side of the guest: drivers/xen/grant-table.c, gnttab_map_refs() and
 * gnttab_unmap_refs(). One batch of grants is mapped over ballooned pages or unmapped again; what
 * the kernel remembers about page and frame is the design's (designs/design.ts).
 *
 * Arguments are arrays in words, as hypercalls take them: `mapOps` and `kmapOps` are records of
 * MAP_WORDS, `unmapOps` and `kunmapOps` of UNMAP_WORDS, `pages` is one word a page. The caller owns
 * them; kmapOps and kunmapOps may be 0 (none): then the primary handles are kernel mappings. What
 * the guest fills in is local to it; what Xen returns is read like any memory, for it may still be
 * in this CPU's store buffer.
 */
import { domainOf } from '../../hardware/params.ts';
import { msleep } from '../../shared/clock.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace, write, writeLocal } from '../../shared/operations.ts';
import { gnttabMapGrantRef } from '../../xen/grant-table/map.ts';
import { gnttabUnmapGrantRef } from '../../xen/grant-table/unmap.ts';
import {
  GNTST_bad_page,
  GNTST_eagain,
  MAP_DEV_BUS_ADDR,
  MAP_DOM,
  MAP_FLAGS,
  MAP_HANDLE,
  MAP_HOST_ADDR,
  MAP_REF,
  MAP_STATUS,
  MAP_WORDS,
  UNMAP_DEV_BUS_ADDR,
  UNMAP_HANDLE,
  UNMAP_HOST_ADDR,
  UNMAP_STATUS,
} from '../../xen/public/grant-table.ts';
import { designMap, designUnmap } from '../designs/design.ts';
import { TRACE_GRANT_UNMAP } from '../tracepoints.ts';

/** domid_t has 16 bits: what user space gives as a domain is cut to them. */
const DOMID_MASK = 0xffff;

/** INVALID_GRANT_HANDLE */
export const INVALID_GRANT_HANDLE = -1;
/** MAX_DELAY of gnttab_retry_eagain_gop(), in milliseconds. */
const MAX_DELAY = 256;

/**
 * include/xen/grant_table.h: gnttab_set_map_op()
 * @param op - word of the record. @param hostAddr - word of a PTE, or vpn. @param flags - GNTMAP_*.
 * @param ref - grant. @param domid - who grants it.
 */
export function gnttabSetMapOp(
  op: number,
  hostAddr: number,
  flags: number,
  ref: number,
  domid: number,
): void {
  writeLocal(op + MAP_HOST_ADDR, hostAddr);
  writeLocal(op + MAP_FLAGS, flags);
  writeLocal(op + MAP_REF, ref);
  writeLocal(op + MAP_DOM, domid & DOMID_MASK);
  writeLocal(op + MAP_STATUS, 0);
  writeLocal(op + MAP_HANDLE, INVALID_GRANT_HANDLE);
  writeLocal(op + MAP_DEV_BUS_ADDR, 0);
}

/**
 * include/xen/grant_table.h: gnttab_set_unmap_op()
 * @param op - word of the record. @param hostAddr - word of a PTE, or vpn.
 * @param handle - of the mapping.
 */
export function gnttabSetUnmapOp(op: number, hostAddr: number, handle: number): void {
  writeLocal(op + UNMAP_HOST_ADDR, hostAddr);
  writeLocal(op + UNMAP_DEV_BUS_ADDR, 0);
  writeLocal(op + UNMAP_HANDLE, handle);
  writeLocal(op + UNMAP_STATUS, 0);
}

/** drivers/xen/grant-table.c: gnttab_retry_eagain_gop(), for one map operation. */
function* retryEagain(v: number, op: number): Op<void> {
  let delay = 1;
  while ((yield* read(op + MAP_STATUS)) === GNTST_eagain && delay < MAX_DELAY) {
    yield* msleep(delay++);
    yield* gnttabMapGrantRef(v, op, 1);
  }
  if (delay >= MAX_DELAY) yield* write(op + MAP_STATUS, GNTST_bad_page);
}

/**
 * drivers/xen/grant-table.c: gnttab_map_refs()
 * @returns 0, or a negative error; each record has its own status besides.
 */
export function* gnttabMapRefs(
  v: number,
  mapOps: number,
  kmapOps: number,
  pages: number,
  count: number,
): Op {
  const status = yield* gnttabMapGrantRef(v, mapOps, count);
  if (status !== 0) return status;
  for (let i = 0; i < count; i++) yield* retryEagain(v, mapOps + i * MAP_WORDS);
  return yield* designMap(v, mapOps, kmapOps, pages, count);
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_refs(). Looks at no page count.
 * @returns 0, or a negative error; each record has its own status besides.
 */
export function* gnttabUnmapRefs(
  v: number,
  unmapOps: number,
  kunmapOps: number,
  pages: number,
  count: number,
): Op {
  for (let i = 0; i < count; i++) trace(TRACE_GRANT_UNMAP, readLocal(pages + i), domainOf(v), 0);
  const status = yield* gnttabUnmapGrantRef(v, unmapOps, count);
  if (status !== 0) return status;
  return yield* designUnmap(v, unmapOps, kunmapOps, pages, count);
}
