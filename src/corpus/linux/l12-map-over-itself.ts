/**
 * A map of gntdev could be mapped a second time after its first mapping was gone, for instance over
 * itself (MAP_FIXED). Its pages stayed marked as being removed, so the second mapping's grants were
 * never unmapped.
 *
 * The functions are those of Linux 6.0 with the asynchronous unmap of dbe97cff7dd9
 * (drivers/xen/gntdev.c: gntdev_mmap(), gntdev_vma_close()). Its test of map->vma, which is empty
 * again after the close, is left out: today's map has no such word, and here it always passes.
 */
import { firstVcpuOf } from '../../hardware/params.ts';
import { GrantMap, gntdevFindMapIndex } from '../../linux/drivers/gntdev/grant-map.ts';
import { takeMap } from '../../linux/drivers/gntdev/today/mmap.ts';
import { putMapToday } from '../../linux/drivers/gntdev/today/put-map.ts';
import { vmaCloseToday } from '../../linux/drivers/gntdev/today/vm-ops.ts';
import { mmapRegion } from '../../linux/mm/mmap.ts';
import { mmuIntervalNotifierRemove } from '../../linux/mm/mmu-notifier.ts';
import { doMunmap } from '../../linux/mm/munmap.ts';
import { VM_OPS_GNTDEV } from '../../linux/mm/vm-ops.ts';
import { VM_READ, VM_SHARED, VM_WRITE, Vma } from '../../linux/mm/vma.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { replaces } from '../../shared/override.ts';
import { BACKEND, RaceProcess, grantPage, mapGrants, startProcess } from '../process.ts';
import type { Race } from '../race.ts';
import { BEFORE_AND_AFTER } from '../race.ts';

const VPN = 2;

/** Linux 6.0: whatever map fits. */
export function* takeMapAgain(fd: number, vma: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  const count = (yield* read(Vma.vmEnd.at(vma))) - start;
  return yield* gntdevFindMapIndex(fd, yield* read(Vma.pgoff.at(vma)), count);
}

/** Linux 6.0: the notifier goes with the VMA. */
export function* closeWithNotifier(v: number, vma: number): Op<void> {
  const map = yield* read(Vma.privateData.at(vma));
  yield* mmuIntervalNotifierRemove(v, yield* read(GrantMap.notifier.at(map)));
  yield* write(GrantMap.notifier.at(map), -1);
  yield* write(Vma.privateData.at(vma), -1);
  yield* putMapToday(v, map);
}

function* arrange(): Op<void> {
  yield* startProcess(1);
  yield* grantPage(0);
  writeLocal(RaceProcess.index.word, yield* mapGrants(firstVcpuOf(BACKEND), 0, 1, VPN));
}

/** mmap() of the same map at the same address, and munmap(). */
function* mapOverItself(): Op<void> {
  const v = firstVcpuOf(BACKEND);
  const mm = readLocal(RaceProcess.mm.word);
  const fd = readLocal(RaceProcess.fd.word);
  const index = readLocal(RaceProcess.index.word);
  yield* mmapRegion(v, mm, VPN, 1, VM_READ | VM_WRITE | VM_SHARED, VM_OPS_GNTDEV, fd, index);
  yield* doMunmap(v, mm, VPN, 1);
}

export const mapOverItselfRace: Race = {
  name: 'l12-map-over-itself',
  about: 'A process maps a map of gntdev over itself and unmaps it.',
  sources: [
    'Linux 6.0, drivers/xen/gntdev.c: gntdev_mmap(), unmap_grant_pages()',
    'Linux 6.1, commit 5c13a4a0291b',
  ],
  designs: BEFORE_AND_AFTER,
  sizes: {},
  arrange,
  actors: [{ role: 'map over itself', vcpu: 0, body: mapOverItself }],
  kernelThreads: [],
  bug: {
    id: 'L12',
    title: 'A mapping is taken for one that is being removed, and never unmapped',
    story: [
      'A process maps a map of gntdev where it is mapped already.',
      'mmap() unmaps the old mapping first: the pages are marked, their grants unmapped.',
      'The same call maps the grants anew. The marks stay.',
      'munmap(): the notifier sees pages that are being removed, and does nothing.',
      'The zap clears the entries of live grants.',
    ],
    breaks: ['I9'],
    fix: 'A map can be mapped once in its life (in_use).',
    fixedIn: 'Linux 6.1, commit 5c13a4a0291b',
    before: {
      design: 'find-normal-page',
      overrides: [replaces(takeMap, takeMapAgain), replaces(vmaCloseToday, closeWithNotifier)],
    },
    after: { design: 'find-normal-page', overrides: [] },
  },
};
