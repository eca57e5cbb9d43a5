/**
 * The line VmFlags of /proc/PID/smaps and the permissions of /proc/PID/maps
 * (fs/proc/task_mmu.c: show_smap_vma_flags(), show_vma_header_prefix()), for people and players.
 */
import {
  VM_ACCOUNT,
  VM_DONTCOPY,
  VM_DONTDUMP,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_HUGEPAGE,
  VM_IO,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_MIXEDMAP,
  VM_NOHUGEPAGE,
  VM_NORESERVE,
  VM_PFNMAP,
  VM_RAND_READ,
  VM_READ,
  VM_SEQ_READ,
  VM_SHARED,
  VM_SOFTDIRTY,
  VM_WIPEONFORK,
  VM_WRITE,
} from '../mm/vma.ts';

/** Flags and their mnemonics, in the order of the bits, which is that of the line. */
const MNEMONICS: readonly (readonly [flag: number, mnemonic: string])[] = [
  [VM_READ, 'rd'],
  [VM_WRITE, 'wr'],
  [VM_EXEC, 'ex'],
  [VM_SHARED, 'sh'],
  [VM_MAYREAD, 'mr'],
  [VM_MAYWRITE, 'mw'],
  [VM_MAYEXEC, 'me'],
  [VM_MAYSHARE, 'ms'],
  [VM_PFNMAP, 'pf'],
  [VM_LOCKED, 'lo'],
  [VM_IO, 'io'],
  [VM_SEQ_READ, 'sr'],
  [VM_RAND_READ, 'rr'],
  [VM_DONTCOPY, 'dc'],
  [VM_DONTEXPAND, 'de'],
  [VM_LOCKONFAULT, 'lf'],
  [VM_ACCOUNT, 'ac'],
  [VM_NORESERVE, 'nr'],
  [VM_WIPEONFORK, 'wf'],
  [VM_DONTDUMP, 'dd'],
  [VM_SOFTDIRTY, 'sd'],
  [VM_MIXEDMAP, 'mm'],
  [VM_HUGEPAGE, 'hg'],
  [VM_NOHUGEPAGE, 'nh'],
];

/** show_smap_vma_flags(). @param flags - VM_*. @returns mnemonics, a space between two. */
export function vmFlagsText(flags: number): string {
  const set = MNEMONICS.filter(([flag]) => (flags & flag) !== 0);
  return set.map(([, mnemonic]) => mnemonic).join(' ');
}

/** The permissions of a VMA. @param flags - VM_*. @returns as `rw-s`. */
export function permsText(flags: number): string {
  const letter = (flag: number, set: string): string => ((flags & flag) !== 0 ? set : '-');
  const access = letter(VM_READ, 'r') + letter(VM_WRITE, 'w') + letter(VM_EXEC, 'x');
  return access + ((flags & VM_MAYSHARE) !== 0 ? 's' : 'p');
}
