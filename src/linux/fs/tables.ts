/** The tables of files and what is behind them, their default sizes, and their boot. */
import { firstVcpuOf, vcpusPerDomain } from '../../hardware/params.ts';
import type { AnyTable } from '../../shared/table.ts';
import { File, FilePool } from './file.ts';
import {
  CurrentFiles,
  FdBitmap,
  FdSlot,
  Files,
  FilesPool,
  NO_FILES,
  setCurrentFiles,
} from './files-struct.ts';

export const fsTables: readonly AnyTable[] = [
  File,
  FilePool,
  Files,
  FilesPool,
  FdSlot,
  FdBitmap,
  CurrentFiles,
];

/** Sizes that this room adds to a configuration: enough for a tiny machine. */
export const fsDefaults = {
  /** Open files of the machine other than those of gntdev and gntalloc: files-max in life. */
  files: 16,
  fileWords: 1,
  /** Tables of open files: one for each process. */
  filesStructs: 4,
  filesStructWords: 1,
  /** Numbers in one of them: RLIMIT_NOFILE, 1024 in life. */
  fds: 16,
  fdWords: 1,
} as const;

/** No task of a domain has open files yet. @param d - domain. */
export function bootFs(d: number): void {
  for (let i = 0; i < vcpusPerDomain(); i++) setCurrentFiles(firstVcpuOf(d) + i, NO_FILES);
}
