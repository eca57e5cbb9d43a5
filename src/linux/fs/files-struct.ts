/**
 * Tables of open files (include/linux/fdtable.h: struct files_struct, struct fdtable). Threads, and
 * processes of clone(CLONE_FILES), share one; fork copies it.
 *
 * count        tasks that share the table (and whoever else holds it)              [GST]
 * fileLock     spinlock: the bitmaps, nextFd, and who stores into a slot
 * FdSlot       the file of a number, NO_FILE if none; read without the lock
 * FdBitmap     openFds: numbers in use, also while their file is not installed yet;
 *              closeOnExec: numbers that exec closes
 *
 * Not modelled: growing. The number of slots is RLIMIT_NOFILE.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { lowestClear, slabAlloc } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { EMFILE } from '../errno.ts';
import { BUG_FD_NOT_OPEN } from './bugs.ts';
import { NO_FILE } from './file.ts';

/** No table: a kernel thread, or a task after exit_files(). */
export const NO_FILES = -1;

export const Files = defineTable(
  'files[%]',
  ['filesStructs'],
  {
    count: '[GST] tasks that share it',
    fileLock: '[GST] file_lock: spinlock',
    nextFd: '[GST] next_fd: no number below it is free; fileLock',
  },
  { lineAligned: true },
);

export const FilesPool = defineTable('files_cache[%]', ['filesStructWords'], {
  value: '[GST] bitmap of the tables in use (slab.ts)',
});

export const FdSlot = defineTable('files[%].fd[%]', ['filesStructs', 'fds'], {
  value: '[GST] the file, NO_FILE if none; stored under fileLock',
});

export const FdBitmap = defineTable('files[%].fdt[%]', ['filesStructs', 'fdWords'], {
  openFds: '[GST] open_fds: numbers in use; fileLock',
  closeOnExec: '[GST] close_on_exec; fileLock',
});

/** `current->files` of the task that a vCPU runs. */
export const CurrentFiles = defineTable('%v.files', ['vcpus'], {
  value: '[VCPU] table of open files of the running task, -1 if none',
});

/** The table of open files of the task that runs on a vCPU. */
export function currentFiles(v: number): number {
  return readLocal(CurrentFiles.value.at(v));
}

/** The task that runs on a vCPU from now on has this table. @param files - or NO_FILES. */
export function setCurrentFiles(v: number, files: number): void {
  writeLocal(CurrentFiles.value.at(v), files);
}

/** How many numbers a table has: rlimit(RLIMIT_NOFILE). */
export function maxFds(): number {
  return FdSlot.value.count;
}

/** An empty table with one user, for the first process. @returns it, or -1 if none is left. */
export function* filesAlloc(): Op {
  const files = yield* slabAlloc(FilesPool.value.word, Files.count.count);
  if (files < 0) return NO_FILES;
  yield* write(Files.fileLock.at(files), 0);
  yield* write(Files.nextFd.at(files), 0);
  for (let w = 0; w < FdBitmap.openFds.count; w++) {
    yield* write(FdBitmap.openFds.at2(files, w), 0);
    yield* write(FdBitmap.closeOnExec.at2(files, w), 0);
  }
  for (let fd = 0; fd < maxFds(); fd++) yield* write(FdSlot.value.at2(files, fd), NO_FILE);
  yield* write(Files.count.at(files), 1);
  return files;
}

/** @returns 1 if a number is in use, 0 if not. The caller holds fileLock. */
export function* fdIsOpen(files: number, fd: number): Op {
  return ((yield* read(FdBitmap.openFds.at2(files, fd >>> 5))) >>> (fd & 31)) & 1;
}

/** fs/file.c: __set_open_fd() and __set_close_on_exec(). The caller holds fileLock. */
export function* setOpenFd(files: number, fd: number, cloexec: number): Op<void> {
  const open = FdBitmap.openFds.at2(files, fd >>> 5);
  yield* write(open, (yield* read(open)) | (1 << (fd & 31)));
  yield* setCloseOnExec(files, fd, cloexec);
}

/** fs/file.c: __set_close_on_exec(), __clear_close_on_exec(). The caller holds fileLock. */
export function* setCloseOnExec(files: number, fd: number, cloexec: number): Op<void> {
  const word = FdBitmap.closeOnExec.at2(files, fd >>> 5);
  const bits = yield* read(word);
  const bit = 1 << (fd & 31);
  yield* write(word, cloexec === 1 ? bits | bit : bits & ~bit);
}

/** fs/file.c: find_next_fd(). The caller holds fileLock. @returns a free number, or maxFds(). */
function* findNextFd(files: number, start: number): Op {
  for (let w = start >>> 5; w < FdBitmap.openFds.count; w++) {
    const below = w === start >>> 5 ? (1 << (start & 31)) - 1 : 0;
    const bit = lowestClear((yield* read(FdBitmap.openFds.at2(files, w))) | below);
    if (bit < 32) return Math.min(w * 32 + bit, maxFds());
  }
  return maxFds();
}

/**
 * fs/file.c: alloc_fd(). The caller holds fileLock.
 * @param start - lowest number that will do. @param cloexec - 1: exec closes it.
 * @returns the number, without a file yet; or -EMFILE.
 */
export function* allocFdLocked(files: number, start: number, cloexec: number): Op {
  const next = yield* read(Files.nextFd.at(files));
  const fd = yield* findNextFd(files, Math.max(start, next));
  if (fd >= maxFds()) return -EMFILE;
  if (start <= next) yield* write(Files.nextFd.at(files), fd + 1);
  yield* setOpenFd(files, fd, cloexec);
  return fd;
}

/** fs/file.c: __put_unused_fd(). The caller holds fileLock. */
export function* putUnusedFdLocked(files: number, fd: number): Op<void> {
  const word = FdBitmap.openFds.at2(files, fd >>> 5);
  const bits = yield* read(word);
  warnOn(((bits >>> (fd & 31)) & 1) === 0, BUG_FD_NOT_OPEN, files, fd);
  yield* write(word, bits & ~(1 << (fd & 31)));
  if (fd < (yield* read(Files.nextFd.at(files)))) yield* write(Files.nextFd.at(files), fd);
}
