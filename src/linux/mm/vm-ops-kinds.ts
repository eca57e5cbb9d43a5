/**
 * Kinds of VMA operations and of notifier callbacks. Simulated code has no function pointers:
 * Vma.ops and MmuInterval.ops hold these numbers, and vm-ops.ts and notifier-ops.ts call the driver.
 */

/** Anonymous memory: faults bring pages. */
export const VM_OPS_ANONYMOUS = 0;
/** drivers/xen/gntdev.c: gntdev_vmops: foreign pages, mapped by the driver at mmap. */
export const VM_OPS_GNTDEV = 1;
/** drivers/xen/gntalloc.c: gntalloc_vmops: own granted pages, inserted by the driver at mmap. */
export const VM_OPS_GNTALLOC = 2;

/** drivers/xen/gntdev.c: gntdev_mmu_ops, for one range (5.5 and later). */
export const NOTIFIER_GNTDEV_RANGE = 1;
/** drivers/xen/gntdev.c: gntdev_mmu_ops, for the whole address space (before 5.5). */
export const NOTIFIER_GNTDEV_MM = 2;
