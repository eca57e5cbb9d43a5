/**
 * What user space and the gntdev driver agree on (include/uapi/xen/gntdev.h). Sizes are bytes.
 *
 * The argument of an ioctl is a record of words here: a field of the structure, whatever its width,
 * is one word, in the structure's order. `pad` has none; file offsets are counted in pages.
 */
import { ioc } from './ioctl.ts';

/** struct ioctl_gntdev_grant_ref { domid, ref } */
export const GRANT_REF_DOMID = 0;
export const GRANT_REF_REF = 1;
export const GRANT_REF_WORDS = 2;

/** struct ioctl_gntdev_map_grant_ref: IN count; OUT index; IN refs[]. */
export const MAP_GRANT_REF_COUNT = 0;
export const MAP_GRANT_REF_INDEX = 1;
export const MAP_GRANT_REF_REFS = 2;

/** struct ioctl_gntdev_unmap_grant_ref: IN index, count. */
export const UNMAP_GRANT_REF_INDEX = 0;
export const UNMAP_GRANT_REF_COUNT = 1;
export const UNMAP_GRANT_REF_WORDS = 2;

/** struct ioctl_gntdev_get_offset_for_vaddr: IN vaddr (a vpn); OUT offset, count. */
export const GET_OFFSET_VADDR = 0;
export const GET_OFFSET_OFFSET = 1;
export const GET_OFFSET_COUNT = 2;
export const GET_OFFSET_WORDS = 3;

/** struct ioctl_gntdev_set_max_grants: IN count. */
export const SET_MAX_GRANTS_COUNT = 0;
export const SET_MAX_GRANTS_WORDS = 1;

/** struct ioctl_gntdev_unmap_notify: IN index (page, word in it), action, event_channel_port. */
export const UNMAP_NOTIFY_INDEX = 0;
export const UNMAP_NOTIFY_OFFSET = 1;
export const UNMAP_NOTIFY_ACTION = 2;
export const UNMAP_NOTIFY_PORT = 3;
export const UNMAP_NOTIFY_WORDS = 4;

/**
 * struct gntdev_grant_copy_segment. IN source and dest: virt (vpn, word in it) or foreign (ref,
 * offset, domid) as flags (GNTCOPY_*_gref) tell; len; OUT status.
 */
export const COPY_SEGMENT_SOURCE = 0;
export const COPY_SEGMENT_SOURCE_OFFSET = 1;
export const COPY_SEGMENT_SOURCE_DOMID = 2;
export const COPY_SEGMENT_DEST = 3;
export const COPY_SEGMENT_DEST_OFFSET = 4;
export const COPY_SEGMENT_DEST_DOMID = 5;
export const COPY_SEGMENT_LEN = 6;
export const COPY_SEGMENT_FLAGS = 7;
export const COPY_SEGMENT_STATUS = 8;
export const COPY_SEGMENT_WORDS = 9;

/** struct ioctl_gntdev_grant_copy: IN count, segments (a word index). */
export const GRANT_COPY_COUNT = 0;
export const GRANT_COPY_SEGMENTS = 1;
export const GRANT_COPY_WORDS = 2;

export const IOCTL_GNTDEV_MAP_GRANT_REF = ioc('G', 0, 24);
export const IOCTL_GNTDEV_UNMAP_GRANT_REF = ioc('G', 1, 16);
export const IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR = ioc('G', 2, 24);
export const IOCTL_GNTDEV_SET_MAX_GRANTS = ioc('G', 3, 4);
export const IOCTL_GNTDEV_SET_UNMAP_NOTIFY = ioc('G', 7, 16);
export const IOCTL_GNTDEV_GRANT_COPY = ioc('G', 8, 16);

/** UNMAP_NOTIFY_CLEAR_BYTE: clear the byte at the index. */
export const UNMAP_NOTIFY_CLEAR_BYTE = 1;
/** UNMAP_NOTIFY_SEND_EVENT: notify the event channel. */
export const UNMAP_NOTIFY_SEND_EVENT = 2;
