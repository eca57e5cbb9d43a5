/** The granter's side of version 2 entries, for the tests of the hypervisor. */
import { firstVcpuOf } from '../../src/hardware/params.ts';
import type { Op } from '../../src/shared/op.ts';
import {
  loadAcquire,
  readLocal,
  runAlone,
  smpMb,
  smpWmb,
  write,
  writeLocal,
} from '../../src/shared/operations.ts';
import {
  entryHeader,
  sharedEntryFrame,
  sharedEntryFrameHigh,
  sharedEntryHeader,
  sharedEntryPart,
  sharedEntryTransGref,
  statusEntry,
  subPagePart,
} from '../../src/xen/grant-table/entry.ts';
import { gnttabSetVersion } from '../../src/xen/grant-table/version.ts';
import {
  GTF_permit_access,
  GTF_reading,
  GTF_transitive,
  GTF_writing,
  SET_VERSION_VERSION,
} from '../../src/xen/public/grant-table.ts';
import { GuestWord, now } from './machine.ts';

/** Introduces an entry of version 2: a whole page, or `length` words of it from `offset`. */
export function* publishV2(
  d: number,
  ref: number,
  domid: number,
  mfn: number,
  flags = 0,
  offset = 0,
  length = 0,
): Op<void> {
  yield* write(sharedEntryFrame(d, ref, 2), mfn);
  yield* write(sharedEntryFrameHigh(d, ref), 0);
  yield* write(sharedEntryPart(d, ref), subPagePart(offset, length));
  yield* smpWmb();
  yield* write(sharedEntryHeader(d, ref, 2), entryHeader(GTF_permit_access | flags, domid));
}

/** Introduces a transitive grant. @param td - whose grant it leads to. @param gref - which. */
export function* publishTransitive(
  d: number,
  ref: number,
  domid: number,
  td: number,
  gref: number,
): Op<void> {
  yield* write(sharedEntryTransGref(d, ref), gref);
  yield* write(sharedEntryPart(d, ref), td);
  yield* smpWmb();
  yield* write(sharedEntryHeader(d, ref, 2), entryHeader(GTF_transitive, domid));
}

/** Linux's gnttab_end_foreign_access_ref_v2(). @returns 1 if the grant is ended. */
export function* revokeV2(d: number, ref: number): Op {
  const word = sharedEntryHeader(d, ref, 2);
  yield* write(word, readLocal(word) & ~0xffff);
  yield* smpMb();
  return ((yield* loadAcquire(statusEntry(d, ref))) & (GTF_reading | GTF_writing)) === 0 ? 1 : 0;
}

/** Calls GNTTABOP_set_version alone. @returns its result. */
export function setVersion(d: number, version: number): number {
  const op = GuestWord.value.at(490);
  writeLocal(op + SET_VERSION_VERSION, version);
  return runAlone(gnttabSetVersion(firstVcpuOf(d), op));
}

/** GTF_reading and GTF_writing of an entry of version 2 now. */
export function statusOf(d: number, ref: number): number {
  return now(statusEntry(d, ref));
}
