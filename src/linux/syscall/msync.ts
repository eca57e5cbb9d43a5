/** msync(2) (mm/msync.c). */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { EBUSY, EINVAL, ENOMEM } from '../errno.ts';
import { fitsTask, offsetInPage, pagesOfLength, vpnOfAddress } from '../mm/address.ts';
import { mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { currentMm } from '../mm/mm-life.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_SHMEM } from '../mm/vm-ops.ts';
import { NO_VMA, VM_LOCKED, VM_SHARED, Vma } from '../mm/vma.ts';
import { findVma } from '../mm/vma-tree.ts';
import { MS_ASYNC, MS_INVALIDATE, MS_SYNC } from './mman.ts';

/** vfs_fsync_range(): files of tmpfs have noop_fsync(), those of the drivers none. */
function* syncVma(vma: number, flags: number): Op {
  const vmFlags = yield* read(Vma.flags.at(vma));
  if ((flags & MS_INVALIDATE) !== 0 && (vmFlags & VM_LOCKED) !== 0) return -EBUSY;
  if ((flags & MS_SYNC) === 0 || (vmFlags & VM_SHARED) === 0) return 0;
  const ops = yield* read(Vma.ops.at(vma));
  return ops === VM_OPS_ANONYMOUS || ops === VM_OPS_SHMEM ? 0 : -EINVAL;
}

/** The VMAs of the range. The caller holds mmap_lock. @returns 0; -ENOMEM for a hole; an error. */
function* syncVmas(mm: number, start: number, end: number, flags: number): Op {
  let status = 0;
  let vpn = start;
  while (vpn < end) {
    const vma = yield* findVma(mm, vpn);
    if (vma === NO_VMA) return -ENOMEM;
    if ((yield* read(Vma.vmStart.at(vma))) > vpn) {
      vpn = yield* read(Vma.vmStart.at(vma));
      status = -ENOMEM;
      if (vpn >= end) return status;
    }
    const error = yield* syncVma(vma, flags);
    if (error < 0) return error;
    vpn = yield* read(Vma.vmEnd.at(vma));
  }
  return status;
}

/**
 * msync(2).
 * @param v - vCPU of the task. @param address - of a page. @param length - unsigned.
 * @param flags - MS_*. @returns 0, -EINVAL, -ENOMEM or -EBUSY.
 */
export function* sysMsync(v: number, address: number, length: number, flags: number): Op {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0) return -EINVAL;
  if (offsetInPage(address) !== 0) return -EINVAL;
  if ((flags & MS_ASYNC) !== 0 && (flags & MS_SYNC) !== 0) return -EINVAL;
  const vpn = vpnOfAddress(address);
  if (length < 0 || address < 0 || !fitsTask(vpn, pagesOfLength(length))) return -ENOMEM;
  const mm = currentMm(v);
  yield* mmapReadLock(mm);
  const status = yield* syncVmas(mm, vpn, vpn + pagesOfLength(length), flags);
  yield* mmapReadUnlock(mm);
  return status;
}
