/**
 * The design of the classic kernel (linux-2.6.18-xen): a VMA with VM_FOREIGN has an array of page
 * pointers as private data, which the driver fills (drivers/xen/gntdev/gntdev.c, gntdev/classic/).
 *
 * Finding: get_user_pages() (mm/memory.c) looks at the array first and takes what is there, with no
 *   look at page tables, rights or locks but mmap_sem; there is no get_user_pages_fast(). For such
 * a
 *   VMA vm_normal_page() knows no page.
 * Unmapping: the VMA operation zap_pte, under the page-table lock, in place of clearing the entry.
 *   Entries of the array stay as they are.
 * Splitting: both VMAs have the same pointer, and index it from their own starts.
 * P2M: FOREIGN | mfn while a frame is mapped, nothing in the page itself. (PG_foreign of that time
 *   says that page->index is a destructor, called when the page is freed: netback's, not modelled.)
 *
 * has_foreign_mappings keeps the page tables of an address space pinned until its VMAs are gone;
 * here they always are (mm/mm-life.ts).
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal } from '../../shared/operations.ts';
import { MAP_DEV_BUS_ADDR, MAP_STATUS, MAP_WORDS } from '../../xen/public/grant-table.ts';
import { foreignPageOfVma } from '../drivers/gntdev/classic/vm-ops.ts';
import { NO_PAGE, pfnOf } from '../mm/page.ts';
import { FOREIGN_FRAME_BIT, INVALID_P2M_ENTRY, setPhysToMachine } from '../mm/p2m.ts';
import { VM_FOREIGN, Vma } from '../mm/vma.ts';

/**
 * drivers/xen/blkback/blkback.c: dispatch_rw_block_io(), after the hypercall. Arguments as
 * designMap; the kernel's addresses are the primary mappings. @returns 0.
 */
export function* vmForeignMap(v: number, mapOps: number, pages: number, count: number): Op {
  for (let i = 0; i < count; i++) {
    const op = mapOps + i * MAP_WORDS;
    if ((yield* read(op + MAP_STATUS)) !== 0) continue;
    const mfn = yield* read(op + MAP_DEV_BUS_ADDR);
    yield* setPhysToMachine(v, pfnOf(readLocal(pages + i)), mfn | FOREIGN_FRAME_BIT);
  }
  return 0;
}

/**
 * After an unmap of the kernel's addresses. In life blkback keeps its pages to itself, and what the
 * P2M says of them is stale until they are mapped again; here they go back to the balloon, which
 * wants them without a frame. @returns 0.
 */
export function* vmForeignUnmap(v: number, pages: number, count: number): Op {
  for (let i = 0; i < count; i++) {
    yield* setPhysToMachine(v, pfnOf(readLocal(pages + i)), INVALID_P2M_ENTRY);
  }
  return 0;
}

/**
 * mm/memory.c: get_user_pages(), its part for VM_FOREIGN. The caller holds mmap_lock.
 * @param vma - VMA of the address. @param vpn - address. @returns page, or NO_PAGE: look normally.
 */
export function* vmForeignLookup(vma: number, vpn: number): Op {
  if (((yield* read(Vma.flags.at(vma))) & VM_FOREIGN) === 0) return NO_PAGE;
  return yield* foreignPageOfVma(vma, vpn);
}
