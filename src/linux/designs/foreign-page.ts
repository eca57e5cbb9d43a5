/**
 * What the designs since the proposal remember of a foreign page: PG_foreign, domain and reference
 * of the grant in page->private, FOREIGN | mfn in the P2M while it is mapped (3.20, later 4.0:
 * drivers/xen/grant-table.c, arch/x86/xen/p2m.c). Ballooned pages only: the entry is INVALID before
 * and after. No reverse map from the frame.
 *
 * Mapping:   1. the pages whose primary mapping worked are marked. 2. kernel mappings. 3. the P2M
 *   entry of each; today only if the kernel mapping worked too (b512e1b077e5, XSA-361).
 * Unmapping: 1. all marks go, whatever the status of the operations. 2. P2M entries. 3. kernel
 *   mappings.
 */
import { domainOf } from '../../hardware/params.ts';
import { pteMfn } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import {
  fetchAnd,
  fetchOr,
  read,
  readLocal,
  readOnce,
  warnOn,
  write,
} from '../../shared/operations.ts';
import { gnttabMapGrantRef } from '../../xen/grant-table/map.ts';
import { gnttabUnmapGrantRef } from '../../xen/grant-table/unmap.ts';
import {
  GNTMAP_contains_pte,
  MAP_DEV_BUS_ADDR,
  MAP_DOM,
  MAP_FLAGS,
  MAP_HOST_ADDR,
  MAP_REF,
  MAP_STATUS,
  MAP_WORDS,
} from '../../xen/public/grant-table.ts';
import { BUG_MAP_OVER_USED_PAGE } from '../drivers/bugs.ts';
import { EINVAL } from '../errno.ts';
import {
  FOREIGN_FRAME_BIT,
  INVALID_P2M_ENTRY,
  getPhysToMachine,
  setPhysToMachine,
} from '../mm/p2m.ts';
import { PG_foreign, Page, pfnOf } from '../mm/page.ts';
import { FIND_NORMAL_PAGE, design } from './design.ts';

/** Bits of the domain in page->private of a foreign page; the rest is the ref. */
export const FOREIGN_DOMID_BITS = 8;

/** page->private of a foreign page. @param domid - who grants it. @param ref - grant. */
export function foreignPrivate(domid: number, ref: number): number {
  return (ref << FOREIGN_DOMID_BITS) | domid;
}

/** Of xenPageForeign: the page stands for no other domain's frame. */
export const NOT_FOREIGN = -1;

/**
 * include/xen/grant_table.h: xen_page_foreign()
 * @param pg - page that the caller holds.
 * @returns what foreignPrivate made of domain and ref, or NOT_FOREIGN.
 */
export function* xenPageForeign(pg: number): Op {
  if (((yield* read(Page.flags.at(pg))) & PG_foreign) === 0) return NOT_FOREIGN;
  return yield* read(Page.private.at(pg));
}

/** struct xen_page_foreign. @param foreign - of xenPageForeign. @returns domid. */
export function foreignDomid(foreign: number): number {
  return foreign & ((1 << FOREIGN_DOMID_BITS) - 1);
}

/** struct xen_page_foreign. @param foreign - of xenPageForeign. @returns gref. */
export function foreignGref(foreign: number): number {
  return foreign >>> FOREIGN_DOMID_BITS;
}

/** The frame that a map operation mapped: from the PTE, or as Xen returned it. */
function* mappedFrame(op: number): Op {
  if ((readLocal(op + MAP_FLAGS) & GNTMAP_contains_pte) === 0) {
    return yield* read(op + MAP_DEV_BUS_ADDR);
  }
  return pteMfn(yield* readOnce(readLocal(op + MAP_HOST_ADDR)));
}

/** Is the page to stand for the frame, now that primary and kernel mapping were tried? */
function* isMapped(mapOps: number, kmapOps: number, i: number): Op {
  if ((yield* read(mapOps + i * MAP_WORDS + MAP_STATUS)) !== 0) return 0;
  if (design() !== FIND_NORMAL_PAGE || kmapOps === 0) return 1;
  return (yield* read(kmapOps + i * MAP_WORDS + MAP_STATUS)) === 0 ? 1 : 0;
}

/**
 * drivers/xen/grant-table.c: gnttab_map_refs(), arch/x86/xen/p2m.c: set_foreign_p2m_mapping().
 * Arguments as designMap. @returns 0, or a negative error.
 */
export function* foreignPagesMap(
  v: number,
  mapOps: number,
  kmapOps: number,
  pages: number,
  count: number,
): Op {
  const d = domainOf(v);
  for (let i = 0; i < count; i++) {
    const op = mapOps + i * MAP_WORDS;
    if ((yield* read(op + MAP_STATUS)) !== 0) continue;
    const pg = readLocal(pages + i);
    yield* fetchOr(Page.flags.at(pg), PG_foreign);
    const grant = foreignPrivate(readLocal(op + MAP_DOM), readLocal(op + MAP_REF));
    yield* write(Page.private.at(pg), grant);
  }
  if (kmapOps !== 0) {
    const status = yield* gnttabMapGrantRef(v, kmapOps, count);
    if (status !== 0) return status;
  }
  for (let i = 0; i < count; i++) {
    if ((yield* isMapped(mapOps, kmapOps, i)) === 0) continue;
    const op = mapOps + i * MAP_WORDS;
    const pg = readLocal(pages + i);
    const mfn = yield* mappedFrame(op);
    const entry = yield* getPhysToMachine(d, pfnOf(pg));
    warnOn(entry !== INVALID_P2M_ENTRY, BUG_MAP_OVER_USED_PAGE, pg, entry);
    yield* setPhysToMachine(v, pfnOf(pg), mfn | FOREIGN_FRAME_BIT);
  }
  return 0;
}

/**
 * drivers/xen/grant-table.c: gnttab_unmap_refs(), arch/x86/xen/p2m.c:
 * clear_foreign_p2m_mapping(). Arguments as designUnmap. @returns 0, or a negative error.
 */
export function* foreignPagesUnmap(v: number, kunmapOps: number, pages: number, count: number): Op {
  const d = domainOf(v);
  let result = 0;
  for (let i = 0; i < count; i++) {
    yield* fetchAnd(Page.flags.at(readLocal(pages + i)), ~PG_foreign);
  }
  for (let i = 0; i < count; i++) {
    const pfn = pfnOf(readLocal(pages + i));
    const entry = yield* getPhysToMachine(d, pfn);
    if (entry === INVALID_P2M_ENTRY || (entry & FOREIGN_FRAME_BIT) === 0) {
      result = -EINVAL;
    } else {
      yield* setPhysToMachine(v, pfn, INVALID_P2M_ENTRY);
    }
  }
  if (kunmapOps !== 0) {
    const status = yield* gnttabUnmapGrantRef(v, kunmapOps, count);
    if (status !== 0) return status;
  }
  return result;
}
