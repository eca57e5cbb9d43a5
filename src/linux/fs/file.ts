/**
 * Open files (include/linux/fs.h: struct file; fs/file_table.c, fs/file.c). A file is one word,
 * kind:6 | object:24, since simulated code has no function pointers: the kind stands for f_op, and
 * the object is the record of that kind, which begins with the file's f_count. Files of gntdev and
 * gntalloc are records of their drivers, all others are records of `File`.
 *
 * f_count  users of the file: descriptors, mappings (vm_file), calls in progress. Who drops the
 *          last one releases the file.                                              [GST]
 *
 * A file that was found in a table without its lock may be gone, and its record another file's
 * already (SLAB_TYPESAFE_BY_RCU): a reference is taken only from a count above 0, and who looked it
 * up looks again at where it was found (fd-table.ts).
 *
 * Not modelled: fput() at once and not by task work, so a file is released before its last close()
 * returns, as with task work, but perhaps under mmap_lock.
 */
import type { Op } from '../../shared/op.ts';
import { cmpxchg, fetchAdd, read, readOnce, warnOn, write } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { BUG_FILE_COUNT } from './bugs.ts';
import { GntallocFile } from '../drivers/gntalloc/gref.ts';
import { gntallocPutFile } from '../drivers/gntalloc/ioctl.ts';
import { gntdevPutFile } from '../drivers/gntdev/file.ts';
import { Gntdev } from '../drivers/gntdev/grant-map.ts';
import { ENFILE } from '../errno.ts';
import { fileRelease } from './file-ops.ts';

/** No file: the null pointer. */
export const NO_FILE = 0;

/** /dev/xen/gntdev; the object is one of Gntdev. */
export const FILE_GNTDEV = 1;
/** /dev/xen/gntalloc; the object is one of GntallocFile. */
export const FILE_GNTALLOC = 2;
/** Every other file; the object is one of File, and File.kind says which. */
export const FILE_RECORD = 3;

/** include/uapi/asm-generic/fcntl.h, as on x86. */
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_ACCMODE = 3;
export const O_APPEND = 0x400;
export const O_NONBLOCK = 0x800;
export const O_DIRECT = 0x4000;
export const O_CLOEXEC = 0x80000;

export const File = defineTable(
  'file[%]',
  ['files'],
  {
    count: '[GST] f_count',
    kind: '[GST] FILE_OPS_* (file-ops.ts); constant while the file lives',
    flags: '[GST] f_flags: O_*',
    object: '[GST] private_data or inode, of the kind; constant while the file lives',
    pos: '[GST] f_pos, in bytes; posLock',
    posLock: '[GST] f_pos_lock: mutex',
  },
  { lineAligned: true },
);

export const FilePool = defineTable('filp_cache[%]', ['fileWords'], {
  value: '[GST] bitmap of the files in use (slab.ts)',
});

const KIND_SHIFT = 24;
const OBJECT_MASK = 0xffffff;

/** A file as one word. @param kind - FILE_*. @param object - its record. */
export function fileOf(kind: number, object: number): number {
  return (kind << KIND_SHIFT) | object;
}

/** FILE_* of a file. */
export function fileKind(file: number): number {
  return file >>> KIND_SHIFT;
}

/** The record of a file: of Gntdev, GntallocFile or File. */
export function fileObject(file: number): number {
  return file & OBJECT_MASK;
}

/** FMODE_READ. @param flags - f_flags. */
export function mayRead(flags: number): boolean {
  return (flags & O_ACCMODE) !== O_WRONLY;
}

/** FMODE_WRITE. @param flags - f_flags. */
export function mayWrite(flags: number): boolean {
  return (flags & O_ACCMODE) !== O_RDONLY;
}

/** The word of f_count. */
function countWord(file: number): number {
  switch (fileKind(file)) {
    case FILE_GNTDEV:
      return Gntdev.users.at(fileObject(file));
    case FILE_GNTALLOC:
      return GntallocFile.users.at(fileObject(file));
    default:
      return File.count.at(fileObject(file));
  }
}

/**
 * fs/file_table.c: alloc_file()
 * @param kind - FILE_OPS_*. @param object - what is opened. @param flags - O_*.
 * @returns a file with one reference, or -ENFILE.
 */
export function* allocFile(kind: number, object: number, flags: number): Op {
  const f = yield* slabAlloc(FilePool.value.word, File.count.count);
  if (f < 0) return -ENFILE;
  yield* write(File.kind.at(f), kind);
  yield* write(File.flags.at(f), flags);
  yield* write(File.object.at(f), object);
  yield* write(File.pos.at(f), 0);
  yield* write(File.posLock.at(f), 0);
  // The count last: a look-up that still has the old pointer can take a reference from now on.
  yield* write(File.count.at(f), 1);
  return fileOf(FILE_RECORD, f);
}

/** include/linux/fs.h: get_file(). @param file - file that the caller has a reference of. */
export function* getFile(file: number): Op<void> {
  const before = yield* fetchAdd(countWord(file), 1);
  warnOn(before <= 0, BUG_FILE_COUNT, file, before);
}

/** include/linux/fs.h: get_file_rcu(). @returns 1, or 0 if the file is being released. */
export function* getFileRcu(file: number): Op {
  const word = countWord(file);
  let old = yield* readOnce(word);
  while (old !== 0) {
    const seen = yield* cmpxchg(word, old, old + 1);
    if (seen === old) return 1;
    old = seen;
  }
  return 0;
}

/** fs/file_table.c: __fput() of a file of `File`. */
function* releaseRecord(v: number, f: number): Op<void> {
  yield* fileRelease(v, f);
  yield* slabFree(FilePool.value.word, f);
}

/**
 * fs/file_table.c: fput()
 * @param v - vCPU of the task. @param file - file; its last reference releases it.
 */
export function* fput(v: number, file: number): Op<void> {
  const object = fileObject(file);
  switch (fileKind(file)) {
    case FILE_GNTDEV:
      yield* gntdevPutFile(v, object);
      break;
    case FILE_GNTALLOC:
      yield* gntallocPutFile(v, object);
      break;
    default: {
      const before = yield* fetchAdd(File.count.at(object), -1);
      warnOn(before <= 0, BUG_FILE_COUNT, file, before);
      if (before === 1) yield* releaseRecord(v, object);
      break;
    }
  }
}

/** FILE_OPS_* of a file, 0 for the files of the grant drivers. */
export function* fileOps(file: number): Op {
  if (fileKind(file) !== FILE_RECORD) return 0;
  return yield* read(File.kind.at(fileObject(file)));
}
