/**
 * Kinds of advice (include/uapi/asm-generic/mman-common.h) and the lock that each needs
 * (mm/madvise.c: get_lock_mode()). MADV_HWPOISON and MADV_SOFT_OFFLINE are those of a kernel
 * without CONFIG_MEMORY_FAILURE, MADV_COLLAPSE of one without huge pages: -EINVAL.
 */
export const MADV_NORMAL = 0;
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
export const MADV_FREE = 8;
export const MADV_REMOVE = 9;
export const MADV_DONTFORK = 10;
export const MADV_DOFORK = 11;
export const MADV_MERGEABLE = 12;
export const MADV_UNMERGEABLE = 13;
export const MADV_HUGEPAGE = 14;
export const MADV_NOHUGEPAGE = 15;
export const MADV_DONTDUMP = 16;
export const MADV_DODUMP = 17;
export const MADV_WIPEONFORK = 18;
export const MADV_KEEPONFORK = 19;
export const MADV_COLD = 20;
export const MADV_PAGEOUT = 21;
export const MADV_POPULATE_READ = 22;
export const MADV_POPULATE_WRITE = 23;
export const MADV_DONTNEED_LOCKED = 24;

/** The read lock of the VMA, or mmap_lock for reading. */
export const ADVISE_READ_LOCKED = 1;
/** mmap_lock for writing: flags of VMAs change. */
export const ADVISE_WRITE_LOCKED = 2;
/** The advice takes its locks itself, or is none. */
export const ADVISE_UNLOCKED = 0;

/** mm/madvise.c: get_lock_mode(), madvise_behavior_valid(). @returns ADVISE_*. */
export function adviceLock(advice: number): number {
  switch (advice) {
    case MADV_WILLNEED:
    case MADV_DONTNEED:
    case MADV_DONTNEED_LOCKED:
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_COLD:
    case MADV_PAGEOUT:
      return ADVISE_READ_LOCKED;
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_MERGEABLE:
    case MADV_UNMERGEABLE:
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
    case MADV_WIPEONFORK:
    case MADV_KEEPONFORK:
      return ADVISE_WRITE_LOCKED;
    default:
      return ADVISE_UNLOCKED;
  }
}
