/**
 * XSA-396: the block frontend asked whether a grant was in use, and when it was not, ended the
 * access without looking at the result. In between the backend can map the page.
 *
 * The functions are those of Linux 5.16 (drivers/block/xen-blkfront.c: blkif_completion();
 * drivers/xen/grant-table.c: gnttab_add_deferred()); netfront, scsifront and gntalloc had the same.
 */
import { cpuStore } from '../../hardware/access.ts';
import { domainOf, firstVcpuOf } from '../../hardware/params.ts';
import { BlkfrontGrant, INVALID_GRANT_REF, blkifCompletion } from '../../linux/drivers/blkfront.ts';
import { gnttabAddDeferred } from '../../linux/drivers/deferred-grants.ts';
import {
  gnttabEndForeignAccess,
  gnttabQueryForeignAccess,
} from '../../linux/drivers/grant-table.ts';
import { writePageWord } from '../../linux/mm/direct-map.ts';
import { allocPage } from '../../linux/mm/page-alloc.ts';
import { NO_PAGE, putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { GNTMAP_host_map, GNTST_okay } from '../../xen/public/grant-table.ts';
import { BACKEND, FRONTEND, RaceGrant, RacePage, grantPage } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';
import { RaceMapping, mapGrant, reservePlaces, unmapGrant } from '../xen/hypercalls.ts';
import { addDeferredWithoutPage } from './l21-deferred-without-page.ts';

/** Linux 5.16: a grant in use is kept for later requests; one that is not is ended. */
export function* completionByQuery(v: number, i: number): Op {
  const word = BlkfrontGrant.gref.at2(domainOf(v), i);
  const ref = yield* read(word);
  if ((yield* gnttabQueryForeignAccess(v, ref)) !== 0) return 1;
  yield* gnttabEndForeignAccess(v, ref, NO_PAGE);
  yield* write(word, INVALID_GRANT_REF);
  return 1;
}

function* arrange(): Op<void> {
  writeLocal(RacePage.value.at2(firstVcpuOf(FRONTEND), 0), yield* grantPage(0));
  writeLocal(BlkfrontGrant.gref.at2(FRONTEND, 0), readLocal(RaceGrant.ref.at(0)));
  yield* reservePlaces(1);
}

/** blkif_interrupt(): the request is done, its page is free, and somebody else gets it. */
function* endRequest(): Op<void> {
  const v = firstVcpuOf(FRONTEND);
  if ((yield* blkifCompletion(v, 0)) < 0) return;
  yield* putPage(v, readLocal(RacePage.value.at2(v, 0)));
  yield* writePageWord(v, yield* allocPage(v), 0, 1);
}

function* mapAgain(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  if ((yield* mapGrant(v, 0, 0, GNTMAP_host_map)) !== GNTST_okay) return;
  yield* cpuStore(v, readLocal(RaceMapping.vpn.at(0)), 0, 2);
  yield* unmapGrant(v, 0, 1, 0);
}

export const queryThenEnd: Race = {
  name: 'l20-query-then-end',
  about: 'A backend maps a page at the moment when the frontend takes it back.',
  sources: ['XSA-396', 'CVE-2022-23036', 'drivers/block/xen-blkfront.c: blkif_completion()'],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'end request', vcpu: 3, body: endRequest },
    { role: 'map and write', vcpu: 0, body: mapAgain },
  ],
  kernelThreads: [],
  bug: {
    id: 'L20',
    title: 'A grant is asked about before it is ended, and the end is not looked at',
    story: [
      'The frontend has a response and asks whether the grant is in use: it is not.',
      'The backend maps the grant: Xen sets GTF_reading and GTF_writing.',
      'The frontend ends access; that fails, the grant is deferred, and nobody is told.',
      'The request is done: its page is freed, and somebody else fills it with data of their own.',
      'The backend reads and writes the page all the time.',
    ],
    breaks: ['I4'],
    fix: 'End access, and free the page only if that succeeded; else give the device up.',
    fixedIn: 'Linux 5.17, commit abf1fd5919d6',
    before: {
      design: 'vma-pages',
      overrides: [
        replaces(blkifCompletion, completionByQuery),
        replaces(gnttabAddDeferred, addDeferredWithoutPage),
      ],
    },
    after: { design: 'vma-pages', overrides: [] },
  },
};
