/**
 * Xen's half of the shared entry: setting and clearing GTF_reading and GTF_writing
 * (xen/common/grant_table.c: _set_status(), reduce_status_for_pin()).
 *
 * Setting, version 1: a compare-and-swap of the whole 32-bit header, so that the access bits go in
 * only together with the very flags and domid that were checked; a guest that revoked in between
 * makes it fail. The guest may keep changing the word, so after STATUS_ATTEMPTS Xen gives up.
 * Setting, version 2: 1. check the header. 2. set the bits in the status word. 3. full barrier.
 * 4. look at the header again; if the guest took the grant back, undo 2. The guest clears its
 * flags, then looks at the status: of the two at least one sees the other (Dekker's pattern).
 * Clearing: an atomic and.
 * All under the active entry's lock, so two of Xen's vCPUs never write one status at once.
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg, fetchAnd, read, readOnce, smpMb, write } from '../../shared/operations.ts';
import {
  GNTST_general_error,
  GNTST_okay,
  GTF_permit_access,
  GTF_reading,
  GTF_readonly,
  GTF_sub_page,
  GTF_transitive,
  GTF_type_mask,
  GTF_writing,
} from '../public/grant-table.ts';
import { ActiveEntry, GNTPIN_writers_mask } from './active.ts';
import { NO_STATUS, headerDomid, headerFlags, sharedEntryHeader, statusEntry } from './entry.ts';

/** Compare-and-swaps before an entry counts as unstable. */
export const STATUS_ATTEMPTS = 5;

/**
 * xen/common/grant_table.c: _set_status(). The caller holds the locks of table and active entry.
 * @param rd - granting domain. @param ref - its grant. @param version - of its table.
 * @param readonly - 1 if only for reading. @param mapflag - 1 for a mapping, which refuses sub-page
 *   and transitive grants. @param ldomid - who wants in. @returns GNTST_*.
 */
export function* setStatus(
  rd: number,
  ref: number,
  version: number,
  readonly: number,
  mapflag: number,
  ldomid: number,
): Op {
  if (version === 1) return yield* setStatusV1(rd, ref, readonly, mapflag, ldomid);
  return yield* setStatusV2(rd, ref, readonly, mapflag, ldomid);
}

/** xen/common/grant_table.c: _set_status_v1(). @returns GNTST_*. */
export function* setStatusV1(
  rd: number,
  ref: number,
  readonly: number,
  mapflag: number,
  ldomid: number,
): Op {
  const shah = sharedEntryHeader(rd, ref, 1);
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

/** Does a header of version 2 let a domain in? A transitive grant can be copied, not mapped. */
function admits(scombo: number, mapflag: number, ldomid: number): boolean {
  const flags = headerFlags(scombo);
  const type = flags & (mapflag !== 0 ? GTF_type_mask | GTF_sub_page : GTF_type_mask);
  if (type !== GTF_permit_access && (mapflag !== 0 || type !== GTF_transitive)) return false;
  return headerDomid(scombo) === ldomid;
}

/** xen/common/grant_table.c: _set_status_v2(). @returns GNTST_*. */
export function* setStatusV2(
  rd: number,
  ref: number,
  readonly: number,
  mapflag: number,
  ldomid: number,
): Op {
  const shah = sharedEntryHeader(rd, ref, 2);
  const status = statusEntry(rd, ref);
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  let scombo = yield* readOnce(shah);
  // If not already pinned, check the grant's domid and type.
  if (pin === 0 && !admits(scombo, mapflag, ldomid)) return GNTST_general_error;
  if (readonly === 0 && (headerFlags(scombo) & GTF_readonly) !== 0) return GNTST_general_error;
  const bits = readonly !== 0 ? GTF_reading : GTF_reading | GTF_writing;
  yield* write(status, (yield* read(status)) | bits);

  // The guest must see the status before we look whether its flags are still valid.
  yield* smpMb();
  scombo = yield* readOnce(shah);
  const isReadonly = (headerFlags(scombo) & GTF_readonly) !== 0;
  if (pin === 0) {
    if (admits(scombo, mapflag, ldomid) && (readonly !== 0 || !isReadonly)) return GNTST_okay;
    yield* gnttabClearFlags(status, GTF_writing | GTF_reading);
    return GNTST_general_error;
  }
  if (!isReadonly) return GNTST_okay;
  yield* gnttabClearFlags(status, GTF_writing);
  return GNTST_general_error;
}

/** xen/arch/x86/include/asm/grant_table.h: gnttab_clear_flags(). @param status - a word. */
export function* gnttabClearFlags(status: number, mask: number): Op<void> {
  yield* fetchAnd(status, ~mask);
}

/**
 * xen/common/grant_table.c: reduce_status_for_pin(): the status may say more than the pin needs.
 * The caller holds the active entry's lock.
 * @param status - the word with the bits (statusWord), or NO_STATUS.
 * @param readonly - 1 if what was dropped was only for reading.
 */
export function* reduceStatusForPin(
  rd: number,
  ref: number,
  status: number,
  readonly: number,
): Op<void> {
  const pin = yield* read(ActiveEntry.pin.at2(rd, ref));
  let clear = pin !== 0 ? 0 : GTF_reading;
  if (status === NO_STATUS) return;
  if (readonly === 0 && (pin & GNTPIN_writers_mask) === 0) clear |= GTF_writing;
  if (clear !== 0) yield* gnttabClearFlags(status, clear);
}
