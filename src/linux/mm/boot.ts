/**
 * The boot of a PV guest, as far as memory goes (Xen's tools/libs/guest/xg_dom_x86.c: the domain
 * builder; arch/x86/xen/mmu_pv.c: xen_setup_kernel_pagetable(); mm/memblock.c:
 * memblock_free_all()).
 *
 * 1. a frame for each of the first `bootPages` pfns (memory= below maxmem=), those of the first
 * `tablePages` fit for page tables; p2m, M2P.
 * 2. the kernel's page tables in the first pages: the direct map, in which the tables themselves
 *    are read-only. 3. pin the root: Xen checks and counts it all. 4. every vCPU loads it.
 * 5. the other pages go to the page allocator.
 * Runs alone, before the other vCPUs of the domain do anything.
 */
import {
  PTE_PRESENT,
  PTE_RW,
  PTE_USER,
  makePte,
  namesTable,
  ptEntryWord,
  ptIndex,
  pteMfn,
} from '../../hardware/paging.ts';
import {
  firstVcpuOf,
  kernelBase,
  pagesPerDomain,
  ptEntryCount,
  ptLevels,
  vcpusPerDomain,
} from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { readLocal, readOnce, warnOn, writeLocal, writeOnce } from '../../shared/operations.ts';
import { populatePhysmap } from '../../xen/memory.ts';
import { mmuextNewBaseptr, mmuextPinTable } from '../../xen/mmu.ts';
import { ZONE_DATA, ZONE_PAGE_TABLE } from '../../xen/page-alloc.ts';
import { ENOMEM } from '../errno.ts';
import { bootPageCount, tablePageCount } from '../params.ts';
import { BUG_MMU_UPDATE } from './bugs.ts';
import { NO_MM } from './mm.ts';
import { CurrentMm } from './mm-life.ts';
import { Kernel } from './pgd.ts';
import { INVALID_P2M_ENTRY, P2m } from './p2m.ts';
import { FreePage, Zone, freePage } from './page-alloc.ts';
import { NO_PAGE, PG_table, Page, pageOf } from './page.ts';

/** Step 1. @returns 0 or -ENOMEM. */
function* populate(v: number, d: number): Op {
  for (let pfn = 0; pfn < pagesPerDomain(); pfn++) {
    writeLocal(P2m.value.at2(d, pfn), INVALID_P2M_ENTRY);
  }
  for (let pfn = 0; pfn < bootPageCount(); pfn++) {
    const zone = pfn < tablePageCount() ? ZONE_PAGE_TABLE : ZONE_DATA;
    const mfn = yield* populatePhysmap(v, d, pfn, zone);
    if (mfn < 0) return -ENOMEM;
    writeLocal(P2m.value.at2(d, pfn), mfn);
    writeLocal(FreePage.forTables.at2(d, pfn), pfn < tablePageCount() ? 1 : 0);
  }
  return 0;
}

function* zeroTable(mfn: number): Op<void> {
  for (let i = 0; i < ptEntryCount(); i++) yield* writeOnce(ptEntryWord(mfn, i), 0);
}

/**
 * Finds the leaf entry of a vpn in tables that are no page tables for Xen yet.
 * @param next - pfn of the next page for a table, if one is missing.
 * @returns the word of the entry, or -1 - word of an upper entry that a table was put into.
 */
function* buildPath(d: number, root: number, vpn: number, next: number): Op {
  let table = root;
  for (let level = ptLevels(); level > 1; level--) {
    const word = ptEntryWord(table, ptIndex(vpn, level));
    const entry = yield* readOnce(word);
    if (!namesTable(entry)) {
      const mfn = readLocal(P2m.value.at2(d, next));
      yield* zeroTable(mfn);
      yield* writeOnce(word, makePte(mfn, PTE_PRESENT | PTE_RW | PTE_USER));
      return -1 - word;
    }
    table = pteMfn(entry);
  }
  return ptEntryWord(table, ptIndex(vpn, 1));
}

/** Step 2. @returns pages that the tables take, the root included; -ENOMEM if they do not fit. */
function* buildTables(d: number, root: number): Op {
  let tables = 1;
  yield* zeroTable(root);
  for (let pfn = 0; pfn < bootPageCount();) {
    const word = yield* buildPath(d, root, kernelBase() + pfn, tables);
    if (word >= 0) pfn++;
    else tables++;
    if (tables > tablePageCount()) return -ENOMEM;
  }
  for (let pfn = 0; pfn < bootPageCount(); pfn++) {
    const word = yield* buildPath(d, root, kernelBase() + pfn, 0);
    const flags = pfn < tables ? PTE_PRESENT : PTE_PRESENT | PTE_RW;
    yield* writeOnce(word, makePte(readLocal(P2m.value.at2(d, pfn)), flags));
  }
  return tables;
}

/** Step 5. @param tables - pages that are in use. */
function* freeAll(v: number, d: number, tables: number): Op<void> {
  writeLocal(Zone.head.at(d), NO_PAGE);
  writeLocal(Zone.tableHead.at(d), NO_PAGE);
  for (let pfn = 0; pfn < tables; pfn++) {
    writeLocal(Page.refcount.at2(d, pfn), 1);
    writeLocal(Page.flags.at2(d, pfn), PG_table);
  }
  for (let pfn = bootPageCount() - 1; pfn >= tables; pfn--) {
    yield* freePage(v, pageOf(d, pfn));
  }
}

/**
 * Boots a domain's kernel: memory, page tables, page allocator.
 * @param v - a vCPU of the domain. @param d - domain. @returns 0, or -ENOMEM.
 */
export function* bootLinux(v: number, d: number): Op {
  if ((yield* populate(v, d)) < 0) return -ENOMEM;
  const root = readLocal(P2m.value.at2(d, 0));
  const tables = yield* buildTables(d, root);
  if (tables < 0) return tables;
  let status = yield* mmuextPinTable(v, root, ptLevels());
  warnOn(status < 0, BUG_MMU_UPDATE, root, status);
  writeLocal(Kernel.root.at(d), root);
  for (let i = 0; i < vcpusPerDomain(); i++) {
    status = yield* mmuextNewBaseptr(firstVcpuOf(d) + i, root);
    warnOn(status < 0, BUG_MMU_UPDATE, root, status);
    writeLocal(CurrentMm.value.at(firstVcpuOf(d) + i), NO_MM);
  }
  yield* freeAll(v, d, tables);
  return 0;
}
