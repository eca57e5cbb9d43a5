/** mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2) (mm/mlock.c). */
import { kernelBase } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { write } from '../../shared/operations.ts';
import { EAGAIN, EFAULT, EINVAL, ENOMEM } from '../errno.ts';
import { fitsTask, offsetInPage, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import { applyToAllVmas, applyVmaLockFlags } from '../mm/mlock.ts';
import { Mm, mmapWriteLock, mmapWriteUnlock } from '../mm/mm.ts';
import { currentMm } from '../mm/mm-life.ts';
import { mmPopulate } from '../mm/populate.ts';
import { VM_LOCKED, VM_LOCKONFAULT } from '../mm/vma.ts';
import { MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT } from './mman.ts';

/** __mlock_posix_error_return() */
function posixError(status: number): number {
  if (status === -EFAULT) return -ENOMEM;
  return status === -ENOMEM ? -EAGAIN : status;
}

/** mm/mlock.c: do_mlock(), and munlock(): the pages that the range touches. */
function* changeLock(v: number, address: number, length: number, lockFlags: number): Op {
  if (length < 0 || address < 0) return -EINVAL;
  const mm = currentMm(v);
  const vpn = vpnOfAddress(address);
  const pages = pagesOfLength(length + offsetInPage(address));
  if (pages === 0) return 0;
  if (!fitsTask(vpn, pages)) return -ENOMEM;
  yield* mmapWriteLock(mm);
  const status = yield* applyVmaLockFlags(v, mm, vpn, vpn + pages, lockFlags);
  yield* mmapWriteUnlock(mm);
  if (status < 0 || lockFlags === 0) return status;
  return posixError(yield* mmPopulate(v, mm, vpn, vpn + pages, 0));
}

/**
 * mlock(2), mlock2(2).
 * @param v - vCPU of the task. @param address - any. @param length - unsigned.
 * @param flags - 0 or MLOCK_ONFAULT. @returns 0, -EINVAL, -ENOMEM or -EAGAIN.
 */
export function* sysMlock2(v: number, address: number, length: number, flags: number): Op {
  if ((flags & ~MLOCK_ONFAULT) !== 0) return -EINVAL;
  const onFault = (flags & MLOCK_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0;
  return yield* changeLock(v, address, length, VM_LOCKED | onFault);
}

/** munlock(2). Arguments as mlock. @returns 0, -EINVAL or -ENOMEM. */
export function* sysMunlock(v: number, address: number, length: number): Op {
  return yield* changeLock(v, address, length, 0);
}

/**
 * mlockall(2).
 * @param v - vCPU of the task. @param flags - MCL_*. @returns 0 or -EINVAL.
 */
export function* sysMlockall(v: number, flags: number): Op {
  const known = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT;
  if ((flags & ~known) !== 0 || (flags & (MCL_CURRENT | MCL_FUTURE)) === 0) return -EINVAL;
  const mm = currentMm(v);
  const lockFlags = VM_LOCKED | ((flags & MCL_ONFAULT) !== 0 ? VM_LOCKONFAULT : 0);
  yield* mmapWriteLock(mm);
  yield* write(Mm.defFlags.at(mm), (flags & MCL_FUTURE) !== 0 ? lockFlags : 0);
  if ((flags & MCL_CURRENT) !== 0) yield* applyToAllVmas(v, mm, lockFlags);
  yield* mmapWriteUnlock(mm);
  if ((flags & MCL_CURRENT) !== 0) yield* mmPopulate(v, mm, 0, kernelBase(), 1);
  return 0;
}

/** munlockall(2). @param v - vCPU of the task. @returns 0. */
export function* sysMunlockall(v: number): Op {
  const mm = currentMm(v);
  yield* mmapWriteLock(mm);
  yield* write(Mm.defFlags.at(mm), 0);
  yield* applyToAllVmas(v, mm, 0);
  yield* mmapWriteUnlock(mm);
  return 0;
}
