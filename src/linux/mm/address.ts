/**
 * User addresses (include/asm-generic/page.h). An address is a number of words: vpn * frameWords +
 * offset. In a machine whose frames keep 4096 words a word is what a byte is in life.
 * Lengths are unsigned in the system calls; one of 2 GiB or more comes as a negative number.
 */
import { frameWordCount, kernelBase } from '../../hardware/params.ts';

/** PAGE_SIZE */
export function pageSize(): number {
  return frameWordCount();
}

/** address >> PAGE_SHIFT. @returns vpn, or the pages of a length that is a multiple of pages. */
export function vpnOfAddress(address: number): number {
  return (address / pageSize()) | 0;
}

/** offset_in_page() */
export function offsetInPage(address: number): number {
  return address % pageSize();
}

/** PAGE_ALIGN(length) >> PAGE_SHIFT. @param length - not negative. @returns pages. */
export function pagesOfLength(length: number): number {
  return vpnOfAddress(length + pageSize() - 1);
}

/** Is a range of pages below TASK_SIZE? */
export function fitsTask(vpn: number, pages: number): boolean {
  return vpn >= 0 && pages >= 0 && pages <= kernelBase() && vpn <= kernelBase() - pages;
}
