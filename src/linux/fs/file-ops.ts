/**
 * Operations of open files (include/linux/fs.h: struct file_operations), by the kind of the file.
 * Simulated code has no function pointers: a switch on File.kind. Files of gntdev and gntalloc are
 * no records of File; what they can do is drivers/gntdev and drivers/gntalloc.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { evtchnRelease } from '../drivers/evtchn/file.ts';
import { EINVAL } from '../errno.ts';
import { memRw } from './access-vm.ts';
import { blkdevRead, blkdevWrite } from './block-file.ts';
import { evtchnFileRead, evtchnFileWrite } from './evtchn-file.ts';
import { File } from './file.ts';
import { uringRelease } from './io-uring.ts';
import { iput } from './page-cache.ts';
import { pipeRead, pipeRelease, pipeWrite } from './pipe.ts';
import { procMemRelease } from './proc-mem.ts';
import { shmemRead, shmemWrite } from './shmem.ts';

/** drivers/xen/privcmd.c: xen_privcmd_fops: hypercalls of a privileged process; no state. */
export const FILE_OPS_PRIVCMD = 1;
/** fs/pipe.c: pipefifo_fops; the object is a pipe. */
export const FILE_OPS_PIPE = 2;
/** mm/shmem.c: shmem_file_operations; the object is an inode. */
export const FILE_OPS_SHMEM = 3;
/** block/fops.c: def_blk_fops; the object is an inode. */
export const FILE_OPS_BLKDEV = 4;
/** fs/proc/base.c: proc_mem_operations; the object is an address space. */
export const FILE_OPS_PROC_MEM = 5;
/** drivers/xen/evtchn.c: evtchn_fops; the object is its record. Ports: drivers/evtchn/file.ts. */
export const FILE_OPS_EVTCHN = 6;
/** io_uring/io_uring.c: io_uring_fops; the object is a ring. */
export const FILE_OPS_URING = 7;

/** Has it contents with places, and f_pos? Pipes have none. @param kind - FILE_OPS_*. */
export function hasPlaces(kind: number): boolean {
  return kind === FILE_OPS_SHMEM || kind === FILE_OPS_BLKDEV || kind === FILE_OPS_PROC_MEM;
}

/** FMODE_CAN_READ, FMODE_CAN_WRITE: has it read and write operations of buffers? */
export function hasReadWrite(kind: number): boolean {
  return hasPlaces(kind) || kind === FILE_OPS_PIPE || kind === FILE_OPS_EVTCHN;
}

/**
 * file->f_op->read_iter()
 * @param v - vCPU of the task, whose iov_iter is the target. @param f - record of `File`.
 * @param pos - byte of the file, if it has places. @param iocb - asynchronous request, or NO_IOCB.
 * @returns bytes, -EIOCBQUEUED, or a negative errno.
 */
export function* fileReadIter(v: number, f: number, pos: number, iocb: number): Op {
  switch (yield* read(File.kind.at(f))) {
    case FILE_OPS_PIPE:
      return yield* pipeRead(v, f);
    case FILE_OPS_SHMEM:
      return yield* shmemRead(v, f, pos);
    case FILE_OPS_BLKDEV:
      return yield* blkdevRead(v, f, pos, iocb);
    case FILE_OPS_PROC_MEM:
      return yield* memRw(v, f, pos, 0);
    case FILE_OPS_EVTCHN:
      return yield* evtchnFileRead(v, f);
    default:
      return -EINVAL;
  }
}

/** file->f_op->write_iter(). As fileReadIter; the vCPU's iov_iter is the source. */
export function* fileWriteIter(v: number, f: number, pos: number, iocb: number): Op {
  switch (yield* read(File.kind.at(f))) {
    case FILE_OPS_PIPE:
      return yield* pipeWrite(v, f);
    case FILE_OPS_SHMEM:
      return yield* shmemWrite(v, f, pos);
    case FILE_OPS_BLKDEV:
      return yield* blkdevWrite(v, f, pos, iocb);
    case FILE_OPS_PROC_MEM:
      return yield* memRw(v, f, pos, 1);
    case FILE_OPS_EVTCHN:
      return yield* evtchnFileWrite(v, f);
    default:
      return -EINVAL;
  }
}

/**
 * file->f_op->release()
 * @param v - vCPU of the task. @param f - record of `File` without references.
 */
export function* fileRelease(v: number, f: number): Op<void> {
  const object = yield* read(File.object.at(f));
  switch (yield* read(File.kind.at(f))) {
    case FILE_OPS_PIPE:
      yield* pipeRelease(v, f);
      break;
    case FILE_OPS_SHMEM:
    case FILE_OPS_BLKDEV:
      yield* iput(v, object);
      break;
    case FILE_OPS_PROC_MEM:
      yield* procMemRelease(v, object);
      break;
    case FILE_OPS_EVTCHN:
      yield* evtchnRelease(v, object);
      break;
    case FILE_OPS_URING:
      yield* uringRelease(v, object);
      break;
    default:
      break;
  }
}
