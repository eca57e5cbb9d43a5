/**
 * Xen's half of the shared entry: setting and clearing GTF_reading and GTF_writing
 * (xen/common/grant_table.c: _set_status_v1(), reduce_status_for_pin()).
 *
 * Setting: a compare-and-swap of the whole 32-bit header, so that the access bits go in only
 * together with the very flags and domid that were checked; a guest that revoked in between makes
 * it fail. The guest may keep changing the word, so after STATUS_ATTEMPTS Xen gives up.
 * Clearing: an atomic and, under the active entry's lock.
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg, fetchAnd, read, readOnce } from '../../shared/operations.ts';
import {
  GNTST_general_error,
  GNTST_okay,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_sub_page,
  GTF_type_mask,
  GTF_writing,
} from '../public/grant-table.ts';
import { ActiveEntry, GNTPIN_writers_mask } from './active.ts';
import { headerDomid, headerFlags, sharedEntryHeader } from './entry.ts';

/** Compare-and-swaps before an entry counts as unstable. */
export const STATUS_ATTEMPTS = 5;

/**
 * xen/common/grant_table.c: _set_status_v1(). The caller holds the active entry's lock.
 * @param rd - granting domain. @param ref - its grant. @param readonly - 1 if only for reading.
 * @param mapflag - 1 for a mapping, which refuses sub-page grants. @param ldomid - who wants in.
 * @returns GNTST_*.
 */
export function* setStatus(
  rd: number,
  ref: number,
  readonly: number,
  mapflag: number,
  ldomid: number,
): Op {
  const shah = sharedEntryHeader(rd, ref);
  const mask = mapflag !== 0 ? GTF_type_mask | GTF_sub_page : GTF_type_mask;
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  let scombo = yield* readOnce(shah);
  for (let attempt = 0; attempt < STATUS_ATTEMPTS; attempt++) {
    const flags = headerFlags(scombo);
    // If not already pinned, check the grant's domid and type.
    if (pin === 0 && ((flags & mask) !== GTF_permit_access || headerDomid(scombo) !== ldomid)) {
      return GNTST_general_error;
    }
    let bits = GTF_reading;
    if (readonly === 0) {
      bits |= GTF_writing;
      if ((flags & GTF_readonly) !== 0) return GNTST_general_error;
    }
    const prev = yield* cmpxchg(shah, scombo, scombo | bits);
    if (prev === scombo) return GNTST_okay;
    scombo = prev;
  }
  return GNTST_general_error;
}

/**
 * xen/common/grant_table.c: reduce_status_for_pin(): the status may say more than the pin needs.
 * The caller holds the active entry's lock.
 * @param readonly - 1 if what was dropped was only for reading.
 */
export function* reduceStatusForPin(rd: number, ref: number, readonly: number): Op<void> {
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  let clear = pin !== 0 ? 0 : GTF_reading;
  if (readonly === 0 && (pin & GNTPIN_writers_mask) === 0) clear |= GTF_writing;
  if (clear !== 0) yield* fetchAnd(sharedEntryHeader(rd, ref), ~clear);
}
