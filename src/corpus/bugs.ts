/** Numbers of the assertions (warnOn) of the races: what each means, and its operands. */

/** A page that a thread holds could not be reached at the kernel's address: a = page, b = fault. */
export const BUG_HELD_PAGE_FAULT = 0x600;
