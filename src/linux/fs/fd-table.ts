/**
 * Descriptors (fs/file.c). The table is files-struct.ts.
 *
 * Finding a file
 *   fdget   a task that has its table alone needs no reference: nobody else can close the number
 *           while the call runs. With others: fget.
 *   fget    without a lock: 1. read the slot. 2. take a reference unless the count is 0. 3. read
 *           the slot again. If it names another file now, the one we hold may be any: put it, look
 *           again.
 * Opening: a free number under fileLock, then the file, then the slot (release).
 * Closing: under fileLock the slot becomes empty and the number free; then fput.
 *
 * A number that is closed while another thread is in a call on it stays usable for that call: its
 * reference keeps the file.
 */
import type { Op } from '../../shared/op.ts';
import { read, readOnce, fetchAdd, storeRelease, warnOn, xchg } from '../../shared/operations.ts';
import { slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { EBADF } from '../errno.ts';
import { BUG_FD_INSTALLED, BUG_FILES_COUNT } from './bugs.ts';
import { NO_FILE, fput, getFile, getFileRcu } from './file.ts';
import {
  FdBitmap,
  FdSlot,
  Files,
  FilesPool,
  NO_FILES,
  allocFdLocked,
  currentFiles,
  filesAlloc,
  maxFds,
  putUnusedFdLocked,
  setCloseOnExec,
  setOpenFd,
} from './files-struct.ts';

/** Bit of what fdget returns: fdput has a reference to give back (FDPUT_FPUT). */
const FDPUT_FPUT = 1 << 30;

/** fs/file.c: files_lookup_fd_raw(). @returns the file or NO_FILE; no reference. */
export function* filesLookupFd(files: number, fd: number): Op {
  if (fd < 0 || fd >= maxFds()) return NO_FILE;
  return yield* readOnce(FdSlot.value.at2(files, fd));
}

/**
 * fs/file.c: __fget_files_rcu()
 * @param v - vCPU of the task. @returns the file with a reference, or NO_FILE.
 */
export function* fget(v: number, files: number, fd: number): Op {
  for (;;) {
    const file = yield* filesLookupFd(files, fd);
    if (file === NO_FILE) return NO_FILE;
    if ((yield* getFileRcu(file)) === 0) continue;
    if ((yield* filesLookupFd(files, fd)) === file) return file;
    yield* fput(v, file);
  }
}

/**
 * fs/file.c: __fdget(): for the length of one call.
 * @param v - vCPU of the task. @param fd - its number.
 * @returns for fdFile and fdput, or NO_FILE.
 */
export function* fdget(v: number, fd: number): Op {
  const files = currentFiles(v);
  if ((yield* readOnce(Files.count.at(files))) === 1) return yield* filesLookupFd(files, fd);
  const file = yield* fget(v, files, fd);
  return file === NO_FILE ? NO_FILE : file | FDPUT_FPUT;
}

/** include/linux/file.h: struct fd: file. @param found - what fdget returned, not NO_FILE. */
export function fdFile(found: number): number {
  return found & ~FDPUT_FPUT;
}

/** include/linux/file.h: fdput(). @param v - vCPU of the task. @param found - of fdget. */
export function* fdput(v: number, found: number): Op<void> {
  if ((found & FDPUT_FPUT) !== 0) yield* fput(v, fdFile(found));
}

/** fs/file.c: get_unused_fd_flags(). @returns a number without a file, or -EMFILE. */
export function* getUnusedFd(files: number, start: number, cloexec: number): Op {
  yield* spinLock(Files.fileLock.at(files));
  const fd = yield* allocFdLocked(files, start, cloexec);
  yield* spinUnlock(Files.fileLock.at(files));
  return fd;
}

/** fs/file.c: put_unused_fd(): a number that got no file. */
export function* putUnusedFd(files: number, fd: number): Op<void> {
  yield* spinLock(Files.fileLock.at(files));
  yield* putUnusedFdLocked(files, fd);
  yield* spinUnlock(Files.fileLock.at(files));
}

/** fs/file.c: fd_install(). @param file - its reference is the table's from now on. */
export function* fdInstall(files: number, fd: number, file: number): Op<void> {
  const word = FdSlot.value.at2(files, fd);
  const before = yield* read(word);
  warnOn(before !== NO_FILE, BUG_FD_INSTALLED, fd, before);
  yield* storeRelease(word, file);
}

/**
 * A file gets the lowest free number of the running task.
 * @param file - a negative error is handed on; otherwise its reference goes to the table.
 * @param cloexec - 1: exec closes it. @returns the number, or a negative error.
 */
export function* installFile(v: number, file: number, cloexec: number): Op {
  if (file < 0) return file;
  const files = currentFiles(v);
  const fd = yield* getUnusedFd(files, 0, cloexec);
  if (fd < 0) yield* fput(v, file);
  else yield* fdInstall(files, fd, file);
  return fd;
}

/** fs/file.c: file_close_fd_locked(). The caller holds fileLock. @returns the file or NO_FILE. */
export function* takeFdLocked(files: number, fd: number): Op {
  const file = yield* filesLookupFd(files, fd);
  if (file === NO_FILE) return NO_FILE;
  yield* storeRelease(FdSlot.value.at2(files, fd), NO_FILE);
  yield* putUnusedFdLocked(files, fd);
  return file;
}

/** close(2). fs/open.c: close(). @param v - vCPU of the task. @returns 0 or -EBADF. */
export function* sysClose(v: number, fd: number): Op {
  const files = currentFiles(v);
  yield* spinLock(Files.fileLock.at(files));
  const file = yield* takeFdLocked(files, fd);
  yield* spinUnlock(Files.fileLock.at(files));
  if (file === NO_FILE) return -EBADF;
  yield* fput(v, file);
  return 0;
}

/**
 * fs/file.c: dup_fd(): the table of a forked process. A number that is in use but has no file yet
 * is free in the copy: it belongs to an open() of another thread.
 * @param old - table that the caller has a reference of. @returns the copy, or NO_FILES.
 */
export function* dupFd(old: number): Op {
  const files = yield* filesAlloc();
  if (files === NO_FILES) return NO_FILES;
  yield* spinLock(Files.fileLock.at(old));
  for (let fd = 0; fd < maxFds(); fd++) {
    const file = yield* read(FdSlot.value.at2(old, fd));
    if (file === NO_FILE) continue;
    yield* getFile(file);
    const bits = yield* read(FdBitmap.closeOnExec.at2(old, fd >>> 5));
    yield* setOpenFd(files, fd, (bits >>> (fd & 31)) & 1);
    yield* storeRelease(FdSlot.value.at2(files, fd), file);
  }
  yield* spinUnlock(Files.fileLock.at(old));
  return files;
}

/** CLONE_FILES: one more task shares the table. */
export function* getFiles(files: number): Op<void> {
  yield* fetchAdd(Files.count.at(files), 1);
}

/** fs/file.c: close_files(). @param files - table without users. */
function* closeFiles(v: number, files: number): Op<void> {
  for (let fd = 0; fd < maxFds(); fd++) {
    const word = FdSlot.value.at2(files, fd);
    if ((yield* read(word)) === NO_FILE) continue;
    const file = yield* xchg(word, NO_FILE);
    if (file !== NO_FILE) yield* fput(v, file);
  }
}

/**
 * fs/file.c: put_files_struct(), as exit_files() does.
 * @param v - vCPU of the task. @param files - table that it has no more.
 */
export function* putFiles(v: number, files: number): Op<void> {
  const before = yield* fetchAdd(Files.count.at(files), -1);
  warnOn(before <= 0, BUG_FILES_COUNT, files, before);
  if (before !== 1) return;
  yield* closeFiles(v, files);
  yield* slabFree(FilesPool.value.word, files);
}

/**
 * fs/file.c: unshare_files(), as exec does first: a table of one's own.
 * @param files - table of the task. @returns it or its copy, -1 if there is no room for one.
 */
export function* unshareFiles(v: number, files: number): Op {
  if ((yield* readOnce(Files.count.at(files))) === 1) return files;
  const copy = yield* dupFd(files);
  if (copy !== NO_FILES) yield* putFiles(v, files);
  return copy;
}

/** fs/file.c: do_close_on_exec(). @param files - table of a task that executes a new program. */
export function* doCloseOnExec(v: number, files: number): Op<void> {
  yield* spinLock(Files.fileLock.at(files));
  for (let fd = 0; fd < maxFds(); fd++) {
    const bits = yield* read(FdBitmap.closeOnExec.at2(files, fd >>> 5));
    if (((bits >>> (fd & 31)) & 1) === 0) continue;
    yield* setCloseOnExec(files, fd, 0);
    const file = yield* takeFdLocked(files, fd);
    if (file === NO_FILE) continue;
    yield* spinUnlock(Files.fileLock.at(files));
    yield* fput(v, file);
    yield* spinLock(Files.fileLock.at(files));
  }
  yield* spinUnlock(Files.fileLock.at(files));
}
