/**
 * The seed's question: the split of a VMA against get_user_pages. A mapping of two grants loses its
 * upper page by a partial munmap, which splits the VMA and moves its start, while another thread
 * looks the lower page up.
 */
import { firstVcpuOf } from '../hardware/params.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { doMunmap } from '../linux/mm/munmap.ts';
import { putPage } from '../linux/mm/page.ts';
import type { Op } from '../shared/op.ts';
import { readLocal } from '../shared/operations.ts';
import {
  BACKEND,
  RacePage,
  RaceProcess,
  grantPage,
  mapGrants,
  pinUserPage,
  startProcess,
} from './process.ts';
import type { Race } from './race.ts';

const VPN = 2;

function* arrange(): Op<void> {
  yield* startProcess(2);
  yield* grantPage(0);
  yield* grantPage(1);
  yield* mapGrants(firstVcpuOf(BACKEND), 0, 2, VPN);
}

function* directIo(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  if ((yield* pinUserPage(v, VPN)) !== 1) return;
  yield* putPage(v, readLocal(RacePage.value.at2(v, 0)));
}

function* splitter(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), VPN + 1, 1);
}

export const splitAndGup: Race = {
  name: 'split-and-gup',
  about: 'A partial munmap splits a grant mapping while another thread looks up a page of it.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux 4.11, drivers/xen/gntdev.c: unmap_if_in_range()',
  ],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'direct I/O', vcpu: 0, body: directIo },
    { role: 'partial munmap', vcpu: 1, body: splitter },
  ],
  // What it would free after a grace period, nobody here allocates again.
  kernelThreads: [],
};
