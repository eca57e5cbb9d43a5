/**
 * What the guest kernel asks of a design of grant mapping: how a page is found behind an address,
 * a machine frame or a bus address of a foreign mapping, and what mapping, unmapping and splitting
 * do for that. Params.design names the design under study; each design is a file of its own.
 *
 * Callers: drivers/map-refs.ts (map, unmap), mm (split, close, page behind an address or a frame),
 * the DMA API (page behind a bus address).
 */
import { domainOf } from '../../hardware/params.ts';
import { Params } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal } from '../../shared/operations.ts';
import { mfnToLocalPfn } from '../mm/p2m.ts';
import { NO_PAGE, pageOf } from '../mm/page.ts';
import { zapPteClassic } from '../drivers/gntdev/classic/vm-ops.ts';
import { gntdevFindPage } from '../drivers/gntdev/find-page.ts';
import { VM_OPS_GNTDEV } from '../mm/vm-ops.ts';
import { VM_FOREIGN, Vma } from '../mm/vma.ts';
import { LinuxParams } from '../params.ts';
import { foreignPagesMap, foreignPagesUnmap } from './foreign-page.ts';
import { vmForeignLookup, vmForeignMap, vmForeignUnmap } from './vm-foreign.ts';
import { m2pOverrideMap, m2pOverrideUnmap, mfnToPage } from './m2p-override.ts';
import { vmaPagesClose, vmaPagesLookup, vmaPagesOpen, vmaPagesSplit } from './vma-pages.ts';

/** Linux 2.6.38–3.19: a hash from machine frame to page. */
export const M2P_OVERRIDE = 1;
/** Draft B: an array of pages spanning the VMA. */
export const VMA_PAGES = 2;
/** Linux 7.0: the VMA operation find_normal_page; gntdev unmaps without waiting. */
export const FIND_NORMAL_PAGE = 3;
/** Linux 4.0: the VMA operation find_special_page; gntdev waits until pages are idle. */
export const FIND_SPECIAL_PAGE = 4;
/** vma-pages, and DMA unmap by handles. */
export const DMA_HANDLES = 5;
/** linux-2.6.18-xen: VM_FOREIGN, an array of page pointers as private data of the VMA. */
export const VM_FOREIGN_ARRAY = 6;

/** Printable names, indexed by design. */
export const DESIGN_NAMES: readonly string[] = [
  'none',
  'm2p-override',
  'vma-pages',
  'find-normal-page',
  'find-special-page',
  'dma-handles',
  'vm-foreign',
];
/** The names of all designs, as users choose from them, in the order of their time. */
export const EVERY_DESIGN: readonly string[] = [
  'vm-foreign',
  'm2p-override',
  'vma-pages',
  'find-special-page',
  'find-normal-page',
  'dma-handles',
];

/** Designs that are another one in everything but the DMA API. */
export const BESIDES_DMA: ReadonlyMap<string, string> = new Map([['dma-handles', 'vma-pages']]);

/** @returns the design under study; for all but the DMA API dma-handles is vma-pages. */
export function design(): number {
  const chosen = readLocal(Params.design.word);
  return chosen === DMA_HANDLES ? VMA_PAGES : chosen;
}

/** @returns 1 if DMA unmap takes handles: in a design of its own, or on top of any other. */
export function designHasDmaHandles(): number {
  if (readLocal(Params.design.word) === DMA_HANDLES) return 1;
  return readLocal(LinuxParams.dmaHandles.word);
}

/** @returns 1 if ballooned pages keep a mapping of a scratch page. */
export function designHasScratchPages(): number {
  return design() === M2P_OVERRIDE ? 1 : 0;
}

/** @returns 1 if grant mappings in user page tables are marked special. */
export function designHasSpecialPtes(): number {
  return designUnmapsWhenIdle();
}

/** @returns 1 if a page says of itself whose grant it stands for (foreign-page.ts). */
export function designMarksForeignPages(): number {
  return designUnmapsWhenIdle();
}

/** @returns 1 if get_user_pages_fast() walks page tables; else it is the slow path alone. */
export function designHasGupFast(): number {
  return design() === VM_FOREIGN_ARRAY ? 0 : 1;
}

/** @returns 1 if unmapping waits until nobody uses the pages. */
export function designUnmapsWhenIdle(): number {
  return design() === M2P_OVERRIDE || design() === VM_FOREIGN_ARRAY ? 0 : 1;
}

/**
 * After the primary mappings were made: records page and frame, makes the kernel mappings.
 * Arguments as drivers/map-refs.ts. @returns 0, or a negative error.
 */
