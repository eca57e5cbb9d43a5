/**
 * Page-table entries, page tables in machine frames, and the walks over them.
 *
 * Entry: bits 0–8 flags, bits 9–30 mfn. x86-64 has its flags in bits 0–11 and 52–63; the flags
 * here are those that Xen and Linux look at. A tree has Params.ptLevels levels of
 * Params.ptEntries entries; level 1 is the leaf. Every entry is one word: loads and stores of it
 * are single, a walk is not. The hardware reads one entry a step, so a walk races with whoever
 * clears an entry.
 *
 * Frames below Params.ptFrames have their first Params.ptEntries words in table PtWord and so can
 * hold page tables; all other words of the Params.frameWords of a frame are in table FrameWord.
 *
 * Not modelled: accessed and dirty bits are never set by the hardware; no user/supervisor check,
 * no execute permission, no large pages, no caching of upper-level entries.
 */
import type { Op } from '../shared/op.ts';
import { readOnce } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { frameCount, ptEntryCount, ptFrameCount, ptLevels, ptShift } from './params.ts';

export const PTE_PRESENT = 1 << 0;
export const PTE_RW = 1 << 1;
export const PTE_USER = 1 << 2;
export const PTE_ACCESSED = 1 << 3;
export const PTE_DIRTY = 1 << 4;
/** Linux's _PAGE_SPECIAL; the bit that GNTMAP's guest_avail0 sets. */
export const PTE_SPECIAL = 1 << 5;
/** Xen's _PAGE_GNTTAB: debug builds mark grant mappings. */
export const PTE_GNTTAB = 1 << 6;
/** Linux's _PAGE_PROTNONE: an entry that only Linux calls present. */
export const PTE_PROTNONE = 1 << 7;
export const PTE_FLAGS_MASK = 0x1ff;
export const PTE_MFN_SHIFT = 9;
/** Mfns are below it. */
export const MFN_LIMIT = 1 << 22;

export const PtWord = defineTable(
  'frame[%].word[%]',
  ['ptFrames', 'ptEntries'],
  { value: '[XEN,GST] page-table entry, or data while the frame holds no table' },
  { watched: true },
);

export const FrameWord = defineTable(
  'frame[%].word[%]',
  ['frames', 'frameWords'],
  { value: '[ANY] data' },
  { watched: true },
);

/** Builds an entry. @param mfn - frame. @param flags - PTE_* bits. */
export function makePte(mfn: number, flags: number): number {
  return (mfn << PTE_MFN_SHIFT) | flags;
}

/** The frame an entry names. @returns mfn. */
export function pteMfn(pte: number): number {
  return (pte >> PTE_MFN_SHIFT) & (MFN_LIMIT - 1);
}

/** The flags of an entry. @returns PTE_* bits. */
export function pteFlags(pte: number): number {
  return pte & PTE_FLAGS_MASK;
}

/** Where an entry lies. @param mfn - frame of the table. @param index - entry in it. */
export function ptEntryWord(mfn: number, index: number): number {
  return PtWord.value.at2(mfn, index);
}

/** Where a word of a frame's contents lies. @param mfn - frame. @param offset - word in it. */
export function frameWord(mfn: number, offset: number): number {
  if (mfn < ptFrameCount() && offset < ptEntryCount()) return PtWord.value.at2(mfn, offset);
  return FrameWord.value.at2(mfn, offset);
}

/** The entry that a vpn uses in a table. @param level - 1 for the leaf. @returns an index. */
export function ptIndex(vpn: number, level: number): number {
  return (vpn >> (ptShift() * (level - 1))) & (ptEntryCount() - 1);
}

/** Is there memory for this entry's page table? A frame out of range reads as absent. */
export function namesTable(pte: number): boolean {
  return (pte & PTE_PRESENT) !== 0 && pteMfn(pte) < ptFrameCount();
}

/** Is there memory behind this leaf entry? */
export function namesFrame(pte: number): boolean {
  return (pte & PTE_PRESENT) !== 0 && pteMfn(pte) < frameCount();
}

/**
 * Lock-free software walk, one READ_ONCE a level, to the leaf entry of a vpn.
 * @param v - vCPU that walks. @param root - mfn of the top table. @param vpn - virtual page.
 * @returns the word of the leaf entry, or -1 if a table is missing on the way.
 */
export function* walkToPte(v: number, root: number, vpn: number): Op {
  let table = root;
  for (let level = ptLevels(); level > 1; level--) {
    const entry = yield* readOnce(ptEntryWord(table, ptIndex(vpn, level)));
    if (!namesTable(entry)) return -1;
    table = pteMfn(entry);
  }
  return ptEntryWord(table, ptIndex(vpn, 1));
}
