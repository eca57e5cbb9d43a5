/**
 * gntdev emptied a file's list of maps at release without the lock, while the notifier of the
 * address space was still registered and walked the list.
 *
 * Before is gntdev of Linux 4.0 (drivers/xen/gntdev.c: gntdev_release()); after, that of Linux 4.2.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { BUG_FREEABLE_MAPS } from '../../linux/drivers/bugs.ts';
import { dropMaps, gntdevPutFile, gntdevRelease } from '../../linux/drivers/gntdev/file.ts';
import {
  Gntdev,
  GntdevBitmap,
  gntdevLock,
  gntdevUnlock,
} from '../../linux/drivers/gntdev/grant-map.ts';
import { gntdevMapGrantRef } from '../../linux/drivers/gntdev/ioctl.ts';
import { listEmpty } from '../../linux/drivers/list.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import { mmuIntervalNotifierRemove } from '../../linux/mm/mmu-notifier.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { VM_OPS_ANONYMOUS } from '../../linux/mm/vm-ops.ts';
import { VM_READ, VM_WRITE } from '../../linux/mm/vma.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { slabFree } from '../../shared/slab.ts';
import { BACKEND, RaceGrant, RaceProcess, grantPage, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

/** Address of memory that has nothing to do with grants. */
const VPN = 2;

/** Linux 4.2: the list is emptied under the lock that the notifier takes. */
export function* releaseUnderLock(v: number, fd: number): Op<void> {
  yield* gntdevLock(fd);
  yield* dropMaps(v, fd);
  const left = yield* listEmpty(Gntdev.freeableNext.at(fd));
  warnOn(left === 0, BUG_FREEABLE_MAPS, fd, 0);
  yield* gntdevUnlock(fd);
  yield* mmuIntervalNotifierRemove(v, yield* read(Gntdev.notifier.at(fd)));
  yield* slabFree(GntdevBitmap.value.word, fd);
}

/** A map that nobody has mapped yet is on the file's list. */
function* arrange(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* startProcess(2);
  yield* grantPage(0);
  yield* gntdevMapGrantRef(v, readLocal(RaceProcess.fd.word), RaceGrant.domid.at(0), 1);
  const mm = readLocal(RaceProcess.mm.word);
  yield* mmapRegion(v, mm, VPN, 1, VM_READ | VM_WRITE, VM_OPS_ANONYMOUS, -1, VPN);
}

function* close(): Op<void> {
  yield* gntdevPutFile(firstVcpuOf(BACKEND), readLocal(RaceProcess.fd.word));
}

function* unmapOther(): Op<void> {
  yield* doMunmap(firstVcpuOf(BACKEND) + 1, readLocal(RaceProcess.mm.word), VPN, 1);
}

export const releaseWithoutLock: Race = {
  name: 'l10-release-without-lock',
  about: 'A gntdev file is closed while another thread unmaps memory of no concern to it.',
  sources: [
    'Linux 4.0, drivers/xen/gntdev.c: gntdev_release(), mn_invl_range_start()',
    'Linux 4.2, commit 30b03d05e074',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [
    { role: 'close', vcpu: 0, body: close },
    { role: 'munmap', vcpu: 1, body: unmapOther },
  ],
  kernelThreads: [],
  bug: {
    id: 'L10',
    title: 'A list is emptied without the lock under which a notifier walks it',
    story: [
      'A process has a gntdev file open with a map on its list; one thread closes it.',
      'Another thread unmaps something else: the notifier takes the lock and walks the list.',
      'The close takes the map off the list and frees it, without the lock.',
      'The notifier reads the freed map, and the next pointer in it.',
    ],
    breaks: ['I13', 'kernel'],
    fix: 'Empty the list under the lock.',
    fixedIn: 'Linux 4.2, commit 30b03d05e074',
    before: { design: 'find-special-page', overrides: [] },
    after: { design: 'find-special-page', overrides: [replaces(gntdevRelease, releaseUnderLock)] },
  },
};
