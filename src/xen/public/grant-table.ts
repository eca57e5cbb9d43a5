/**
 * The grant-table ABI (xen/include/public/grant_table.h).
 *
 * Shared entry, version 1 (struct grant_entry_v1), two words of table `gnttab[d].entry[ref]`
 *   word 0  flags:16 | domid:16   [XEN,GST]  one 32-bit unit, as Xen's `union grant_combo`
 *   word 1  frame                 [GST]      gfn; a PV guest writes the machine frame number
 *
 * Introducing an entry [GST]: 1. domid. 2. frame. 3. write barrier. 4. flags.
 * Here domid and flags share a word, so: frame, write barrier, word 0.
 *
 * Revoking an entry that nobody uses [GST]:
 *   1. read flags. 2. GTF_reading or GTF_writing set: in use, give up.
 *   3. compare-and-swap flags to 0; on failure begin anew. The guest's 16-bit swap is a 32-bit one
 *   that is tried again when only the domid changed.
 *
 * Shared entry, version 2 (union grant_entry_v2), four words in the same frames: entry `ref` lies
 * where entries 2·ref and 2·ref + 1 of version 1 lie.
 *   word 0  flags:16 | domid:16                     [GST]
 *   word 1  sub_page: page_off:16 | length:16       [GST]
 *           transitive: trans_domid:16 | 0          [GST]
 *   word 2  frame, its lower half; transitive: gref [GST]
 *   word 3  frame, its upper half                   [GST]
 * and GTF_reading and GTF_writing lie apart, in a word of a status frame [XEN].
 *
 * Revoking an entry of version 2 [GST]: 1. flags = 0. 2. full barrier. 3. read the status: reading
 * or writing means in use. 4. acquire. Xen's half of it: grant-table/status.ts.
 */

/** GTF_*: bits of the flags of a shared entry. */
export const GTF_invalid = 0;
export const GTF_permit_access = 1;
export const GTF_accept_transfer = 2;
export const GTF_transitive = 3;
export const GTF_type_mask = 3;
/** [GST] The grantee may only read. */
export const GTF_readonly = 1 << 2;
/** [XEN] The grantee has a mapping. */
export const GTF_reading = 1 << 3;
/** [XEN] The grantee has a writable mapping. */
export const GTF_writing = 1 << 4;
export const GTF_sub_page = 1 << 8;
/** [XEN] GTF_accept_transfer: a frame is on its way; the guest leaves the entry alone. */
export const GTF_transfer_committed = 1 << 2;
/** [XEN] GTF_accept_transfer: the frame's number is in the entry. */
export const GTF_transfer_completed = 1 << 3;

/** Entries that the toolstack fills before the guest runs: 0 console, 1 xenstore. */
export const GNTTAB_NR_RESERVED_ENTRIES = 8;

/** GNTMAP_*: what a mapping is for. */
export const GNTMAP_device_map = 1 << 0;
export const GNTMAP_host_map = 1 << 1;
export const GNTMAP_readonly = 1 << 2;
/** The guest's applications may use the mapping (PTE_USER). */
export const GNTMAP_application_map = 1 << 3;
/** The host address is the place of a PTE, not a virtual address. */
export const GNTMAP_contains_pte = 1 << 4;
/** Becomes PTE_SPECIAL in a Linux guest. */
export const GNTMAP_guest_avail0 = 1 << 16;

/** GNTCOPY_*: which side of a copy is named by a grant reference. */
export const GNTCOPY_source_gref = 1 << 0;
export const GNTCOPY_dest_gref = 1 << 1;

/** GNTST_*: status of one operation; 0 or negative. */
export const GNTST_okay = 0;
export const GNTST_general_error = -1;
export const GNTST_bad_domain = -2;
export const GNTST_bad_gntref = -3;
export const GNTST_bad_handle = -4;
export const GNTST_bad_virt_addr = -5;
export const GNTST_bad_dev_addr = -6;
export const GNTST_permission_denied = -8;
export const GNTST_bad_page = -9;
export const GNTST_bad_copy_arg = -10;
export const GNTST_eagain = -12;
export const GNTST_no_space = -13;

