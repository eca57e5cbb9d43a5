/** The caches of the machine that a benchmark runs on, and what that means for a lookup. */
import { readFileSync } from 'node:fs';
import type { LookupName } from './lookup-names.ts';

/** Where the system does not tell. */
const USUAL_BYTES = 512 * 1024;
const LEVEL_2 = '/sys/devices/system/cpu/cpu0/cache/index2/size';

/** @param text - as Linux writes a size: `2048K`. @returns bytes. */
export function bytesOf(text: string): number {
  const told = /^(\d+)K$/.exec(text.trim());
  return told === null ? USUAL_BYTES : Number(told[1]) * 1024;
}

/** Bytes of the largest cache that a core has for itself: its second level. */
export function coreCacheBytes(): number {
  try {
    return bytesOf(readFileSync(LEVEL_2, 'utf8'));
  } catch {
    return USUAL_BYTES;
  }
}

/** Bytes that GUP-fast touches of each page: its record, its PTE, and both ways of translation. */
const GUP_BYTES_PER_PAGE = 76;

/**
 * Are batches faster than one lookup after the other? Those of GUP-fast of single pages where
 * caches miss enough to make up for them, all others always.
 */
export function batchesPay(lookup: LookupName, pages: number, cacheBytes: number): boolean {
  if (lookup !== 'gup-fast-2' && lookup !== 'gup-fast-4') return true;
  return pages * GUP_BYTES_PER_PAGE >= cacheBytes;
}
