/**
 * GNTTABOP_unmap_and_replace (xen/common/grant_table.c: unmap_and_replace()): the unmap's two
 * passes, but the PTE is not emptied: it gets the entry of newAddr, which becomes empty. No moment
 * without a mapping at hostAddr; impossible for a mapping made with GNTMAP_contains_pte. Nothing
 * uses the operation today; m2p_override did.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { unmapBatch } from '../params.ts';
import {
  REPLACE_HANDLE,
  REPLACE_HOST_ADDR,
  REPLACE_NEW_ADDR,
  REPLACE_STATUS,
  REPLACE_WORDS,
} from '../public/grant-table.ts';
import { UnmapCommon, completeBatch, unmapCommon } from './unmap.ts';

/**
 * GNTTABOP_unmap_and_replace.
 * @param v - vCPU that calls. @param ops - word of the first record. @param count - records.
 * @returns 0; the outcome of each operation is its status.
 */
export function* gnttabUnmapAndReplace(v: number, ops: number, count: number): Op {
  for (let from = 0; from < count; from += unmapBatch()) {
    const batch = Math.min(count - from, unmapBatch());
    for (let i = 0; i < batch; i++) {
      const op = ops + (from + i) * REPLACE_WORDS;
      writeLocal(UnmapCommon.hostAddr.at2(v, i), yield* read(op + REPLACE_HOST_ADDR));
      writeLocal(UnmapCommon.newAddr.at2(v, i), yield* read(op + REPLACE_NEW_ADDR));
      writeLocal(UnmapCommon.handle.at2(v, i), yield* read(op + REPLACE_HANDLE));
      writeLocal(UnmapCommon.devBusAddr.at2(v, i), 0);
      yield* unmapCommon(v, i);
      yield* write(op + REPLACE_STATUS, readLocal(UnmapCommon.status.at2(v, i)));
    }
    yield* completeBatch(v, batch);
  }
  return 0;
}
