/**
 * The VMAs of gntdev in Draft B: each has a slice of the page array, and gives it back when it
 * goes. With the last slice the map can be mapped anew, and its notifier goes. No notifier runs for
 * a range that has no VMA, except one of another thread that began before; removal sleeps until it
 * is done.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, write } from '../../../../shared/operations.ts';
import { designVmaClose } from '../../../designs/design.ts';
import { PageArray, arrayOfSlot } from '../../../designs/vma-pages.ts';
import { mmuIntervalNotifierRemove } from '../../../mm/mmu-notifier.ts';
import { Vma } from '../../../mm/vma.ts';
import { putListedMap } from '../by-vma/put-map.ts';
import { GrantMap, gntdevLock, gntdevUnlock } from '../grant-map.ts';

/** Gives up the slice; the last one unties the map from its addresses. */
function* closeSlice(v: number, fd: number, map: number, vma: number): Op<void> {
  yield* gntdevLock(fd);
  const pages = yield* read(Vma.pages.at(vma));
  const last = (yield* read(PageArray.users.at(arrayOfSlot(pages)))) === 1;
  const notifier = yield* read(GrantMap.notifier.at(map));
  yield* designVmaClose(v, vma);
  if (last) yield* write(GrantMap.array.at(map), -1);
  yield* gntdevUnlock(fd);
  if (last) yield* mmuIntervalNotifierRemove(v, notifier);
}

/** gntdev_vma_close(), its part of the map. */
export function* vmaCloseDraftB(v: number, fd: number, vma: number): Op<void> {
  const map = yield* read(Vma.privateData.at(vma));
  yield* closeSlice(v, fd, map, vma);
  yield* write(Vma.privateData.at(vma), -1);
  yield* putListedMap(v, map, 1);
}
