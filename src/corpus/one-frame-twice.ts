/**
 * The seed's question: one frame is mapped twice. While a thread looks up a page of its mapping, as
 * direct I/O does, and holds it for a moment, another thread of the process unmaps the other
 * mapping of the same frame.
 *
 * With a reverse map from frame to page there is one answer where two are needed
 * (arch/x86/xen/p2m.c of Linux 3.12: m2p_find_override()).
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
  grantPageAgain,
  mapGrants,
  pinUserPage,
  startProcess,
} from './process.ts';
import type { Race } from './race.ts';

const FIRST = 1;
const SECOND = 3;

function* arrange(): Op<void> {
  yield* startProcess(2);
  const pg = yield* grantPage(0);
  yield* grantPageAgain(1, pg);
  yield* mapGrants(firstVcpuOf(BACKEND), 0, 1, FIRST);
  yield* mapGrants(firstVcpuOf(BACKEND), 1, 1, SECOND);
}

function* directIo(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  if ((yield* pinUserPage(v, FIRST)) !== 1) return;
  yield* putPage(v, readLocal(RacePage.value.at2(v, 0)));
}

function* secondMapping(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), SECOND, 1);
}

export const oneFrameTwice: Race = {
  name: 'one-frame-twice',
  about: 'A thread looks up a page whose frame is mapped twice; the other mapping goes.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux 3.12, arch/x86/xen/p2m.c: m2p_find_override()',
  ],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'direct I/O', vcpu: 0, body: directIo },
    { role: 'second mapping', vcpu: 1, body: secondMapping },
  ],
  // What it would free after a grace period, nobody here allocates again.
  kernelThreads: [],
};
