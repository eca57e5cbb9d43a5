/**
 * The granting side of the guest: drivers/xen/grant-table.c, version 1 entries.
 *
 * Publishing an entry (gnttab_update_entry_v1): 1. domid. 2. frame. 3. write barrier. 4. flags.
 * Until step 4 the type in the flags is invalid and Xen does not look at the rest.
 *
 * Revoking (gnttab_end_foreign_access_ref_v1): 1. read the flags. 2. reading or writing set: in
 * use, give up. 3. compare-and-swap the flags to 0; if they changed meanwhile begin anew. The
 * result of the swap decides, never an earlier look (XSA-396).
 *
 * flags and domid are 16-bit halves of one word that Xen swaps as a whole; the guest's 16-bit
 * accesses are therefore accesses of the word that keep the other half. While the entry is
 * invalid only the guest writes it, so publishing may store the whole word.
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { cmpxchg, readOnce, smpWmb, trace, write } from '../../shared/operations.ts';
import { GrantEntry } from '../../xen/grant-table/entry.ts';
import {
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_writing,
} from '../../xen/public/grant-table.ts';
import { pfnToMfn } from '../mm/p2m.ts';
import { putPage } from '../mm/page.ts';
import { TRACE_GRANT_END } from '../tracepoints.ts';
import { gnttabAddDeferred } from './deferred-grants.ts';
import { getFreeEntry, putFreeEntry } from './free-refs.ts';

const DOMID_SHIFT = 16;
const FLAGS_MASK = 0xffff;

/**
 * drivers/xen/grant-table.c: gnttab_grant_foreign_access_ref()
 * @param v - vCPU of the granting domain. @param ref - a ref that the caller owns.
 * @param domid - who may map it. @param pfn - the page of this domain. @param readonly - 0 or 1.
 */
export function* gnttabGrantForeignAccessRef(
  v: number,
  ref: number,
  domid: number,
  pfn: number,
  readonly: number,
): Op<void> {
  const d = domainOf(v);
  const mfn = yield* pfnToMfn(d, pfn);
  const hdr = GrantEntry.hdr.at2(d, ref);
  const flags = GTF_permit_access | (readonly === 0 ? 0 : GTF_readonly);
  yield* write(hdr, domid << DOMID_SHIFT);
  yield* write(GrantEntry.frame.at2(d, ref), mfn);
  yield* smpWmb();
  yield* write(hdr, (domid << DOMID_SHIFT) | flags);
}

/**
 * drivers/xen/grant-table.c: gnttab_grant_foreign_access()
 * @returns the ref, or -ENOSPC.
 */
export function* gnttabGrantForeignAccess(
  v: number,
  domid: number,
  pfn: number,
  readonly: number,
): Op {
  const ref = yield* getFreeEntry(v);
  if (ref < 0) return ref;
  yield* gnttabGrantForeignAccessRef(v, ref, domid, pfn, readonly);
  return ref;
}

/**
 * drivers/xen/grant-table.c: gnttab_query_foreign_access() of older kernels. What it says is stale
 * at once: fit for messages, not for decisions.
 * @returns GTF_reading and GTF_writing as they were, 0 if nobody had it mapped.
 */
export function* gnttabQueryForeignAccess(v: number, ref: number): Op {
  const hdr = yield* readOnce(GrantEntry.hdr.at2(domainOf(v), ref));
  return hdr & (GTF_reading | GTF_writing);
}

/**
 * drivers/xen/grant-table.c: gnttab_end_foreign_access_ref()
 * @param v - vCPU of the granting domain. @param ref - a published entry.
 * @returns 1 if nobody can map it from now on, 0 if somebody has it mapped.
 */
export function* gnttabEndForeignAccessRef(v: number, ref: number): Op {
  const hdr = GrantEntry.hdr.at2(domainOf(v), ref);
  let seen = yield* readOnce(hdr);
  for (;;) {
    if ((seen & (GTF_reading | GTF_writing)) !== 0) return 0;
    const before = yield* cmpxchg(hdr, seen, seen & ~FLAGS_MASK);
    if (before === seen) break;
    seen = before;
  }
  trace(TRACE_GRANT_END, domainOf(v), ref, 0);
  return 1;
}

/**
 * drivers/xen/grant-table.c: gnttab_try_end_foreign_access()
 * @returns 1 if access ended and the ref is free again.
 */
export function* gnttabTryEndForeignAccess(v: number, ref: number): Op {
  if ((yield* gnttabEndForeignAccessRef(v, ref)) === 0) return 0;
  yield* putFreeEntry(v, ref);
  return 1;
}

/**
 * drivers/xen/grant-table.c: gnttab_end_foreign_access(). If the grant is still mapped, the ref
 * and the page stay alive on the deferred list until it is not.
 * @param pg - the granted page, whose reference the caller gives up; NONE if the caller keeps it.
 */
export function* gnttabEndForeignAccess(v: number, ref: number, pg: number): Op<void> {
  if ((yield* gnttabTryEndForeignAccess(v, ref)) !== 0) {
    if (pg >= 0) yield* putPage(v, pg);
  } else {
    yield* gnttabAddDeferred(v, ref, pg);
  }
}
