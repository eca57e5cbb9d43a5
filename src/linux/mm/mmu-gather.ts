/**
 * mmu_gather (mm/mmu_gather.c, include/asm-generic/tlb.h): what an unmap took out of the page
 * tables is put only after the flush.
 *
 * One gather a vCPU:  1. tlbGather. 2. clear PTEs, tlbRemovePage each page; clear upper entries,
 * tlbRemoveTable each table. 3. tlbFinish: flush, then put the pages, and the tables after an RCU
 * grace period (MMU_GATHER_RCU_TABLE_FREE: a hypercall's flush waits for no walker).
 * A full batch of pages is flushed and put early; not under a page-table lock. A table for which
 * the batch has no room is freed after an IPI to all, which walkers with interrupts off hold up.
 *
 * Mm.tlbFlushPending counts gathers under way. If another one was at work, tlbFinish flushes even
 * if it cleared nothing itself: the entries it found cleared may still be in TLBs
 * (mm_tlb_flush_nested()).
 */
import { flushTlbIpi, vcpuMaskOf } from '../../hardware/flush.ts';
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { fetchAdd, read, readLocal, readOnce, writeLocal } from '../../shared/operations.ts';
import { callRcu } from '../../shared/rcu.ts';
import { defineTable } from '../../shared/table.ts';
import { flushTlbMm } from './flush.ts';
import { Mm } from './mm.ts';
import { putPage } from './page.ts';
import { VM_MIXEDMAP, VM_PFNMAP, Vma } from './vma.ts';

/** Kind of the RCU callback that frees a page table; its object is the page. */
export const RCU_FREE_TABLE = 65;

export const Gather = defineTable('%v.mmu_gather', ['vcpus'], {
  mm: '[VCPU] address space',
  pages: '[VCPU] pages that wait for the flush',
  tables: '[VCPU] page tables that wait for the flush',
  cleared: '[VCPU] 1 if entries were cleared since the last flush',
  vmaPfn: '[VCPU] 1 if a VMA was VM_PFNMAP or VM_MIXEDMAP',
});

export const GatherPage = defineTable('%v.mmu_gather.page[%]', ['vcpus', 'gatherPages'], {
  value: '[VCPU] page to put after the flush',
});

export const GatherTable = defineTable('%v.mmu_gather.table[%]', ['vcpus', 'gatherTables'], {
  value: '[VCPU] page of a page table to free after the flush and a grace period',
});

/** mm/mmu_gather.c: tlb_gather_mmu(). @param v - vCPU that unmaps. @param mm - address space. */
export function* tlbGather(v: number, mm: number): Op<void> {
  writeLocal(Gather.mm.at(v), mm);
  writeLocal(Gather.pages.at(v), 0);
  writeLocal(Gather.tables.at(v), 0);
  writeLocal(Gather.cleared.at(v), 0);
  writeLocal(Gather.vmaPfn.at(v), 0);
  yield* fetchAdd(Mm.tlbFlushPending.at(mm), 1);
}

/** include/asm-generic/tlb.h: tlb_update_vma_flags(). @param vma - VMA that is unmapped next. */
export function* tlbStartVma(v: number, vma: number): Op<void> {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & (VM_PFNMAP | VM_MIXEDMAP)) !== 0) writeLocal(Gather.vmaPfn.at(v), 1);
}

/** include/asm-generic/tlb.h: tlb_remove_tlb_entry(): a PTE that TLBs may hold was cleared. */
export function tlbRemoveTlbEntry(v: number): void {
  writeLocal(Gather.cleared.at(v), 1);
}

/**
 * include/asm-generic/tlb.h: tlb_remove_page(): puts a page after the flush.
 * @param pg - page whose PTE was cleared.
 * @returns 1 if the batch is full: call tlbFlushMmu without page-table locks before the next.
 */
export function tlbRemovePage(v: number, pg: number): number {
  const count = readLocal(Gather.pages.at(v));
  writeLocal(GatherPage.value.at2(v, count), pg);
  writeLocal(Gather.pages.at(v), count + 1);
  return count + 1 === GatherPage.value.count ? 1 : 0;
}

/**
 * mm/mmu_gather.c: tlb_remove_table_one(): without room in the batch there is no grace period to
 * wait for; an IPI to every vCPU, answered with interrupts on, says that no walk is under way.
 */
function* tlbRemoveTableOne(v: number, pg: number): Op<void> {
  yield* tlbFlushMmuTlbonly(v);
  yield* flushTlbIpi(v, vcpuMaskOf(domainOf(v)));
  yield* putPage(v, pg);
}

/**
 * mm/mmu_gather.c: tlb_remove_table(): frees a page table after the flush and a grace period.
 * @param v - vCPU that unmaps, upcalls not masked. @param pg - page of the table, unlinked.
 */
export function* tlbRemoveTable(v: number, pg: number): Op<void> {
  writeLocal(Gather.cleared.at(v), 1);
  const count = readLocal(Gather.tables.at(v));
  if (count === GatherTable.value.count) {
    yield* tlbRemoveTableOne(v, pg);
    return;
  }
  writeLocal(GatherTable.value.at2(v, count), pg);
  writeLocal(Gather.tables.at(v), count + 1);
}

/** include/asm-generic/tlb.h: tlb_flush_mmu_tlbonly() */
function* tlbFlushMmuTlbonly(v: number): Op<void> {
  if (readLocal(Gather.cleared.at(v)) === 0) return;
  writeLocal(Gather.cleared.at(v), 0);
  yield* flushTlbMm(v, readLocal(Gather.mm.at(v)));
}

/** include/asm-generic/tlb.h: tlb_free_vmas(): VMAs without struct pages flush before they go. */
export function* tlbFreeVmas(v: number): Op<void> {
  if (readLocal(Gather.vmaPfn.at(v)) !== 0) yield* tlbFlushMmuTlbonly(v);
}

/** mm/mmu_gather.c: tlb_flush_mmu(): the flush, and only then the puts. */
export function* tlbFlushMmu(v: number): Op<void> {
  yield* tlbFlushMmuTlbonly(v);
  const tables = readLocal(Gather.tables.at(v));
  for (let i = 0; i < tables; i++) {
    yield* callRcu(v, RCU_FREE_TABLE, readLocal(GatherTable.value.at2(v, i)));
  }
  writeLocal(Gather.tables.at(v), 0);
  const pages = readLocal(Gather.pages.at(v));
  for (let i = 0; i < pages; i++) yield* putPage(v, readLocal(GatherPage.value.at2(v, i)));
  writeLocal(Gather.pages.at(v), 0);
}

/** mm/mmu_gather.c: tlb_finish_mmu() */
export function* tlbFinish(v: number): Op<void> {
  const pending = Mm.tlbFlushPending.at(readLocal(Gather.mm.at(v)));
  if ((yield* readOnce(pending)) > 1) writeLocal(Gather.cleared.at(v), 1);
  yield* tlbFlushMmu(v);
  yield* fetchAdd(pending, -1);
}
