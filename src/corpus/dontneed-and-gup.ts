/**
 * MADV_DONTNEED against get_user_pages. The notifier of MADV_DONTNEED tears grants down as munmap's
 * does, but the VMA stays where it is and nothing but its read lock is held: so a lookup of the
 * slow path runs beside it. Waiting until a page is idle helps only if nobody can get the page
 * anew.
 */
import { firstVcpuOf } from '../hardware/params.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { FOLL_WRITE, getUserPages } from '../linux/mm/gup.ts';
import { madviseDontneed } from '../linux/mm/madvise.ts';
import { putPage } from '../linux/mm/page.ts';
import type { Op } from '../shared/op.ts';
import { readLocal, writeLocal } from '../shared/operations.ts';
import {
  BACKEND,
  RacePage,
  RaceProcess,
  grantPage,
  mapGrants,
  startProcess,
  useHeldPage,
} from './process.ts';
import type { Race } from './race.ts';

const VPN = 2;

function* arrange(): Op<void> {
  yield* startProcess(2);
  yield* grantPage(0);
  writeLocal(RaceProcess.index.word, yield* mapGrants(firstVcpuOf(BACKEND), 0, 1, VPN));
}

function* lookUp(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const pages = RacePage.value.at2(v, 0);
  const mm = readLocal(RaceProcess.mm.word);
  if ((yield* getUserPages(v, mm, VPN, 1, FOLL_WRITE, pages)) !== 1) return;
  const pg = readLocal(pages);
  yield* useHeldPage(v, pg);
  yield* putPage(v, pg);
}

function* dropper(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* madviseDontneed(v, readLocal(RaceProcess.mm.word), VPN, 1);
}

export const dontneedAndGup: Race = {
  name: 'dontneed-and-gup',
  about: 'One thread looks up a page of a grant mapping that another drops with MADV_DONTNEED.',
  sources: [
    'Linux 7.0, mm/madvise.c: madvise_dontneed_single_vma(), under the read lock of the VMA',
    'Linux 7.0, drivers/xen/gntdev.c: gntdev_invalidate(), which ignores the kind of event',
  ],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'lookup', vcpu: 0, body: lookUp },
    { role: 'drop', vcpu: 1, body: dropper },
  ],
  kernelThreads: [],
};
