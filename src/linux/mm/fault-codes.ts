/**
 * What a page fault is asked for and answers (include/linux/mm_types.h: enum fault_flag, enum
 * vm_fault_reason), and the signals of bad accesses (include/uapi/asm-generic/signal.h, siginfo.h).
 */

/** The access is a store. */
export const FAULT_FLAG_WRITE = 0x1;
/** A page that others map too becomes one of its own, for reading: before a pin. */
export const FAULT_FLAG_UNSHARE = 0x400;
/** The caller has looked at the VMA's rights himself and goes past them (FOLL_FORCE). */
export const FAULT_FLAG_FORCE = 0x1000;

export const VM_FAULT_OOM = 0x1;
export const VM_FAULT_SIGBUS = 0x2;
export const VM_FAULT_SIGSEGV = 0x40;

export const SIGBUS = 7;
export const SIGKILL = 9;
export const SIGSEGV = 11;

/** si_code of SIGSEGV: no VMA. */
export const SEGV_MAPERR = 1;
/** si_code of SIGSEGV: the VMA does not permit it. */
export const SEGV_ACCERR = 2;
/** si_code of SIGBUS: there is no page at the address. */
export const BUS_ADRERR = 2;

/** Register with the signal of a bad access. */
export const REG_SIGNO = 28;
/** Register with its si_code. */
export const REG_SI_CODE = 29;
