/**
 * Operations of open files (include/linux/fs.h: struct file_operations), by the kind of the file.
 * Simulated code has no function pointers: a switch on File.kind.
 */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { File } from './file.ts';
import { pipeRelease } from './pipe.ts';

/** drivers/xen/privcmd.c: xen_privcmd_fops: hypercalls of a privileged process; no state. */
export const FILE_OPS_PRIVCMD = 1;
/** fs/pipe.c: pipefifo_fops; the object is a pipe. */
export const FILE_OPS_PIPE = 2;

/**
 * file->f_op->release()
 * @param v - vCPU of the task. @param f - record of `File` without references.
 */
export function* fileRelease(v: number, f: number): Op<void> {
  switch (yield* read(File.kind.at(f))) {
    case FILE_OPS_PIPE:
      yield* pipeRelease(v, f);
      break;
    default:
      break;
  }
}
