/**
 * XSA-486, the same race once more: the reference of XSA-384's fix keeps the page, but only until
 * it is entered. A change of version that has looked for the entry before it was there, and looks
 * at the references after the last one went, frees the page with its entry in place.
 *
 * The functions are those of Xen 4.21 (xen/common/grant_table.c: gnttab_map_frame();
 * xen/arch/x86/mm/p2m.c: xenmem_add_to_physmap_one(), its last lines).
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { getPage, putPage } from '../../xen/frame-table.ts';
import { GrantTable, grantWriteLock, grantWriteUnlock } from '../../xen/grant-table/lock.ts';
import {
  XENMAPIDX_grant_table_status,
  gnttabGetStatusFrameMfn,
  gnttabMapFrameBegin,
  gnttabMapFrameEnd,
} from '../../xen/grant-table/map-frame.ts';
import { XEN_EBUSY, XEN_EINVAL } from '../../xen/public/xen.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { arrangeVersion2, enterAndFree, translatedFrontend } from './status-frame.ts';

/** Xen 4.21's gnttab_map_frame(): a reference, but not the lock. */
export function* mapFrameWithReference(v: number, d: number, idx: number): Op {
  yield* grantWriteLock(d);
  let mfn = -XEN_EINVAL;
  const version = yield* read(GrantTable.gtVersion.at(d));
  if (version === 2 && (idx & XENMAPIDX_grant_table_status) !== 0) {
    mfn = yield* gnttabGetStatusFrameMfn(v, d, idx & ~XENMAPIDX_grant_table_status);
  }
  if (mfn >= 0 && (yield* getPage(v, mfn, d)) === 0) mfn = -XEN_EBUSY;
  yield* grantWriteUnlock(d);
  return mfn;
}

/** The end of xenmem_add_to_physmap_one(). */
export function* putReference(v: number, _d: number, mfn: number): Op<void> {
  yield* putPage(v, mfn);
}

export const statusFrameAgain: Race = {
  name: 'x15-status-frame-again',
  about: 'A guest enters a status frame into its memory while it goes back to version 1.',
  sources: ['XSA-486', 'CVE-2026-23558', 'xen/common/grant_table.c: gnttab_map_frame_begin()'],
  designs: BEFORE_AND_AFTER,
  sizes: translatedFrontend,
  arrange: arrangeVersion2,
  actors: enterAndFree,
  kernelThreads: [],
  bug: {
    id: 'X15',
    title: 'A status frame is entered while it is being freed',
    story: [
      'vCPU 1 asks for a status frame at a gfn: Xen takes a reference and drops the table’s lock.',
      'vCPU 2 turns the table back to version 1: it asks the M2P where the frame is, and it is',
      'nowhere yet.',
      'vCPU 1 enters the frame at the gfn, is done, and drops its reference.',
      'vCPU 2 drops Xen’s reference, sees that it was the last, and frees the frame.',
      'The guest’s entry stays: it reaches a page of the heap.',
    ],
    breaks: ['I2', 'I17'],
    fix: 'The table’s lock is held until the frame has been entered.',
    fixedIn: 'Xen 4.22, commit 02708d3b51',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(gnttabMapFrameBegin, mapFrameWithReference),
        replaces(gnttabMapFrameEnd, putReference),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
