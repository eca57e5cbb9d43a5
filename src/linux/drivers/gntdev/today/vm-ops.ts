/**
 * The VMAs of gntdev today (Linux 7.0, drivers/xen/gntdev.c): gntdev_vma_open(),
 * gntdev_vma_close(). A VMA is a reference of the map and no more: grants are found by the address
 * that the map was first mapped at (find-page.ts), which splits leave alone.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, write } from '../../../../shared/operations.ts';
import { Vma } from '../../../mm/vma.ts';
import { putMapToday } from './put-map.ts';

/** drivers/xen/gntdev.c: gntdev_vma_close(), its part of the map. */
export function* vmaCloseToday(v: number, vma: number): Op<void> {
  const map = yield* read(Vma.privateData.at(vma));
  yield* write(Vma.privateData.at(vma), -1);
  yield* putMapToday(v, map);
}
