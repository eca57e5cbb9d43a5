/**
 * A partial munmap of a grant mapping: gntdev compared what was to be unmapped with the one VMA it
 * had noted at mmap, which after a split covers something else.
 *
 * Before is gntdev of Linux 3.12 to 6.0 in what it remembers (drivers/xen/gntdev.c:
 * unmap_if_in_range()) and a munmap that cuts as up to Linux 4.11, the new VMA above.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { putPage } from '../../linux/mm/page.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal } from '../../shared/operations.ts';
import {
  BACKEND,
  RacePage,
  RaceProcess,
  grantPage,
  mapGrants,
  pinUserPage,
  startProcess,
} from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

const VPN = 2;

function* arrange(): Op<void> {
  yield* startProcess(2);
  yield* grantPage(0);
  yield* grantPage(1);
  yield* mapGrants(firstVcpuOf(BACKEND), 0, 2, VPN);
}

function* unmapUpper(): Op<void> {
  yield* doMunmap(firstVcpuOf(BACKEND) + 1, readLocal(RaceProcess.mm.word), VPN + 1, 1);
}

function* directIo(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  if ((yield* pinUserPage(v, VPN)) !== 1) return;
  yield* putPage(v, readLocal(RacePage.value.at2(v, 0)));
}

export const vmaSplit: Race = {
  name: 'l11-vma-split',
  about: 'A partial munmap splits a grant mapping while a thread looks up the page that stays.',
  sources: [
    'Linux 4.11, drivers/xen/gntdev.c: unmap_if_in_range(); mm/mmap.c: do_munmap()',
    'Linux 6.1, commit 5c13a4a0291b',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: { splitNewAbove: 1 },
  arrange,
  actors: [
    { role: 'partial munmap', vcpu: 1, body: unmapUpper },
    { role: 'direct I/O', vcpu: 0, body: directIo },
  ],
  kernelThreads: [],
  bug: {
    id: 'L11',
    title: 'After a split nobody finds the grants of the part that goes',
    story: [
      'A process maps two grants; gntdev notes the VMA.',
      'munmap of the upper page splits: the new VMA is the upper part, the noted one the lower.',
      'The notifier compares the range with the noted VMA: they do not meet, nothing is unmapped.',
      'The zap meets a present entry of a grant and clears it, as if it mapped a page of its own.',
      'Xen drops its page reference and keeps the pin: the grant stays active for ever.',
    ],
    breaks: ['I9', 'I8', 'kernel'],
    fix: 'The map knows its own addresses, and a notifier for just these.',
    fixedIn: 'Linux 6.1, commit 5c13a4a0291b',
    before: { design: 'm2p-override', overrides: [] },
    after: { design: 'vma-pages', overrides: [] },
  },
};
