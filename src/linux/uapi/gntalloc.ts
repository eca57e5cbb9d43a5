/**
 * What user space and the gntalloc driver agree on (include/uapi/xen/gntalloc.h): as gntdev.ts.
 */
import { ioc } from './ioctl.ts';

/** struct ioctl_gntalloc_alloc_gref: IN domid, flags, count; OUT index, gref_ids[]. */
export const ALLOC_GREF_DOMID = 0;
export const ALLOC_GREF_FLAGS = 1;
export const ALLOC_GREF_COUNT = 2;
export const ALLOC_GREF_INDEX = 3;
export const ALLOC_GREF_IDS = 4;

/** struct ioctl_gntalloc_dealloc_gref: IN index, count. */
export const DEALLOC_GREF_INDEX = 0;
export const DEALLOC_GREF_COUNT = 1;
export const DEALLOC_GREF_WORDS = 2;

/** The grantee may write. */
export const GNTALLOC_FLAG_WRITABLE = 1;

export const IOCTL_GNTALLOC_ALLOC_GREF = ioc('G', 5, 24);
export const IOCTL_GNTALLOC_DEALLOC_GREF = ioc('G', 6, 16);
/** Its structure is gntdev's struct ioctl_gntdev_unmap_notify. */
export const IOCTL_GNTALLOC_SET_UNMAP_NOTIFY = ioc('G', 7, 16);
