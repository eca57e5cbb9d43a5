/**
 * The seed's question: partial munmap. A mapping of two grants is unmapped by two threads, a page
 * each. Whoever comes first splits the VMA, so that the grants of its part are unmapped and no
 * others; the second finds a VMA that begins or ends elsewhere than the map did. munmap keeps
 * mmap_lock for reading while it zaps, so the second may begin before the first is done.
 */
import { firstVcpuOf } from '../hardware/params.ts';
import { EVERY_DESIGN } from '../linux/designs/design.ts';
import { doMunmap } from '../linux/mm/munmap.ts';
import type { Op } from '../shared/op.ts';
import { readLocal, writeLocal } from '../shared/operations.ts';
import { BACKEND, RaceProcess, grantPage, mapGrants, startProcess } from './process.ts';
import type { Race } from './race.ts';

const VPN = 2;

function* arrange(): Op<void> {
  yield* startProcess(2);
  yield* grantPage(0);
  yield* grantPage(1);
  writeLocal(RaceProcess.index.word, yield* mapGrants(firstVcpuOf(BACKEND), 0, 2, VPN));
}

/** Unmaps one page of the two. @param i - which thread, and which page. */
function* unmapper(i: number): Op<void> {
  yield* doMunmap(firstVcpuOf(BACKEND) + i, readLocal(RaceProcess.mm.word), VPN + i, 1);
}

export const partialMunmap: Race = {
  name: 'partial-munmap',
  about: 'Two threads unmap a mapping of two grants, one page each.',
  sources: [
    'D. Vrabel, xen-devel, 2014-10-13, "Linux grant map/unmap improvement proposal (Draft B)"',
    'Linux 5c13a4a0291b, xen/gntdev: Accommodate VMA splitting',
  ],
  designs: EVERY_DESIGN,
  sizes: { vcpusPerDomain: 3 },
  arrange,
  actors: [0, 1].map((i) => ({ role: `munmap of page ${i}`, vcpu: i, body: () => unmapper(i) })),
  kernelThreads: [],
};
