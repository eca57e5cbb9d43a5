/**
 * Signals as on x86 (include/uapi/asm-generic/signal.h) and what happens without a handler
 * (include/linux/signal.h: SIG_KERNEL_*_MASK). SIGBUS, SIGKILL and SIGSEGV: mm/fault-codes.ts.
 */
import { SIGBUS, SIGKILL, SIGSEGV } from '../mm/fault-codes.ts';

export const SIGPIPE = 13;
export const SIGTERM = 15;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGWINCH = 28;
/** Signals are 1 … SIGNALS; those of real time are not modelled. */
export const SIGNALS = 31;

/** sigaction(2): what is done with a signal. */
export const SIG_DFL = 0;
export const SIG_IGN = 1;
/** Any handler of the program. */
export const SIG_HANDLER = 2;

/** The bit of a signal in a set. */
export function sigmask(signo: number): number {
  return 1 << (signo - 1);
}

/** SIG_KERNEL_IGNORE_MASK, and those that stop or continue: there is no job control here. */
const NO_ACTION =
  sigmask(SIGCHLD) |
  sigmask(SIGCONT) |
  sigmask(SIGURG) |
  sigmask(SIGWINCH) |
  sigmask(SIGSTOP) |
  sigmask(SIGTSTP) |
  sigmask(SIGTTIN) |
  sigmask(SIGTTOU);

/** SYNCHRONOUS_MASK, of the signals that faults raise: they come before others. */
export const SYNCHRONOUS_MASK = sigmask(SIGSEGV) | sigmask(SIGBUS);

/** SIG_KERNEL_ONLY_MASK: neither blocked nor handled. */
export const KERNEL_ONLY_MASK = sigmask(SIGKILL) | sigmask(SIGSTOP);

/** sig_kernel_ignore(): without a handler nothing happens. */
export function isIgnoredByDefault(signo: number): boolean {
  return (NO_ACTION & sigmask(signo)) !== 0;
}
