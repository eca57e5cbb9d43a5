/**
 * The seed's question: one frame is mapped twice. Two threads of one process map two grants of the
 * same frame, look their own page up as direct I/O does, hold it for a moment, and unmap.
 *
 * With a reverse map from frame to page there is one answer where two are needed
 * (arch/x86/xen/p2m.c of Linux 3.12: m2p_find_override()).
 */
import { firstVcpuOf } from '../hardware/params.ts';
import { gntdevUnmapGrantRef } from '../linux/drivers/gntdev/ioctl.ts';
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

function* arrange(): Op<void> {
  yield* startProcess(2);
  const pg = yield* grantPage(0);
  yield* grantPageAgain(1, pg);
}

/** Maps one of the grants, looks the page up, lets go of it, unmaps. @param i - which thread. */
function* thread(i: number): Op<void> {
  const v = firstVcpuOf(BACKEND) + i;
  const vpn = 1 + 2 * i;
  const index = yield* mapGrants(v, i, 1, vpn);
  if (index < 0) return;
  if ((yield* pinUserPage(v, vpn)) === 1) {
    yield* putPage(v, readLocal(RacePage.value.at2(v, 0)));
  }
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), vpn, 1);
  yield* gntdevUnmapGrantRef(v, readLocal(RaceProcess.fd.word), index, 1);
}

export const oneFrameTwice: Race = {
  name: 'one-frame-twice',
  about: 'Two threads map the same frame by two grants and look their own page up.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux 3.12, arch/x86/xen/p2m.c: m2p_find_override()',
  ],
  designs: ['m2p-override', 'vma-pages'],
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [0, 1].map((i) => ({ role: `direct I/O ${i}`, vcpu: i, body: () => thread(i) })),
  kernelThreads: [BACKEND],
};
