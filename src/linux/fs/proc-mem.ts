/**
 * /proc/pid/mem (fs/proc/base.c): the memory of a process as a file, at the addresses of the
 * process. Reading and writing is access-vm.ts. An open file keeps the address space from being
 * freed (mmgrab), not from being emptied: after the process has ended a read gives 0.
 */
import type { Op } from '../../shared/op.ts';
import { ESRCH } from '../errno.ts';
import { mmdrop, mmgrab, mmput } from '../mm/mm-life.ts';
import { NO_MM } from '../mm/mm.ts';
import { getTaskMm } from '../process/task.ts';
import { FILE_OPS_PROC_MEM } from './file-ops.ts';
import { allocFile } from './file.ts';

/**
 * fs/proc/base.c: mem_open(), __mem_open()
 * @param v - vCPU of the task. @param pid - whose memory. @param flags - O_*.
 * @returns a file with one reference, -ESRCH or -ENFILE.
 */
export function* procMemOpen(v: number, pid: number, flags: number): Op {
  const mm = yield* getTaskMm(v, pid);
  if (mm === NO_MM) return -ESRCH;
  yield* mmgrab(mm);
  yield* mmput(v, mm);
  const file = yield* allocFile(FILE_OPS_PROC_MEM, mm, flags);
  if (file < 0) yield* mmdrop(v, mm);
  return file;
}

/** fs/proc/base.c: mem_release(). @param mm - object of the file. */
export function* procMemRelease(v: number, mm: number): Op<void> {
  yield* mmdrop(v, mm);
}
