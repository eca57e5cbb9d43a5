/** The tables of files and what is behind them, their default sizes, and their boot. */
import { firstVcpuOf, vcpusPerDomain } from '../../hardware/params.ts';
import type { AnyTable } from '../../shared/table.ts';
import { RemotePage } from './access-vm.ts';
import { AioEvent, Kiocb, KiocbPool, Kioctx, KioctxPool } from './aio-complete.ts';
import { Bio, BioPool, BioVec, Loop } from './bio.ts';
import { Bdev, DioPage } from './block-file.ts';
import { Brd, BrdPage } from './brd.ts';
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
import { FutexPage, FutexSequence } from './futex-key.ts';
import { FutexBucket, FutexQ } from './futex.ts';
import { Uring, UringPage, UringPool } from './io-uring.ts';
import { IovIter } from './iov-iter.ts';
import { Inode, InodePage, InodePool } from './page-cache.ts';
import { Pipe, PipeBuffer, PipePool } from './pipe-ring.ts';
import { ProcessPage } from './process-vm.ts';
import { SplicePage } from './splice-pages.ts';
import { SpliceVec } from './splice.ts';

export const fsTables: readonly AnyTable[] = [
  File,
  FilePool,
  Files,
  FilesPool,
  FdSlot,
  FdBitmap,
  CurrentFiles,
  IovIter,
  Pipe,
  PipePool,
  PipeBuffer,
  SplicePage,
  SpliceVec,
  Inode,
  InodePool,
  InodePage,
  Brd,
  BrdPage,
  Bdev,
  Bio,
  BioPool,
  BioVec,
  Loop,
  DioPage,
  Kioctx,
  KioctxPool,
  AioEvent,
  Kiocb,
  KiocbPool,
  Uring,
  UringPool,
  UringPage,
  RemotePage,
  ProcessPage,
  FutexBucket,
  FutexQ,
  FutexPage,
  FutexSequence,
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
  /** Pipes of the machine, and slots of each: PIPE_DEF_BUFFERS, a power of two. */
  pipes: 4,
  pipeWords: 1,
  pipeSlots: 16,
  /** Pages that vmsplice takes at a time: 16 in life. */
  splicePages: 16,
  /** Files of tmpfs and block devices, and pages of each one's cache. */
  inodes: 8,
  inodeWords: 1,
  inodePages: 8,
  /** Disks of the machine, DISKS_PER_DOMAIN for each domain, and pages of each. */
  disks: 32,
  diskPages: 8,
  /** Block I/O requests in flight, and pages of each: BIO_MAX_VECS, 256 in life. */
  bios: 8,
  bioWords: 1,
  bioVecs: 16,
  /** Contexts of asynchronous I/O, requests, and events of a context. */
  kioctxs: 2,
  kioctxWords: 1,
  kiocbs: 8,
  kiocbWords: 1,
  aioEvents: 8,
  /** io_uring rings, and pages of the registered buffers of each. */
  urings: 2,
  uringWords: 1,
  uringPages: 16,
  /** Pages that process_vm_readv pins at a time: 16 in life. */
  processPages: 16,
  /** Buckets of futexes: 256 for each CPU in life. */
  futexBuckets: 4,
} as const;

/** No task of a domain has open files yet. @param d - domain. */
export function bootFs(d: number): void {
  for (let i = 0; i < vcpusPerDomain(); i++) setCurrentFiles(firstVcpuOf(d) + i, NO_FILES);
}
