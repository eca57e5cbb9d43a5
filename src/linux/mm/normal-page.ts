/**
 * From a page-table entry to a struct page (mm/memory.c: vm_normal_page()).
 *
 * An entry that is special does not speak for itself: its frame may be another domain's, which has
 * no struct page here, or only an unrelated one under the same number. The design under study says
 * which page stands for it at this address (Draft B: the array of the VMA; 4.0: find_special_page;
 * 7.0: find_normal_page). An entry that is not special names a frame of the domain itself, or, with
 * m2p_override, one that the override knows.
 */
import { PTE_SPECIAL, pteMfn } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import { read, warnOn } from '../../shared/operations.ts';
import { designPageBehindAddress, designPageBehindMfn } from '../designs/design.ts';
import { BUG_BAD_PTE } from './bugs.ts';
import { NO_PAGE } from './page.ts';
import { VM_FOREIGN, VM_MIXEDMAP, VM_PFNMAP, Vma } from './vma.ts';

/**
 * mm/memory.c: vm_normal_page(). The caller keeps the VMA stable and holds the page-table lock.
 * @param v - vCPU that asks. @param vma - VMA of the address. @param vpn - the address.
 * @param pte - its present entry. @returns the page that the mapping counts on, or NO_PAGE.
 */
export function* vmNormalPage(v: number, vma: number, vpn: number, pte: number): Op {
  if ((pte & PTE_SPECIAL) !== 0) {
    const pg = yield* designPageBehindAddress(v, vma, vpn);
    if (pg !== NO_PAGE) return pg;
    const flags = yield* read(Vma.flags.at(vma));
    warnOn((flags & (VM_PFNMAP | VM_MIXEDMAP)) === 0, BUG_BAD_PTE, vpn, pte);
    return NO_PAGE;
  }
  const pg = yield* designPageBehindMfn(v, pteMfn(pte));
  if (pg === NO_PAGE && ((yield* read(Vma.flags.at(vma))) & VM_FOREIGN) !== 0) return NO_PAGE;
  warnOn(pg === NO_PAGE, BUG_BAD_PTE, vpn, pte);
  return pg;
}
