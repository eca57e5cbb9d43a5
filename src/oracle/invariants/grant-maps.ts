/**
 * I10 and I11, when the machine is quiet: a gntdev map counts as live exactly the handles that it
 * holds; the VMAs over one page array are disjoint, and each one's slice fits its addresses.
 */
import { PageArray, PageSlot, arrayOfSlot } from '../../linux/designs/vma-pages.ts';
import { INVALID_GRANT_HANDLE } from '../../linux/drivers/map-refs.ts';
import {
  GrantMap,
  GrantMapBitmap,
  MapKunmapOp,
  MapUnmapOp,
} from '../../linux/drivers/gntdev/grant-map.ts';
import { Vma, VmaPool } from '../../linux/mm/vma.ts';
import { inUse, peek } from '../shadow-words.ts';
import type { Report } from '../violation.ts';
import { LIVE_GRANTS, VMA_SLICE } from '../violation.ts';

/** I11: live grants against handles. */
export function checkLiveGrants(report: Report): void {
  for (let map = 0; map < GrantMap.users.count; map++) {
    if (!inUse(GrantMapBitmap.value.at(0), map)) continue;
    let handles = 0;
    for (let slot = 0; slot < peek(GrantMap.count.at(map)); slot++) {
      if (peek(MapUnmapOp.handle.at2(map, slot)) !== INVALID_GRANT_HANDLE) handles++;
      if (peek(MapKunmapOp.handle.at2(map, slot)) !== INVALID_GRANT_HANDLE) handles++;
    }
    const live = GrantMap.liveGrants.at(map);
    if (peek(live) !== handles) report(-1, LIVE_GRANTS, live, MapUnmapOp.handle.at2(map, 0));
  }
}

/** I10: every VMA's slice of its page array, and no two VMAs over one slot. */
export function checkVmaSlices(report: Report): void {
  const owner = new Map<number, number>();
  for (let vma = 0; vma < Vma.vmStart.count; vma++) {
    if (!inUse(VmaPool.value.at(0), vma)) continue;
    const pages = peek(Vma.pages.at(vma));
    if (pages < 0) continue;
    const array = arrayOfSlot(pages);
    const start = peek(Vma.vmStart.at(vma));
    const end = peek(Vma.vmEnd.at(vma));
    const first = peek(PageArray.start.at(array));
    const slot = PageSlot.value.at2(array, start - first);
    const last = first + peek(PageArray.count.at(array));
    if (pages !== slot || start < first || end > last) {
      report(-1, VMA_SLICE, Vma.pages.at(vma), PageArray.start.at(array));
      continue;
    }
    for (let vpn = start; vpn < end; vpn++) {
      const word = PageSlot.value.at2(array, vpn - first);
      if (owner.has(word)) report(-1, VMA_SLICE, Vma.vmStart.at(vma), word);
      owner.set(word, vma);
    }
  }
}
