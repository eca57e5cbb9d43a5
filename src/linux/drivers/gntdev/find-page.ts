/**
 * The page behind a special entry: the VMA operation of gntdev that is called find_special_page in
 * 4.0 (dab069c61aa3) and find_normal_page in 7.0. The caller holds the page-table lock and knows
 * nothing of the driver's locks: the pages of a map are constant while it lives.
 */
import type { Op } from '../../../shared/op.ts';
import { read, warnOn } from '../../../shared/operations.ts';
import { NO_PAGE } from '../../mm/page.ts';
import { Vma } from '../../mm/vma.ts';
import { BUG_MAP_PAGES_BOUNDS } from '../bugs.ts';
import { GrantMap, MapPage } from './grant-map.ts';

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