export function* designMap(
  v: number,
  mapOps: number,
  kmapOps: number,
  pages: number,
  count: number,
): Op {
  switch (design()) {
    case M2P_OVERRIDE:
      return yield* m2pOverrideMap(v, mapOps, kmapOps, pages, count);
    case VM_FOREIGN_ARRAY:
      return yield* vmForeignMap(v, mapOps, pages, count);
    default:
      return yield* foreignPagesMap(v, mapOps, kmapOps, pages, count);
  }
}

/**
 * After the primary mappings are gone: forgets page and frame, drops the kernel mappings.
 * Arguments as drivers/map-refs.ts. @returns 0, or a negative error.
 */
export function* designUnmap(
  v: number,
  unmapOps: number,
  kunmapOps: number,
  pages: number,
  count: number,
): Op {
  switch (design()) {
    case M2P_OVERRIDE:
      return yield* m2pOverrideUnmap(v, kunmapOps, pages, count);
    case VM_FOREIGN_ARRAY:
      return yield* vmForeignUnmap(v, pages, count);
    default:
      return yield* foreignPagesUnmap(v, kunmapOps, pages, count);
  }
}

/**
 * A VMA is split; called after the new VMA was copied from the old one and before the old one's
 * bounds change. mm/mmap.c: __split_vma()
 * @param vma - the VMA that stays. @param newVma - its copy. @param deltaPages - pages before the
 *   cut. @param newBelow - 1 if the copy becomes the lower part.
 */
export function* designVmaSplit(
  v: number,
  vma: number,
  newVma: number,
  deltaPages: number,
  newBelow: number,
): Op<void> {
  if (design() === VMA_PAGES) yield* vmaPagesSplit(vma, newVma, deltaPages, newBelow);
}

/** A VMA was copied. Called by the driver's vm_ops->open. @param vma - the copy. */
export function* designVmaOpen(v: number, vma: number): Op<void> {
  if (design() === VMA_PAGES) yield* vmaPagesOpen(vma);
}

/** A VMA goes away. Called by the driver's vm_ops->close. @param vma - the VMA. */
export function* designVmaClose(v: number, vma: number): Op<void> {
  if (design() === VMA_PAGES) yield* vmaPagesClose(vma);
}

/**
 * The page that the design knows behind an address, asked by the slow path (vm_normal_page) for
 * special PTEs. The caller holds the page-table lock.
 * @returns page, or NO_PAGE if the design has nothing to say.
 */
export function* designPageBehindAddress(v: number, vma: number, vpn: number): Op {
  switch (design()) {
    case VMA_PAGES:
      return yield* vmaPagesLookup(vma, vpn);
    case FIND_SPECIAL_PAGE:
    case FIND_NORMAL_PAGE:
      if ((yield* read(Vma.ops.at(vma))) !== VM_OPS_GNTDEV) return NO_PAGE;
      return yield* gntdevFindPage(vma, vpn);
    default:
      return NO_PAGE;
  }
}

/**
 * The page that get_user_pages() takes before it looks at page tables.
 * @param vma - VMA of the address, stable. @returns page, or NO_PAGE: look at the page tables.
 */
export function* designPageBeforeTables(vma: number, vpn: number): Op {
  if (design() !== VM_FOREIGN_ARRAY) return NO_PAGE;
  return yield* vmForeignLookup(vma, vpn);
}

/**
 * vm_ops->zap_pte: a present entry is to be cleared. The caller holds the page-table lock.
 * @returns 1 if the design has cleared it, with all that it stood for.
 */
export function* designZapPte(v: number, vma: number, vpn: number, ptep: number): Op {
  if (design() !== VM_FOREIGN_ARRAY) return 0;
  if (((yield* read(Vma.flags.at(vma))) & VM_FOREIGN) === 0) return 0;
  yield* zapPteClassic(v, vma, vpn, ptep);
  return 1;
}

/**
 * The page behind a machine frame that a PTE names, local or foreign: pfn_to_page(mfn_to_pfn()).
 * @param v - vCPU that asks; the page is one of its domain. @param mfn - frame.
 * @returns page, or NO_PAGE: for a frame that is not local, without a reverse map.
 */
export function* designPageBehindMfn(v: number, mfn: number): Op {
  if (design() === M2P_OVERRIDE) return yield* mfnToPage(v, mfn);
  const d = domainOf(v);
  const pfn = yield* mfnToLocalPfn(d, mfn);
  return pfn < 0 ? NO_PAGE : pageOf(d, pfn);
}

/**
 * The page behind a bus address that the DMA API is given back at unmap
 * (drivers/xen/swiotlb-xen.c: xen_bus_to_phys()).
 * @param v - vCPU that asks. @param busMfn - frame of the bus address.
 * @returns page, or NO_PAGE: harmless on coherent hardware, the subject of the proposal elsewhere.
 */
export function* designPageBehindDma(v: number, busMfn: number): Op {
  return yield* designPageBehindMfn(v, busMfn);
}
