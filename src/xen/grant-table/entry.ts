/**
 * Shared grant entries and their status (xen/include/public/grant_table.h: struct grant_entry_v1,
 * union grant_entry_v2, grant_status_t), as guest and hypervisor see them.
 *
 * Version 1, entry[ref]
 *   hdr    flags:16 | domid:16   [XEN,GST]  Xen changes both halves as one 32-bit unit
 *                                           (xen/common/grant_table.c: union grant_combo)
 *   frame  frame                 [GST]      the machine frame for a PV guest
 * Version 2 lies over the same words: entry `ref` is entry[2·ref] and entry[2·ref + 1] as version 1
 * numbers them (public/grant-table.ts has the four words). Its status is GrantStatus, the only
 * part of it that Xen writes but for transfers.
 *
 * A status word exists while its frame does: gt->status[] in GrantStatusFrame, which set_version
 * fills and empties. Only the lower 16 bits are used.
 *
 * Publishing and revoking by the guest: public/grant-table.ts. Xen sets GTF_reading and GTF_writing
 * under the active entry's lock, against a guest that takes no lock (status.ts).
 */
import { defineTable } from '../../shared/table.ts';
import { gnttabStatusPerFrame } from '../params.ts';

export const GrantEntry = defineTable(
  'gnttab[d%].entry[%]',
  ['domains', 'gnttabEntries'],
  {
    hdr: '[XEN,GST] flags:16 | domid:16',
    frame: '[GST] frame that may be accessed',
  },
  { watched: true },
);

export const GrantStatus = defineTable(
  'gnttab[d%].status[%]',
  ['domains', 'gnttabV2Entries'],
  { value: '[XEN] GTF_reading and GTF_writing of a version 2 entry' },
  { watched: true },
);

export const GrantStatusFrame = defineTable(
  'gnttab[d%].status_frame[%]',
  ['domains', 'gnttabStatusFrames'],
  { value: '[XEN] gt->status[]: mfn of the frame, 0 if there is none; lock protects it' },
);

/** Bits of the domid in word 0. */
export const DOMID_SHIFT = 16;
export const FLAGS_MASK = 0xffff;

/** No status word: the version changed and the entry is gone. */
export const NO_STATUS = -1;

/** Word 0 of an entry. @param flags - GTF_*. @param domid - who may use it. */
export function entryHeader(flags: number, domid: number): number {
  return (domid << DOMID_SHIFT) | (flags & FLAGS_MASK);
}

/** @param hdr - word 0. @returns GTF_* bits. */
export function headerFlags(hdr: number): number {
  return hdr & FLAGS_MASK;
}

/** @param hdr - word 0. @returns the domain that may use the entry. */
export function headerDomid(hdr: number): number {
  return hdr >>> DOMID_SHIFT;
}

/**
 * xen/common/grant_table.c: shared_entry_header().
 * @param version - of the domain's table. @returns the word of the header.
 */
export function sharedEntryHeader(d: number, ref: number, version: number): number {
  return GrantEntry.hdr.at2(d, version === 1 ? ref : 2 * ref);
}

/** shared_entry_v1().frame, or the lower half of shared_entry_v2().full_page.frame. */
export function sharedEntryFrame(d: number, ref: number, version: number): number {
  return version === 1 ? GrantEntry.frame.at2(d, ref) : GrantEntry.hdr.at2(d, 2 * ref + 1);
}

/** shared_entry_v2().full_page.frame, its upper half. @returns a word. */
export function sharedEntryFrameHigh(d: number, ref: number): number {
  return GrantEntry.frame.at2(d, 2 * ref + 1);
}

/** shared_entry_v2(): page_off:16 | length:16, or trans_domid:16. @returns a word. */
export function sharedEntryPart(d: number, ref: number): number {
  return GrantEntry.frame.at2(d, 2 * ref);
}

/** shared_entry_v2().transitive.gref. @returns a word. */
export function sharedEntryTransGref(d: number, ref: number): number {
  return GrantEntry.hdr.at2(d, 2 * ref + 1);
}

/** Word 1 of a sub-page grant. @param pageOff - first word. @param length - words. */
export function subPagePart(pageOff: number, length: number): number {
  return pageOff | (length << 16);
}

/** xen/common/grant_table.c: status_entry(). @returns a word. */
export function statusEntry(d: number, ref: number): number {
  return GrantStatus.value.at2(d, ref);
}

/** The word with GTF_reading and GTF_writing of an entry: in version 1 its header. */
export function statusWord(d: number, ref: number, version: number): number {
  return version === 1 ? sharedEntryHeader(d, ref, 1) : statusEntry(d, ref);
}

/** The word of gt->status[] for the frame in which the status of an entry lies. */
export function statusFrameOf(d: number, ref: number): number {
  return GrantStatusFrame.value.at2(d, (ref / gnttabStatusPerFrame()) | 0);
}
