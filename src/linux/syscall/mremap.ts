/** mremap(2) (mm/mremap.c). */
import type { Op } from '../../shared/op.ts';
import { EINVAL } from '../errno.ts';
import { offsetInPage, pageSize, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import { currentMm } from '../mm/mm-life.ts';
import { MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, doMremap } from '../mm/mremap.ts';

/** @returns 1 if the flags fit each other and the lengths. */
function flagsFit(oldLength: number, newLength: number, flags: number): boolean {
  if ((flags & ~(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP)) !== 0) return false;
  const mayMove = (flags & MREMAP_MAYMOVE) !== 0;
  if ((flags & MREMAP_FIXED) !== 0 && !mayMove) return false;
  return (flags & MREMAP_DONTUNMAP) === 0 || (mayMove && oldLength === newLength);
}

/**
 * mremap(2).
 * @param v - vCPU of the task. @param address - of a page. @param oldLength - unsigned; 0 asks for
 *   a second mapping of a shared object. @param newLength - unsigned. @param flags - MREMAP_*.
 * @param newAddress - looked at with MREMAP_FIXED, a hint with MREMAP_DONTUNMAP.
 * @returns the new address, or a negative errno.
 */
export function* sysMremap(
  v: number,
  address: number,
  oldLength: number,
  newLength: number,
  flags: number,
  newAddress: number,
): Op {
  if (!flagsFit(oldLength, newLength, flags) || offsetInPage(address) !== 0) return -EINVAL;
  if (oldLength < 0 || newLength <= 0) return -EINVAL;
  const moves = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0;
  if (moves && offsetInPage(newAddress) !== 0) return -EINVAL;
  const vpn = yield* doMremap(
    v,
    currentMm(v),
    vpnOfAddress(address),
    pagesOfLength(oldLength),
    pagesOfLength(newLength),
    flags,
    moves ? vpnOfAddress(newAddress) : 0,
  );
  return vpn < 0 ? vpn : vpn * pageSize();
}
