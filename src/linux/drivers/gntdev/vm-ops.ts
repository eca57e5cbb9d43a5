/**
 * The VMAs of gntdev: drivers/xen/gntdev.c, gntdev_vma_open() and gntdev_vma_close(). A split
 * copies a VMA and opens the copy; each VMA holds a reference of its map and of the file.
 *
 * 3.12 forgets map->vma at *any* close, also that of a part that was split off: the rest is then
 * never unmapped. Draft B gives the slice of the page array back; with the last slice the map can
 * be mapped anew, and its notifier goes. No notifier runs for a range that has no VMA, except one
 * of another thread that began before; removal sleeps until it is done.
 */
import type { Op } from '../../../shared/op.ts';
import { read, write } from '../../../shared/operations.ts';
import { designUnmapsWhenIdle, designVmaClose, designVmaOpen } from '../../designs/design.ts';
import { PageArray, arrayOfSlot } from '../../designs/vma-pages.ts';
import { mmuIntervalNotifierRemove } from '../../mm/mmu-notifier.ts';
import { Vma } from '../../mm/vma.ts';
import { gntdevGetFile, gntdevPutFile } from './file.ts';
import { GrantMap, gntdevGetMap, gntdevLock, gntdevPutMap, gntdevUnlock } from './grant-map.ts';

/**
 * drivers/xen/gntdev.c: gntdev_vma_open()
 * @param v - vCPU of the task. @param vma - copy of a VMA of gntdev.
 */
export function* gntdevVmaOpen(v: number, vma: number): Op<void> {
  const map = yield* read(Vma.privateData.at(vma));
  yield* gntdevGetMap(map);
  yield* gntdevGetFile(yield* read(GrantMap.gntdev.at(map)));
  yield* designVmaOpen(v, vma);
}

/** Draft B: gives up the slice; the last one unties the map from its addresses. */
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

/**
 * drivers/xen/gntdev.c: gntdev_vma_close()
 * @param v - vCPU of the task. @param vma - VMA of gntdev that goes away, already unmapped.
 */
export function* gntdevVmaClose(v: number, vma: number): Op<void> {
  const map = yield* read(Vma.privateData.at(vma));
  const fd = yield* read(GrantMap.gntdev.at(map));
  if (designUnmapsWhenIdle() !== 0) {
    yield* closeSlice(v, fd, map, vma);
  } else {
    yield* gntdevLock(fd);
    yield* write(GrantMap.vma.at(map), -1);
    yield* gntdevUnlock(fd);
  }
  yield* write(Vma.privateData.at(vma), -1);
  yield* gntdevPutMap(v, map, 1);
  yield* gntdevPutFile(v, fd);
}