/** Printable names of the status codes, by negated code. */
export const GNTST_NAMES: readonly string[] = [
  'GNTST_okay',
  'GNTST_general_error',
  'GNTST_bad_domain',
  'GNTST_bad_gntref',
  'GNTST_bad_handle',
  'GNTST_bad_virt_addr',
  'GNTST_bad_dev_addr',
  'GNTST_no_device_space',
  'GNTST_permission_denied',
  'GNTST_bad_page',
  'GNTST_bad_copy_arg',
  'GNTST_address_too_big',
  'GNTST_eagain',
  'GNTST_no_space',
];

/**
 * Operation records: an array of them lies in words of the calling guest and a hypercall takes
 * the word index of the first. Each constant is the offset of a field from the record's start.
 *
 * struct gnttab_map_grant_ref. IN hostAddr (word index of the PTE with GNTMAP_contains_pte, else a
 * vpn), flags, ref, dom; OUT status, handle, devBusAddr (machine frame).
 */
export const MAP_HOST_ADDR = 0;
export const MAP_FLAGS = 1;
export const MAP_REF = 2;
export const MAP_DOM = 3;
export const MAP_STATUS = 4;
export const MAP_HANDLE = 5;
export const MAP_DEV_BUS_ADDR = 6;
export const MAP_WORDS = 8;

/** struct gnttab_unmap_grant_ref. IN hostAddr, devBusAddr (0: none), handle; OUT status. */
export const UNMAP_HOST_ADDR = 0;
export const UNMAP_DEV_BUS_ADDR = 1;
export const UNMAP_HANDLE = 2;
export const UNMAP_STATUS = 3;
export const UNMAP_WORDS = 4;

/** struct gnttab_unmap_and_replace. IN hostAddr, newAddr (a vpn), handle; OUT status. */
export const REPLACE_HOST_ADDR = 0;
export const REPLACE_NEW_ADDR = 1;
export const REPLACE_HANDLE = 2;
export const REPLACE_STATUS = 3;
export const REPLACE_WORDS = 4;

/**
 * struct gnttab_copy. IN source and dest (a ref with the GNTCOPY_*_gref flag, else a machine
 * frame of the caller), their domids, offsets and length in words of a frame, flags; OUT status.
 */
export const COPY_SOURCE = 0;
export const COPY_SOURCE_DOMID = 1;
export const COPY_SOURCE_OFFSET = 2;
export const COPY_DEST = 3;
export const COPY_DEST_DOMID = 4;
export const COPY_DEST_OFFSET = 5;
export const COPY_LEN = 6;
export const COPY_FLAGS = 7;
export const COPY_STATUS = 8;
export const COPY_WORDS = 12;

/** struct gnttab_setup_table. IN dom, nrFrames, frameList (word index); OUT status. */
export const SETUP_DOM = 0;
export const SETUP_NR_FRAMES = 1;
export const SETUP_STATUS = 2;
export const SETUP_FRAME_LIST = 3;
export const SETUP_WORDS = 4;

/** struct gnttab_query_size. IN dom; OUT nrFrames, maxNrFrames, status. */
export const QUERY_DOM = 0;
export const QUERY_NR_FRAMES = 1;
export const QUERY_MAX_NR_FRAMES = 2;
export const QUERY_STATUS = 3;
export const QUERY_WORDS = 4;

/**
 * struct gnttab_transfer. IN mfn (a frame of the caller), domid, ref (an entry with
 * GTF_accept_transfer of that domain); OUT status.
 */
export const TRANSFER_MFN = 0;
export const TRANSFER_DOMID = 1;
export const TRANSFER_REF = 2;
export const TRANSFER_STATUS = 3;
export const TRANSFER_WORDS = 4;

/** struct gnttab_set_version. IN version; OUT version, the one that the table has now. */
export const SET_VERSION_VERSION = 0;
export const SET_VERSION_WORDS = 1;

/** struct gnttab_get_version. IN dom; OUT version. */
export const GET_VERSION_DOM = 0;
export const GET_VERSION_VERSION = 1;
export const GET_VERSION_WORDS = 2;

/** struct gnttab_get_status_frames. IN nrFrames, dom, frameList (word index); OUT status. */
export const STATUS_FRAMES_NR = 0;
export const STATUS_FRAMES_DOM = 1;
export const STATUS_FRAMES_STATUS = 2;
export const STATUS_FRAMES_LIST = 3;
export const STATUS_FRAMES_WORDS = 4;

/** struct gnttab_swap_grant_ref. IN refA, refB of the caller; OUT status. */
export const SWAP_REF_A = 0;
export const SWAP_REF_B = 1;
export const SWAP_STATUS = 2;
export const SWAP_WORDS = 3;
