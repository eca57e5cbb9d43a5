/**
 * The end of a request in the block frontend: drivers/block/xen-blkfront.c, blkif_completion(),
 * without persistent grants: the grants are of the bio's own pages, which go back to their owner
 * when the request is done.
 *
 * BlkfrontGrant.*  [GST]  struct grant of a request's segment; under the ring's lock
 *
 * A response says that the backend is done. The frontend does not take that from the response: it
 * ends the access, and the result says whether the page is its own again (abf1fd5919d6, XSA-396).
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { gnttabTryEndForeignAccess } from './grant-table.ts';

/** INVALID_GRANT_REF */
export const INVALID_GRANT_REF = -1;

export const BlkfrontGrant = defineTable(
  'linux[d%].blkfront.grant[%]',
  ['domains', 'blkfrontGrants'],
  {
    gref: '[GST] grant of the page, INVALID_GRANT_REF if none',
  },
);

/**
 * drivers/block/xen-blkfront.c: blkif_completion(), one segment.
 * @param v - vCPU of the frontend. @param i - the segment's grant.
 * @returns 1 if the request is done; -1 if the backend has the page mapped still: the device is
 *   given up (BLKIF_STATE_ERROR), and the bio with its page is never ended.
 */
export function* blkifCompletion(v: number, i: number): Op {
  const word = BlkfrontGrant.gref.at2(domainOf(v), i);
  if ((yield* gnttabTryEndForeignAccess(v, yield* read(word))) === 0) return -1;
  yield* write(word, INVALID_GRANT_REF);
  return 1;
}
