/**
 * Pages that a driver puts into a VMA by itself (mm/memory.c: vm_insert_page()): gntalloc's mmap.
 * The entry is a normal one: the mapping has a reference of the page and counts as an rmap, and the
 * zap gives both back.
 */
import { makePte } from '../../hardware/paging.ts';
import { domainOf } from '../../hardware/params.ts';
import { spinLock } from '../../shared/spinlock.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readOnce, write } from '../../shared/operations.ts';
import { EBUSY, ENOMEM } from '../errno.ts';
import { Mm } from './mm.ts';
import { pfnToMfn } from './p2m.ts';
import { getPage, pfnOf } from './page.ts';
import { NO_PTE, pteAlloc, pteLock, pteUnlock, setPte } from './pgtable.ts';
import { pageAddRmap } from './rmap.ts';
import { VM_MIXEDMAP, Vma } from './vma.ts';

/**
 * mm/memory.c: vm_insert_page(). The caller holds mmap_lock for writing.
 * @param v - vCPU that runs this. @param vma - VMA. @param vpn - address inside it.
 * @param pg - page of the domain that the caller holds. @returns 0, -ENOMEM, or -EBUSY if the
 *   address is mapped.
 */
export function* vmInsertPage(v: number, vma: number, vpn: number, pg: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & VM_MIXEDMAP) === 0) yield* write(Vma.flags.at(vma), flags | VM_MIXEDMAP);
  const mm = yield* read(Vma.mm.at(vma));
  const ptep = yield* pteAlloc(v, mm, vpn);
  if (ptep === NO_PTE) return -ENOMEM;
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const prot = yield* read(Vma.pageProt.at(vma));
  yield* spinLock(pteLock(ptep));
  const busy = (yield* readOnce(ptep)) !== 0;
  if (!busy) {
    yield* getPage(pg);
    yield* fetchAdd(Mm.rss.at(mm), 1);
    yield* pageAddRmap(pg);
    yield* setPte(v, ptep, makePte(mfn, prot));
  }
  yield* pteUnlock(ptep);
  return busy ? -EBUSY : 0;
}
