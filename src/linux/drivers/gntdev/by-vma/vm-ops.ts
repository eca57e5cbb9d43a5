/**
 * The VMAs of gntdev in 3.12 and 4.0 (drivers/xen/gntdev.c): gntdev_vma_close() forgets map->vma at
 * *any* close, also that of a part that was split off: the rest is then never unmapped.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, write } from '../../../../shared/operations.ts';
import { Vma } from '../../../mm/vma.ts';
import { GrantMap, gntdevLock, gntdevUnlock } from '../grant-map.ts';
import { putListedMap } from './put-map.ts';

/** drivers/xen/gntdev.c: gntdev_vma_close(), its part of the map. */
export function* vmaCloseByVma(v: number, fd: number, vma: number): Op<void> {
  const map = yield* read(Vma.privateData.at(vma));
  yield* gntdevLock(fd);
  yield* write(GrantMap.vma.at(map), -1);
  yield* gntdevUnlock(fd);
  yield* write(Vma.privateData.at(vma), -1);
  yield* putListedMap(v, map, 1);
}
