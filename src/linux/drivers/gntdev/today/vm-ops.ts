/**
 * The VMAs of gntdev today (Linux 7.0, drivers/xen/gntdev.c): gntdev_vma_open(),
 * gntdev_vma_close(), gntdev_vma_find_normal_page(). A VMA is a reference of the map and no more:
 * grants are found by the address that the map was first mapped at, which splits leave alone.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, warnOn, write } from '../../../../shared/operations.ts';
import { NO_PAGE } from '../../../mm/page.ts';
import { Vma } from '../../../mm/vma.ts';
import { BUG_MAP_PAGES_BOUNDS } from '../../bugs.ts';
import { GrantMap, MapPage } from '../grant-map.ts';
import { putMapToday } from './put-map.ts';

/** drivers/xen/gntdev.c: gntdev_vma_close(), its part of the map. */
export function* vmaCloseToday(v: number, vma: number): Op<void> {
  const map = yield* read(Vma.privateData.at(vma));
  yield* write(Vma.privateData.at(vma), -1);
  yield* putMapToday(v, map);
}

/**
 * drivers/xen/gntdev.c: gntdev_vma_find_normal_page(), 4.0: gntdev_vma_find_special_page(). The
 * index is not looked at; beyond the array there is some other memory, which here is an assertion
 * (as KASAN has it) and no page.
 * @param vma - VMA of the address, stable. @param vpn - address of a special entry.
 * @returns the page that the grant at this address is mapped over.
 */
export function* gntdevFindPage(vma: number, vpn: number): Op {
  const map = yield* read(Vma.privateData.at(vma));
  const index = vpn - (yield* read(GrantMap.pagesVmStart.at(map)));
  const count = yield* read(GrantMap.count.at(map));
  const outside = index < 0 || index >= count;
  warnOn(outside, BUG_MAP_PAGES_BOUNDS, map, index);
  return outside ? NO_PAGE : yield* read(MapPage.value.at2(map, index));
}
