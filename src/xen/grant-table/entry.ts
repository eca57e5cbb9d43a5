/**
 * Shared grant entries, version 1 (xen/include/public/grant_table.h: struct grant_entry_v1), as
 * guest and hypervisor see them.
 *
 * word 0  flags:16 | domid:16   [XEN,GST]  Xen changes both halves as one 32-bit unit
 *                                          (xen/common/grant_table.c: union grant_combo)
 * word 1  frame                 [GST]      the machine frame for a PV guest
 *
 * Publishing and revoking by the guest: public/grant-table.ts. Xen sets GTF_reading and GTF_writing
 * under the active entry's lock, against a guest that takes no lock (status.ts).
 */
import { defineTable } from '../../shared/table.ts';

export const GrantEntry = defineTable(
  'gnttab[d%].entry[%]',
  ['domains', 'gnttabEntries'],
  {
    hdr: '[XEN,GST] flags:16 | domid:16',
    frame: '[GST] frame that may be accessed',
  },
  { watched: true },
);

/** Bits of the domid in word 0. */
export const DOMID_SHIFT = 16;
export const FLAGS_MASK = 0xffff;

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

/** xen/common/grant_table.c: shared_entry_header(). @returns the word of the header. */
export function sharedEntryHeader(d: number, ref: number): number {
  return GrantEntry.hdr.at2(d, ref);
}
