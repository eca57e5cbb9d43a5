/**
 * gntdev of Draft B: mmap. As 3.12 (by-vma/mmap.ts), but 1. the VMA gets its page array. 2. an
 * interval notifier of the map's range. 3. PTEs, map, errors of the kernel mappings included.
 * 4. the slots of the page array are filled with what was mapped. An error undoes all of it.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, readLocal, write } from '../../../../shared/operations.ts';
import { designVmaClose } from '../../../designs/design.ts';
import { NO_ARRAY, PageSlot, vmaPagesAttach } from '../../../designs/vma-pages.ts';
import { EINVAL, ENOMEM } from '../../../errno.ts';
import {
  NOTIFIER_GNTDEV,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
  mmuIntervalReadBegin,
} from '../../../mm/mmu-notifier.ts';
import { Vma } from '../../../mm/vma.ts';
import { claimMap, makeGntdevVma } from '../by-vma/mmap.ts';
import { putListedMap } from '../by-vma/put-map.ts';
import { gntdevGetFile, gntdevPutFile } from '../file.ts';
import { GrantMap, NO_MAP, gntdevGetMap, gntdevLock, gntdevUnlock } from '../grant-map.ts';
import {
  TaskPage,
  findGrantPtes,
  mapTaskOps,
  noteKernelHandle,
  noteUserHandle,
} from '../map-pages.ts';
import { unmapSlots } from './unmap.ts';

/** map_grant_pages(), and the slots. @returns 0, or an error if any grant could not be mapped. */
function* mapGrantPages(v: number, map: number): Op {
  const array = yield* read(GrantMap.array.at(map));
  const count = yield* read(GrantMap.count.at(map));
  let error = yield* mapTaskOps(v, count);
  let live = 0;
  for (let i = 0; i < count; i++) {
    const mapped = (yield* noteUserHandle(v, map, i)) + (yield* noteKernelHandle(v, map, i));
    if (mapped < 2) error = -EINVAL;
    live += mapped;
    yield* write(PageSlot.value.at2(array, i), readLocal(TaskPage.value.at2(v, i)));
  }
  yield* write(GrantMap.liveGrants.at(map), live);
  return error;
}

/**
 * The interval notifier of the map's range. If an invalidation of another range is under way, the
 * insert is deferred, and until it ends nobody would be told of changes of this one:
 * mmu_interval_read_begin() waits for that.
 */
function* watchRange(v: number, map: number, vma: number): Op {
  const mm = yield* read(Vma.mm.at(vma));
  const start = yield* read(Vma.vmStart.at(vma));
  const count = yield* read(GrantMap.count.at(map));
  const notifier = yield* mmuIntervalNotifierInsert(v, mm, start, count, NOTIFIER_GNTDEV, map);
  if (notifier < 0) return notifier;
  yield* write(GrantMap.notifier.at(map), notifier);
  yield* mmuIntervalReadBegin(notifier);
  return 0;
}

/** Unmaps what a failed mmap mapped, and gives the array back. */
function* undoMap(v: number, fd: number, map: number, vma: number): Op<void> {
  const array = yield* read(GrantMap.array.at(map));
  if (array < 0) return;
  const notifier = yield* read(GrantMap.notifier.at(map));
  if (notifier >= 0) {
    yield* gntdevLock(fd);
    yield* unmapSlots(v, map, array, 0, yield* read(GrantMap.count.at(map)));
    yield* gntdevUnlock(fd);
    yield* write(GrantMap.notifier.at(map), -1);
    yield* mmuIntervalNotifierRemove(v, notifier);
  }
  yield* designVmaClose(v, vma);
  yield* write(GrantMap.array.at(map), -1);
}

/** Steps 2 to 4. @returns 0, or an error. */
function* mapIntoVma(v: number, map: number, vma: number): Op {
  let error = yield* watchRange(v, map, vma);
  if (error === 0) error = yield* findGrantPtes(v, map, vma);
  return error !== 0 ? error : yield* mapGrantPages(v, map);
}

/**
 * @param v - vCPU of the task. @param fd - file. @param vma - new VMA.
 * @returns 0, or a negative error: then the VMA is gntdev's no more.
 */
export function* mmapDraftB(v: number, fd: number, vma: number): Op {
  yield* gntdevLock(fd);
  const map = yield* claimMap(fd, vma);
  if (map === NO_MAP) {
    yield* gntdevUnlock(fd);
    return -EINVAL;
  }
  yield* gntdevGetMap(map);
  yield* gntdevGetFile(fd);
  yield* makeGntdevVma(map, vma);
  const array = yield* vmaPagesAttach(vma);
  if (array !== NO_ARRAY) yield* write(GrantMap.array.at(map), array);
  yield* gntdevUnlock(fd);
  const error = array === NO_ARRAY ? -ENOMEM : yield* mapIntoVma(v, map, vma);
  if (error === 0) return 0;
  yield* undoMap(v, fd, map, vma);
  yield* write(Vma.ops.at(vma), 0);
  yield* write(Vma.privateData.at(vma), -1);
  yield* putListedMap(v, map, 1);
  yield* gntdevPutFile(v, fd);
  return error;
}
