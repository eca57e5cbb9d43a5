/**
 * Memory that stays (mm/mlock.c: apply_vma_lock_flags(), mlock_fixup(), apply_mlockall_flags()).
 * There is no swapping here; what counts is the flag of the VMAs, which others look at, and that
 * the pages are there afterwards (populate.ts).
 *
 * VMAs of drivers (VM_SPECIAL) keep their flags: their pages do not go anyway.
 * Not modelled: RLIMIT_MEMLOCK (all are root), PG_mlocked.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { ENOMEM } from '../errno.ts';
import { Mm } from './mm.ts';
import { NO_VMA, VM_LOCKED, VM_LOCKED_MASK, VM_SPECIAL, Vma } from './vma.ts';
import { vmaModifyFlags } from './vma-modify.ts';
import { findVma } from './vma-tree.ts';

/** mm/mlock.c: mlock_fixup(). @param lockFlags - of VM_LOCKED, VM_LOCKONFAULT; 0 to unlock. */
function* mlockFixup(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  lockFlags: number,
): Op {
  const old = yield* read(Vma.flags.at(vma));
  const flags = (old & ~VM_LOCKED_MASK) | lockFlags;
  if (flags === old || (old & VM_SPECIAL) !== 0) return 0;
  const status = yield* vmaModifyFlags(v, mm, vma, start, end, flags);
  if (status < 0) return status;
  const locked = Mm.lockedVm.at(mm);
  const pages = end - start;
  if ((old & VM_LOCKED) !== 0) yield* write(locked, (yield* read(locked)) - pages);
  if ((flags & VM_LOCKED) !== 0) yield* write(locked, (yield* read(locked)) + pages);
  return 0;
}

/**
 * mm/mlock.c: apply_vma_lock_flags(). The caller holds mmap_lock for writing.
 * @param start - first vpn. @param end - after the last. @param lockFlags - of VM_LOCKED,
 *   VM_LOCKONFAULT; 0 to unlock. @returns 0; -ENOMEM, also if part of the range is not mapped.
 */
export function* applyVmaLockFlags(
  v: number,
  mm: number,
  start: number,
  end: number,
  lockFlags: number,
): Op {
  let vpn = start;
  while (vpn < end) {
    const vma = yield* findVma(mm, vpn);
    if (vma === NO_VMA || (yield* read(Vma.vmStart.at(vma))) > vpn) return -ENOMEM;
    const last = Math.min(end, yield* read(Vma.vmEnd.at(vma)));
    const status = yield* mlockFixup(v, mm, vma, vpn, last, lockFlags);
    if (status < 0) return status;
    vpn = last;
  }
  return 0;
}

/** mm/mlock.c: apply_mlockall_flags(), MCL_CURRENT: every VMA; errors are ignored. */
export function* applyToAllVmas(v: number, mm: number, lockFlags: number): Op<void> {
  let vma = yield* findVma(mm, 0);
  while (vma !== NO_VMA) {
    const end = yield* read(Vma.vmEnd.at(vma));
    yield* mlockFixup(v, mm, vma, yield* read(Vma.vmStart.at(vma)), end, lockFlags);
    vma = yield* findVma(mm, end);
  }
}
