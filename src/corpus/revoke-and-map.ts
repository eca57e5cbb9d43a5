/**
 * The seed's question: revoke against map. The frontend ends access to a grant at the moment when
 * the backend maps it; whoever comes first must win altogether.
 */
import { firstVcpuOf } from '../hardware/params.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { gntdevUnmapGrantRef } from '../linux/drivers/gntdev/ioctl.ts';
import { gnttabTryEndForeignAccess } from '../linux/drivers/grant-table.ts';
import { doMunmap } from '../linux/mm/munmap.ts';
import type { Op } from '../shared/op.ts';
import { readLocal } from '../shared/operations.ts';
import {
  BACKEND,
  FRONTEND,
  RaceGrant,
  RaceProcess,
  grantPage,
  mapGrants,
  startProcess,
} from './process.ts';
import type { Race } from './race.ts';

const VPN = 2;

function* arrange(): Op<void> {
  yield* startProcess(1);
  yield* grantPage(0);
}

function* revoker(): Op<void> {
  yield* gnttabTryEndForeignAccess(firstVcpuOf(FRONTEND), readLocal(RaceGrant.ref.at(0)));
}

function* mapper(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const index = yield* mapGrants(v, 0, 1, VPN);
  if (index < 0) return;
  yield* doMunmap(v, readLocal(RaceProcess.mm.word), VPN, 1);
  yield* gntdevUnmapGrantRef(v, readLocal(RaceProcess.fd.word), index, 1);
}

export const revokeAndMap: Race = {
  name: 'revoke-and-map',
  about: 'The frontend ends access to a grant while the backend maps and unmaps it.',
  sources: ['Xen, docs/misc/grant-tables.txt', 'Linux, drivers/xen/grant-table.c'],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [
    { role: 'map', vcpu: 0, body: mapper },
    { role: 'revoke', vcpu: 3, body: revoker },
  ],
  // What it would free after a grace period, nobody here allocates again.
  kernelThreads: [],
};
