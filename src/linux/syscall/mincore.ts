/** mincore(2) (mm/mincore.c: do_mincore(), mincore_pte_range()). */
import { PTE_PRESENT, PTE_PROTNONE } from '../../hardware/paging.ts';
import type { Op } from '../../shared/op.ts';
import { readOnce, writeLocal } from '../../shared/operations.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import { fitsTask, offsetInPage, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import { mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { currentMm } from '../mm/mm-life.ts';
import { NO_PTE, pteOffsetMapLock, pteUnlock } from '../mm/pgtable.ts';
import { NO_VMA } from '../mm/vma.ts';
import { vmaLookup } from '../mm/vma-tree.ts';

/** mincore_pte_range(), one page: what the files of the drivers cache nobody knows. @returns 1, 0 */
function* isResident(v: number, mm: number, vpn: number): Op {
  const ptep = yield* pteOffsetMapLock(v, mm, vpn);
  if (ptep === NO_PTE) return 0;
  const pte = yield* readOnce(ptep);
  yield* pteUnlock(ptep);
  return (pte & (PTE_PRESENT | PTE_PROTNONE)) !== 0 ? 1 : 0;
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
    if ((yield* vmaLookup(mm, vpn + i)) === NO_VMA) status = -ENOMEM;
    else writeLocal(vec + i, yield* isResident(v, mm, vpn + i));
  }
  yield* mmapReadUnlock(mm);
  return status;
}
