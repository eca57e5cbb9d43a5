/**
 * XSA-384: a status frame was found under the grant table's lock, and entered into the guest's
 * memory after the lock was dropped, with nothing that kept the frame meanwhile.
 *
 * The function is that of Xen 4.15 (xen/common/grant_table.c: gnttab_map_frame()).
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { GrantTable, grantWriteLock, grantWriteUnlock } from '../../xen/grant-table/lock.ts';
import {
  XENMAPIDX_grant_table_status,
  gnttabGetStatusFrameMfn,
  gnttabMapFrameBegin,
  gnttabMapFrameEnd,
} from '../../xen/grant-table/map-frame.ts';
import { XEN_EINVAL } from '../../xen/public/xen.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { arrangeVersion2, enterAndFree, translatedFrontend } from './status-frame.ts';

/** Xen 4.15's gnttab_map_frame(): all that stays of it is the number of the frame. */
export function* mapFrameByNumber(v: number, d: number, idx: number): Op {
  yield* grantWriteLock(d);
  let mfn = -XEN_EINVAL;
  const version = yield* read(GrantTable.gtVersion.at(d));
  if (version === 2 && (idx & XENMAPIDX_grant_table_status) !== 0) {
    mfn = yield* gnttabGetStatusFrameMfn(v, d, idx & ~XENMAPIDX_grant_table_status);
  }
  yield* grantWriteUnlock(d);
  return mfn;
}

/** There was nothing to end. */
export function* endNothing(): Op<void> {}

export const statusFrame: Race = {
  name: 'x13-status-frame',
  about: 'A guest enters a status frame into its memory while it goes back to version 1.',
  sources: ['XSA-384', 'CVE-2021-28701', 'xen/common/grant_table.c: gnttab_map_frame()'],
  designs: BEFORE_AND_AFTER,
  sizes: translatedFrontend,
  arrange: arrangeVersion2,
  actors: enterAndFree,
  kernelThreads: [],
  bug: {
    id: 'X13',
    title: 'A status frame is freed between being found and being entered',
    story: [
      'vCPU 1 asks for a status frame at a gfn: Xen finds its number under the table’s lock.',
      'Xen drops the lock.',
      'vCPU 2 turns the table back to version 1: the status frame, nowhere entered, is freed.',
      'vCPU 1 enters the number at the gfn: the guest reaches a page of the heap.',
    ],
    breaks: ['I2'],
    fix: 'A reference of the page, from where it is found until it is entered.',
    fixedIn: 'Xen 4.16, commit eb6bbf7b30',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(gnttabMapFrameBegin, mapFrameByNumber),
        replaces(gnttabMapFrameEnd, endNothing),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
