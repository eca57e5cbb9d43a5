/**
 * XSA-226, in part: a copy through a transitive grant drops its locks while it acquires the grant
 * that the entry leads to. If it finds the entry changed afterwards it begins anew; what it had
 * acquired it did not release.
 *
 * The function is that of Xen 4.9 (xen/common/grant_table.c: __acquire_grant_for_copy(), where it
 * returns ERESTART).
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { gnttabGrantForeignAccess } from '../../linux/drivers/grant-table.ts';
import { pfnOf } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, smpWmb, write, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { activeEntryRelease } from '../../xen/grant-table/active.ts';
import { giveUp } from '../../xen/grant-table/copy-transitive.ts';
import {
  entryHeader,
  sharedEntryHeader,
  sharedEntryPart,
  sharedEntryTransGref,
  statusEntry,
} from '../../xen/grant-table/entry.ts';
import { GrantTable, grantReadUnlock } from '../../xen/grant-table/lock.ts';
import { reduceStatusForPin } from '../../xen/grant-table/status.ts';
import { gnttabSetVersion } from '../../xen/grant-table/version.ts';
import {
  GNTTAB_NR_RESERVED_ENTRIES,
  GTF_transitive,
  SET_VERSION_VERSION,
} from '../../xen/public/grant-table.ts';
import { BACKEND, FRONTEND, RaceGrant } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { copyFromGrant, hypercallRecord, noteFrame } from './hypercalls.ts';

/** The entry changed: status and locks, but not the other grant. */
export function* giveUpOwnOnly(
  v: number,
  rd: number,
  gref: number,
  _td: number,
  _transGref: number,
  readonly: number,
): Op<void> {
  yield* fetchAdd(GrantTable.nrV2Ops.at(rd), -1);
  yield* reduceStatusForPin(rd, gref, statusEntry(rd, gref), readonly);
  yield* activeEntryRelease(rd, gref);
  yield* grantReadUnlock(v, rd);
}

/** The entry that the frontend grants on. */
const ENTRY = GNTTAB_NR_RESERVED_ENTRIES;

/**
 * The backend grants a page to the frontend, which grants it on: back to the backend, as is
 * allowed. The backend copies from it into other pages of its own.
 */
function* arrange(): Op<void> {
  const back = firstVcpuOf(BACKEND);
  const front = firstVcpuOf(FRONTEND);
  const op = hypercallRecord(front);
  writeLocal(op + SET_VERSION_VERSION, 2);
  yield* gnttabSetVersion(front, op);

  const pg = yield* allocPage(back);
  const target = yield* gnttabGrantForeignAccess(back, FRONTEND, pfnOf(pg), 1);
  yield* write(sharedEntryTransGref(FRONTEND, ENTRY), target);
  yield* write(sharedEntryPart(FRONTEND, ENTRY), BACKEND);
  yield* smpWmb();
  yield* write(sharedEntryHeader(FRONTEND, ENTRY, 2), entryHeader(GTF_transitive, BACKEND));
  writeLocal(RaceGrant.domid.at(0), FRONTEND);
  writeLocal(RaceGrant.ref.at(0), ENTRY);
  yield* noteFrame(1, BACKEND, yield* allocPage(back));
  yield* noteFrame(2, BACKEND, yield* allocPage(back));
}

function* copyFirst(): Op<void> {
  yield* copyFromGrant(firstVcpuOf(BACKEND), 0, 1);
}

function* copySecond(): Op<void> {
  yield* copyFromGrant(firstVcpuOf(BACKEND) + 1, 0, 2);
}

export const transitiveRetry: Race = {
  name: 'x9-transitive-retry',
  about: 'Two vCPUs copy through one transitive grant.',
  sources: ['XSA-226', 'CVE-2017-12135', 'xen/common/grant_table.c: acquire_grant_for_copy()'],
  designs: BEFORE_AND_AFTER,
  sizes: { vcpusPerDomain: 3, gnttabInitialFrames: 2 },
  arrange,
  actors: [
    { role: 'copy', vcpu: 0, body: copyFirst },
    { role: 'copy too', vcpu: 1, body: copySecond },
  ],
  kernelThreads: [],
  bug: {
    id: 'X9',
    title: 'A copy that begins anew keeps the pin of the grant behind the grant',
    story: [
      'A transitive entry E of one domain leads to a grant T of another one.',
      'A copies through E: it drops its locks, and acquires T: the pin of T is 1.',
      'B copies through E as well: T 2, and as the first to come back it pins E.',
      'A comes back, sees that the pin of E changed, and begins anew. T keeps A’s first pin.',
      'All copies end; T stays pinned for ever, and its owner never gets the page back.',
    ],
    breaks: ['I1'],
    fix: 'Whoever begins anew releases what it had acquired.',
    fixedIn: 'Xen 4.10, commit ad48fb963d',
    before: { design: 'vma-pages', overrides: [replaces(giveUp, giveUpOwnOnly)] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
