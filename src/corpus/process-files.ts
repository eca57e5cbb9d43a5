/**
 * A process of the seed's questions with a table of open files and a page of memory of its own that
 * is there already: what a question about a pipe needs.
 */
import { firstVcpuOf, frameWordCount } from '../hardware/params.ts';
import { getFiles } from '../linux/fs/fd-table.ts';
import { filesAlloc, setCurrentFiles } from '../linux/fs/files-struct.ts';
import { mmapRegion } from '../linux/mm/mmap.ts';
import { userStore } from '../linux/mm/user-access.ts';
import { VM_OPS_ANONYMOUS } from '../linux/mm/vm-ops.ts';
import { VM_READ, VM_WRITE } from '../linux/mm/vma.ts';
import type { Op } from '../shared/op.ts';
import { readLocal, writeLocal } from '../shared/operations.ts';
import { defineTable } from '../shared/table.ts';
import { BACKEND, RaceProcess, startProcess } from './process.ts';

/** Open files of the process. */
export const RaceFile = defineTable('race.file', [], {
  reader: '[BOOT] end of a pipe for reading',
  writer: '[BOOT] its end for writing',
});

/** struct iovec of a call. */
export const RaceArgument = defineTable('race.argument[%]', ['raceArguments'], {
  value: '[SELF] a word of the argument',
});

export const raceFileTables = [RaceFile, RaceArgument];
export const raceFileDefaults = { raceArguments: 2 };

/** The address of a page. @param vpn - page. */
export function addressOf(vpn: number): number {
  return vpn * frameWordCount();
}

/** As startProcess, with open files and a page at `vpn`. */
export function* startProcessWithFiles(threads: number, vpn: number): Op<void> {
  const v = firstVcpuOf(BACKEND);
  yield* startProcess(threads);
  const files = yield* filesAlloc();
  for (let i = 0; i < threads; i++) {
    if (i > 0) yield* getFiles(files);
    setCurrentFiles(v + i, files);
  }
  const mm = readLocal(RaceProcess.mm.word);
  yield* mmapRegion(v, mm, vpn, 1, VM_READ | VM_WRITE, VM_OPS_ANONYMOUS, -1, 0);
  yield* userStore(v, mm, vpn, 0, 0);
}

/** One struct iovec. @returns its word. */
export function iovecOf(address: number, bytes: number): number {
  writeLocal(RaceArgument.value.at(0), address);
  writeLocal(RaceArgument.value.at(1), bytes);
  return RaceArgument.value.at(0);
}
