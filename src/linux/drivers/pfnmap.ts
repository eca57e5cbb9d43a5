/**
 * A driver that lends pages of its own to processes and takes them back, as those of graphics
 * cards do (drivers/gpu/drm/ttm/ttm_bo_vm.c): entries by remap_pfn_range(), without references,
 * which the driver clears by unmap_mapping_range() before it uses the pages for something else.
 */
import { PTE_SPECIAL, makePte } from '../../hardware/paging.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write, writeLocal } from '../../shared/operations.ts';
import { spinLock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { ENOMEM } from '../errno.ts';
import { unmapMappingRange } from '../mm/mapping.ts';
import { pfnToMfn } from '../mm/p2m.ts';
import { pfnOf, putPage } from '../mm/page.ts';
import { NO_PTE, pteAlloc, pteLock, pteUnlock, setPte } from '../mm/pgtable.ts';
import { VM_DONTCOPY, VM_DONTDUMP, VM_DONTEXPAND, VM_IO, VM_PFNMAP, Vma } from '../mm/vma.ts';

/** An object of one page; its number is that of its mapping. */
export const PfnObject = defineTable('pfn_object[%]', ['mappings'], {
  page: '[GST] the page',
});

/**
 * mm/memory.c: remap_pfn_range(), of one page, in the driver's mmap(). The caller holds mmap_lock
 * for writing and has not yet put the VMA where others find it.
 * @param object - the object. @param vma - new VMA of one page. @returns 0 or -ENOMEM.
 */
export function* pfnmapMmap(v: number, object: number, vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  const kind = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY;
  yield* write(Vma.flags.at(vma), flags | kind);
  writeLocal(Vma.mapping.at(vma), object);
  const mm = yield* read(Vma.mm.at(vma));
  const ptep = yield* pteAlloc(v, mm, yield* read(Vma.vmStart.at(vma)));
  if (ptep === NO_PTE) return -ENOMEM;
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(yield* read(PfnObject.page.at(object))));
  const prot = yield* read(Vma.pageProt.at(vma));
  yield* spinLock(pteLock(ptep));
  yield* setPte(v, ptep, makePte(mfn, prot | PTE_SPECIAL));
  yield* pteUnlock(ptep);
  return 0;
}

/** The driver takes a page back and frees it. @param v - its vCPU. @param object - the object. */
export function* pfnmapRelease(v: number, object: number): Op<void> {
  yield* unmapMappingRange(v, object);
  yield* putPage(v, yield* read(PfnObject.page.at(object)));
}
