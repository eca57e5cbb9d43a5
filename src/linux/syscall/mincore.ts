/** mincore(2) (mm/mincore.c: do_mincore(), mincore_pte_range()). */
import { PTE_PRESENT, PTE_PROTNONE } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, writeLocal } from '../../shared/operations.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import { InodePage } from '../fs/page-cache.ts';
import { fitsTask, offsetInPage, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import { mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { currentMm } from '../mm/mm-life.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock } from '../mm/pgtable.ts';
import { VM_OPS_SHMEM } from '../mm/vm-ops.ts';
import { NO_VMA, Vma } from '../mm/vma.ts';
import { vmaLookup } from '../mm/vma-tree.ts';

/** mincore_page(): is the page in the cache of a file of tmpfs? @returns 1 or 0. */
function* isCached(vma: number, vpn: number): Op {
  if ((yield* read(Vma.ops.at(vma))) !== VM_OPS_SHMEM) return 0;
  const index = vpn - (yield* read(Vma.vmStart.at(vma))) + (yield* read(Vma.pgoff.at(vma)));
  const slot = InodePage.value.at2(yield* read(Vma.file.at(vma)), index);
  return index < InodePage.value.count && (yield* readOnce(slot)) !== 0 ? 1 : 0;
}

/** mincore_pte_range(), one page. @returns 1 or 0. */
function* isResident(v: number, mm: number, vma: number, vpn: number): Op {
  const ptep = yield* pteOffsetMapLock(v, mm, vpn);
  if (ptep === NO_PTE) return yield* isCached(vma, vpn);
  const pte = yield* readOnce(ptep);
  yield* pteUnlock(ptep);
  if ((pte & (PTE_PRESENT | PTE_PROTNONE)) !== 0) return 1;
  return yield* isCached(vma, vpn);
}

/**
 * mincore(2).
 * @param v - vCPU of the task. @param address - of a page. @param length - unsigned.
 * @param vec - word of an array of the caller, one for each page: 1 if it is there, else 0.
 * @returns 0, -EINVAL, or -ENOMEM at the first page that is not mapped.
 */
export function* sysMincore(v: number, address: number, length: number, vec: number): Op {
  if (offsetInPage(address) !== 0) return -EINVAL;
  const vpn = vpnOfAddress(address);
  if (length < 0 || address < 0 || !fitsTask(vpn, pagesOfLength(length))) return -ENOMEM;
  const mm = currentMm(v);
  const pages = pagesOfLength(length);
  let status = 0;
  yield* mmapReadLock(mm);
  for (let i = 0; i < pages && status === 0; i++) {
    const vma = yield* vmaLookup(mm, vpn + i);
    if (vma === NO_VMA) status = -ENOMEM;
    else writeLocal(vec + i, yield* isResident(v, mm, vma, vpn + i));
  }
  yield* mmapReadUnlock(mm);
  return status;
}
