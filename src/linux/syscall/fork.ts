/** fork(2) and clone(2) of a process (kernel/fork.c: kernel_clone()). */
import type { Op } from '../../shared/op.ts';
import { read } from '../../shared/operations.ts';
import { copyProcess } from '../process/fork.ts';
import { Task } from '../process/task.ts';

/**
 * fork(2), clone(2).
 * @param v - vCPU of the parent. @param flags - CLONE_FILES or 0.
 * @returns number of the child, which some vCPU has to be switched to; -EAGAIN or -ENOMEM.
 */
export function* sysFork(v: number, flags: number): Op {
  const child = yield* copyProcess(v, flags);
  return child < 0 ? child : yield* read(Task.pid.at(child));
}
