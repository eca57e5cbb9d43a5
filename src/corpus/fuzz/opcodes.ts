/**
 * The operations of a fuzzed program, by number. A step is an opcode and up to five operands, all
 * of them words, so that a program is data. What each operand means stands at the function of the
 * step (process-steps.ts, granter-steps.ts).
 */

/** No operation. */
export const FUZZ_NOP = 0;

/** Steps of a thread of the process that maps. */
export const FUZZ_MAP = 1;
export const FUZZ_MUNMAP = 2;
export const FUZZ_MPROTECT = 3;
export const FUZZ_DONTNEED = 4;
export const FUZZ_MREMAP = 5;
export const FUZZ_ANONYMOUS = 6;
export const FUZZ_GUP_FAST = 7;
export const FUZZ_GUP = 8;
export const FUZZ_TOUCH = 9;
export const FUZZ_PUT = 10;
export const FUZZ_LOAD = 11;
export const FUZZ_STORE = 12;
export const FUZZ_UNMAP_IOCTL = 13;
export const FUZZ_NOTIFY = 14;

/** Steps of a thread of the kernel that grants. */
export const FUZZ_GRANT = 15;
export const FUZZ_END = 16;
export const FUZZ_END_DEFERRED = 17;
export const FUZZ_STAMP = 18;
export const FUZZ_FREE_PAGE = 19;
export const FUZZ_NEW_PAGE = 20;

/** Steps of either. */
export const FUZZ_BALLOON_OUT = 21;
export const FUZZ_BALLOON_IN = 22;

/** Opcodes are below it. */
export const FUZZ_OPCODES = 23;
