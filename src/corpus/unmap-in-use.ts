/**
 * The seed's question: the unmap of a page in use. One thread looks up a page of a grant mapping,
 * as direct I/O does, reads it through the kernel's address, and lets go; another unmaps the
 * address meanwhile.
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
  useHeldPage,
} from './process.ts';
import type { Race } from './race.ts';

const VPN = 2;

function* arrange(): Op<void> {
  yield* startProcess(2);
  yield* grantPage(0);
  yield* mapGrants(firstVcpuOf(BACKEND), 0, 1, VPN);
}

function* directIo(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  if ((yield* pinUserPage(v, VPN)) !== 1) return;
  const pg = readLocal(RacePage.value.at2(v, 0));
  yield* useHeldPage(v, pg);
  yield* putPage(v, pg);
}

function* unmapper(): Op<void> {
  const v = firstVcpuOf(BACKEND) + 1;
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), VPN, 1);
}

export const unmapInUse: Race = {
  name: 'unmap-in-use',
  about: 'One thread holds a page of a grant mapping that another thread unmaps.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux 4.0, drivers/xen/grant-table.c: gnttab_unmap_refs_async()',
  ],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'direct I/O', vcpu: 0, body: directIo },
    { role: 'unmap', vcpu: 1, body: unmapper },
  ],
  // What it would free after a grace period, nobody here allocates again.
  kernelThreads: [],
};
