/**
 * The kernel's own mapping of the domain's pages: the pfn at vpn kernelBase + pfn
 * (arch/x86/include/asm/page.h: __va(); arch/x86/xen/mmu_pv.c: make_lowmem_page_readonly()).
 *
 * A page that serves as a page table is mapped read-only: Xen refuses the type while a writable
 * mapping exists. Whether another vCPU's TLB still has the writable one is Xen's business at the
 * change of type.
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { PTE_PRESENT, PTE_RW, makePte } from '../../hardware/paging.ts';
import { domainOf, frameWordCount, kernelBase, ptEntryCount } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { read, warnOn } from '../../shared/operations.ts';
import { updateVaMapping } from '../../xen/mmu.ts';
import { BUG_DIRECT_MAP } from './bugs.ts';
import { pfnToMfn } from './p2m.ts';
import { PG_table, Page, pfnOf } from './page.ts';

/** __va(): kernel address of a page. @returns vpn. */
function pageAddress(pg: number): number {
  return kernelBase() + pfnOf(pg);
}

function* remap(v: number, pg: number, flags: number): Op<void> {
  const mfn = yield* pfnToMfn(domainOf(v), pfnOf(pg));
  const status = yield* updateVaMapping(v, pageAddress(pg), makePte(mfn, flags));
  warnOn(status < 0, BUG_DIRECT_MAP, pg, status);
}

/** arch/x86/xen/mmu_pv.c: make_lowmem_page_readonly(). @param pg - page of v's domain. */
export function* makePageReadonly(v: number, pg: number): Op<void> {
  yield* remap(v, pg, PTE_PRESENT);
}

/** arch/x86/xen/mmu_pv.c: make_lowmem_page_readwrite(). @param pg - page of v's domain. */
export function* makePageReadwrite(v: number, pg: number): Op<void> {
  yield* remap(v, pg, PTE_PRESENT | PTE_RW);
}

/** A store through the direct map. @param pg - page that the caller holds, mapped writable. */
export function* writePageWord(v: number, pg: number, offset: number, value: number): Op<void> {
  const fault = yield* cpuStore(v, pageAddress(pg), offset, value);
  warnOn(fault !== 0, BUG_DIRECT_MAP, pg, fault);
}

/** arch/x86/lib/clear_page_64.S: clear_page(). @param pg - page that the caller holds. */
export function* clearPage(v: number, pg: number): Op<void> {
  const tables = ((yield* read(Page.flags.at(pg))) & PG_table) !== 0;
  const words = tables ? ptEntryCount() : frameWordCount();
  for (let offset = 0; offset < words; offset++) yield* writePageWord(v, pg, offset, 0);
}

/** arch/x86/lib/copy_page_64.S: copy_page(). @param to - new page. @param from - page to copy. */
export function* copyPage(v: number, to: number, from: number): Op<void> {
  for (let offset = 0; offset < frameWordCount(); offset++) {
    const fault = yield* cpuLoad(v, pageAddress(from), offset);
    warnOn(fault !== 0, BUG_DIRECT_MAP, from, fault);
    yield* writePageWord(v, to, offset, reg(v, REG_VALUE));
  }
}
