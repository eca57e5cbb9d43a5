/**
 * Advice on a range of one VMA (mm/madvise.c: madvise_vma_behavior()).
 *
 * Nothing is swapped here and no memory is short: what MADV_FREE, MADV_COLD and MADV_PAGEOUT may
 * drop later is never dropped, and KSM merges nothing.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { EACCES, EAGAIN, EINVAL, ENODEV, ENOMEM } from '../errno.ts';
import {
  MADV_COLD,
  MADV_DODUMP,
  MADV_DOFORK,
  MADV_DONTDUMP,
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_HUGEPAGE,
  MADV_KEEPONFORK,
  MADV_MERGEABLE,
  MADV_NOHUGEPAGE,
  MADV_NORMAL,
  MADV_PAGEOUT,
  MADV_RANDOM,
  MADV_REMOVE,
  MADV_SEQUENTIAL,
  MADV_UNMERGEABLE,
  MADV_WILLNEED,
  MADV_WIPEONFORK,
} from './advice.ts';
import { VM_OPS_ANONYMOUS } from './vm-ops.ts';
import {
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_HUGEPAGE,
  VM_IO,
  VM_LOCKED,
  VM_NOHUGEPAGE,
  VM_PFNMAP,
  VM_RAND_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_SPECIAL,
  VM_WIPEONFORK,
  VM_WRITE,
  Vma,
} from './vma.ts';
import { vmaModifyFlags } from './vma-modify.ts';
import { zapRange } from './zap-range.ts';

/** madvise_dontneed_single_vma(). @param forbidden - VM_* that forbid it. @returns 0 or -EINVAL. */
function* dontneed(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  forbidden: number,
): Op {
  if (((yield* read(Vma.flags.at(vma))) & forbidden) !== 0) return -EINVAL;
  yield* zapRange(v, mm, vma, start, end);
  return 0;
}

/** can_madv_lru_vma(), and for MADV_FREE vma_is_anonymous(). @returns 0 or -EINVAL. */
function* adviseLru(vma: number, advice: number): Op {
  if (((yield* read(Vma.flags.at(vma))) & (VM_LOCKED | VM_PFNMAP)) !== 0) return -EINVAL;
  if (advice !== MADV_FREE) return 0;
  return (yield* read(Vma.ops.at(vma))) === VM_OPS_ANONYMOUS ? 0 : -EINVAL;
}

/** madvise_remove(): a hole in the file. The files of the drivers here have none (-ENODEV). */
function* remove(vma: number): Op {
  const flags = yield* read(Vma.flags.at(vma));
  if ((flags & VM_LOCKED) !== 0) return -EINVAL;
  if ((yield* read(Vma.ops.at(vma))) === VM_OPS_ANONYMOUS) return -EINVAL;
  if ((flags & (VM_SHARED | VM_WRITE)) !== (VM_SHARED | VM_WRITE)) return -EACCES;
  return -ENODEV;
}

/** May the flags of a VMA follow the advice? @param ops - its VM_OPS_*. */
function mayFollow(flags: number, ops: number, advice: number): boolean {
  switch (advice) {
    case MADV_DOFORK:
      return (flags & VM_IO) === 0;
    case MADV_WIPEONFORK:
      return ops === VM_OPS_ANONYMOUS && (flags & VM_SHARED) === 0;
    case MADV_DODUMP:
      return (flags & VM_SPECIAL) === 0;
    default:
      return true;
  }
}

/** The flags of a VMA that follows the advice. */
function followed(flags: number, advice: number): number {
  switch (advice) {
    case MADV_NORMAL:
      return flags & ~(VM_RAND_READ | VM_SEQ_READ);
    case MADV_SEQUENTIAL:
      return (flags & ~VM_RAND_READ) | VM_SEQ_READ;
    case MADV_RANDOM:
      return (flags & ~VM_SEQ_READ) | VM_RAND_READ;
    case MADV_DONTFORK:
      return flags | VM_DONTCOPY;
    case MADV_DOFORK:
      return flags & ~VM_DONTCOPY;
    case MADV_WIPEONFORK:
      return flags | VM_WIPEONFORK;
    case MADV_KEEPONFORK:
      return flags & ~VM_WIPEONFORK;
    case MADV_DONTDUMP:
      return flags | VM_DONTDUMP;
    case MADV_DODUMP:
      return flags & ~VM_DONTDUMP;
    case MADV_HUGEPAGE:
      return (flags & ~VM_NOHUGEPAGE) | VM_HUGEPAGE;
    case MADV_NOHUGEPAGE:
      return (flags & ~VM_HUGEPAGE) | VM_NOHUGEPAGE;
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
    default:
      return flags;
  }
}

/** madvise_update_vma(). @returns 0, -EINVAL or -EAGAIN. */
function* updateVma(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  advice: number,
): Op {
  const old = yield* read(Vma.flags.at(vma));
  if (!mayFollow(old, yield* read(Vma.ops.at(vma)), advice)) return -EINVAL;
  const flags = followed(old, advice);
  if (flags === old) return 0;
  const status = yield* vmaModifyFlags(v, mm, vma, start, end, flags);
  return status === -ENOMEM ? -EAGAIN : status;
}

/**
 * mm/madvise.c: madvise_vma_behavior(). The lock that adviceLock() names is held.
 * @param start - first vpn. @param end - vpn after the last, both inside the VMA.
 * @param advice - MADV_*. @returns 0 or a negative errno.
 */
export function* adviseVma(
  v: number,
  mm: number,
  vma: number,
  start: number,
  end: number,
  advice: number,
): Op {
  switch (advice) {
    case MADV_DONTNEED:
      return yield* dontneed(v, mm, vma, start, end, VM_PFNMAP | VM_LOCKED);
    case MADV_DONTNEED_LOCKED:
      return yield* dontneed(v, mm, vma, start, end, VM_PFNMAP);
    case MADV_REMOVE:
      return yield* remove(vma);
    case MADV_FREE:
    case MADV_COLD:
    case MADV_PAGEOUT:
      return yield* adviseLru(vma, advice);
    case MADV_WILLNEED:
      return 0;
    default:
      return yield* updateVma(v, mm, vma, start, end, advice);
  }
}
