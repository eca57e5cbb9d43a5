/** mprotect(2) (mm/mprotect.c: do_mprotect_pkey()). */
import type { Op } from '../../shared/op.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import { fitsTask, offsetInPage, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import { currentMm } from '../mm/mm-life.ts';
import { mprotect } from '../mm/mprotect.ts';
import { VM_ACCESS_FLAGS } from '../mm/vma.ts';
import { PROT_GROWSDOWN, PROT_GROWSUP, PROT_SEM } from './mman.ts';

/**
 * mprotect(2).
 * @param v - vCPU of the task. @param address - of a page. @param length - unsigned.
 * @param prot - PROT_*. @returns 0, -EINVAL, -ENOMEM or -EACCES.
 */
export function* sysMprotect(v: number, address: number, length: number, prot: number): Op {
  // No VMA here grows by itself, so both of its flags are wrong wherever they are given.
  const grows = (prot & (PROT_GROWSDOWN | PROT_GROWSUP)) !== 0;
  if (grows || offsetInPage(address) !== 0) return -EINVAL;
  if (length === 0) return 0;
  const vpn = vpnOfAddress(address);
  if (length < 0 || address < 0 || !fitsTask(vpn, pagesOfLength(length))) return -ENOMEM;
  if ((prot & ~(VM_ACCESS_FLAGS | PROT_SEM)) !== 0) return -EINVAL;
  return yield* mprotect(v, currentMm(v), vpn, pagesOfLength(length), prot & VM_ACCESS_FLAGS);
}
