/**
 * Descriptors that name a file once more, and their flags (fs/file.c: dup(), ksys_dup3(),
 * do_dup2(); fs/fcntl.c: do_fcntl()). All of them share the file with its offset; close-on-exec is
 * of the number.
 */
import type { Op } from '../../shared/op.ts';
import { read, storeRelease, write } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { EBADF, EBUSY, EINVAL } from '../errno.ts';
import { fdFile, fdInstall, fdget, fdput, fget, filesLookupFd, getUnusedFd } from './fd-table.ts';
import {
  FILE_RECORD,
  File,
  NO_FILE,
  O_APPEND,
  O_CLOEXEC,
  O_DIRECT,
  O_NONBLOCK,
  O_RDWR,
  fileKind,
  fileObject,
  fput,
  getFile,
} from './file.ts';
import {
  FdBitmap,
  FdSlot,
  Files,
  currentFiles,
  fdIsOpen,
  maxFds,
  setCloseOnExec,
  setOpenFd,
} from './files-struct.ts';

/** include/uapi/asm-generic/fcntl.h, include/uapi/linux/fcntl.h: commands. */
export const F_DUPFD = 0;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
/** Flag of F_GETFD and F_SETFD. */
export const FD_CLOEXEC = 1;

/** What F_SETFL can change of those that are modelled (fs/fcntl.c: SETFL_MASK). */
const SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT;

/** A reference of the file of a number goes to a new number. @returns it, -EBADF or -EMFILE. */
function* dupFrom(v: number, fd: number, start: number, cloexec: number): Op {
  const files = currentFiles(v);
  const file = yield* fget(v, files, fd);
  if (file === NO_FILE) return -EBADF;
  const next = yield* getUnusedFd(files, start, cloexec);
  if (next < 0) yield* fput(v, file);
  else yield* fdInstall(files, next, file);
  return next;
}

/** dup(2). @param v - vCPU of the task. @returns the lowest free number, -EBADF or -EMFILE. */
export function* sysDup(v: number, fd: number): Op {
  return yield* dupFrom(v, fd, 0, 0);
}

/**
 * dup3(2). fs/file.c: ksys_dup3(), do_dup2()
 * @param v - vCPU of the task. @param oldFd - number of an open file. @param newFd - other number;
 *   what it named is closed. @param flags - 0 or O_CLOEXEC. @returns newFd, -EINVAL, -EBADF or
 *   -EBUSY (an open() of another thread has the number, but no file yet).
 */
export function* sysDup3(v: number, oldFd: number, newFd: number, flags: number): Op {
  if ((flags & ~O_CLOEXEC) !== 0 || oldFd === newFd) return -EINVAL;
  if (newFd < 0 || newFd >= maxFds()) return -EBADF;
  const files = currentFiles(v);
  yield* spinLock(Files.fileLock.at(files));
  const file = yield* filesLookupFd(files, oldFd);
  const toFree = yield* filesLookupFd(files, newFd);
  let status = newFd;
  if (file === NO_FILE) status = -EBADF;
  else if (toFree === NO_FILE && (yield* fdIsOpen(files, newFd)) === 1) status = -EBUSY;
  if (status >= 0) {
    yield* getFile(file);
    yield* storeRelease(FdSlot.value.at2(files, newFd), file);
    yield* setOpenFd(files, newFd, (flags & O_CLOEXEC) !== 0 ? 1 : 0);
  }
  yield* spinUnlock(Files.fileLock.at(files));
  if (status >= 0 && toFree !== NO_FILE) yield* fput(v, toFree);
  return status;
}

/** dup2(2): as dup3, but a number onto itself is only looked up. @returns newFd or an error. */
export function* sysDup2(v: number, oldFd: number, newFd: number): Op {
  if (oldFd !== newFd) return yield* sysDup3(v, oldFd, newFd, 0);
  const file = yield* filesLookupFd(currentFiles(v), oldFd);
  return file === NO_FILE ? -EBADF : oldFd;
}

/** F_GETFD. @returns 0 or FD_CLOEXEC. */
function* getCloseOnExec(files: number, fd: number): Op {
  const bits = yield* read(FdBitmap.closeOnExec.at2(files, fd >>> 5));
  return (bits >>> (fd & 31)) & FD_CLOEXEC;
}

/** F_SETFD. @param flags - 0 or FD_CLOEXEC. */
function* changeCloseOnExec(files: number, fd: number, flags: number): Op {
  yield* spinLock(Files.fileLock.at(files));
  yield* setCloseOnExec(files, fd, flags & FD_CLOEXEC);
  yield* spinUnlock(Files.fileLock.at(files));
  return 0;
}

/** F_GETFL. A file of the grant drivers has no flags that change anything. */
function* getFlags(file: number): Op {
  if (fileKind(file) !== FILE_RECORD) return O_RDWR;
  return yield* read(File.flags.at(fileObject(file)));
}

/** F_SETFL. fs/fcntl.c: setfl() */
function* setFlags(file: number, flags: number): Op {
  if (fileKind(file) !== FILE_RECORD) return 0;
  const word = File.flags.at(fileObject(file));
  yield* write(word, (flags & SETFL_MASK) | ((yield* read(word)) & ~SETFL_MASK));
  return 0;
}

function* doFcntl(v: number, fd: number, file: number, cmd: number, arg: number): Op {
  const files = currentFiles(v);
  switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (arg < 0 || arg >= maxFds()) return -EINVAL;
      return yield* dupFrom(v, fd, arg, cmd === F_DUPFD_CLOEXEC ? 1 : 0);
    case F_GETFD:
      return yield* getCloseOnExec(files, fd);
    case F_SETFD:
      return yield* changeCloseOnExec(files, fd, arg);
    case F_GETFL:
      return yield* getFlags(file);
    case F_SETFL:
      return yield* setFlags(file, arg);
    default:
      return -EINVAL;
  }
}

/**
 * fcntl(2), the commands F_*.
 * @param v - vCPU of the task. @param cmd - F_*. @param arg - its argument.
 * @returns as the command says; -EBADF, -EINVAL or -EMFILE.
 */
export function* sysFcntl(v: number, fd: number, cmd: number, arg: number): Op {
  const found = yield* fdget(v, fd);
  if (found === NO_FILE) return -EBADF;
  const result = yield* doFcntl(v, fd, fdFile(found), cmd, arg);
  yield* fdput(v, found);
  return result;
}
