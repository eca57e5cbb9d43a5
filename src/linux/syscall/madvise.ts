/** madvise(2) (mm/madvise.c: do_madvise()). */
import type { Op } from '../../shared/op.ts';
import { EINVAL, ENOMEM } from '../errno.ts';
import { fitsTask, offsetInPage, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import {
  ADVISE_UNLOCKED,
  MADV_POPULATE_READ,
  MADV_POPULATE_WRITE,
  adviceLock,
} from '../mm/advice.ts';
import { madvise } from '../mm/madvise.ts';
import { currentMm } from '../mm/mm-life.ts';

/** madvise_behavior_valid() */
function isAdvice(advice: number): boolean {
  if (adviceLock(advice) !== ADVISE_UNLOCKED) return true;
  return advice === MADV_POPULATE_READ || advice === MADV_POPULATE_WRITE;
}

/**
 * madvise(2).
 * @param v - vCPU of the task. @param address - of a page. @param length - unsigned.
 * @param advice - MADV_* (mm/advice.ts). @returns 0 or a negative errno.
 */
export function* sysMadvise(v: number, address: number, length: number, advice: number): Op {
  if (!isAdvice(advice) || offsetInPage(address) !== 0 || length < 0) return -EINVAL;
  if (length === 0) return 0;
  const vpn = vpnOfAddress(address);
  const pages = pagesOfLength(length);
  if (address < 0 || !fitsTask(vpn, pages)) return -ENOMEM;
  return yield* madvise(v, currentMm(v), vpn, pages, advice);
}
