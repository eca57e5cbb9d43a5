/**
 * Waiting for children (kernel/exit.c: do_wait(), wait_consider_task(), wait_task_zombie()).
 *
 * 1. on the wait queue. 2. under tasklist_lock: is there a zombie? Who makes it EXIT_DEAD has it.
 * 3. no, and there are children: sleep until one ends, or a signal comes. A child that ends between
 * 2 and 3 has woken the queue, which is looked at.
 */
import { domainOf } from '../../hardware/params.ts';
import { setReg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { cmpxchg, read } from '../../shared/operations.ts';
import { readLock, readUnlock } from '../../shared/rwlock.ts';
import { finishWait, prepareToWait, waitForWakeUp } from '../../shared/wait-queue.ts';
import { ECHILD, EINVAL, ERESTARTSYS } from '../errno.ts';
import { releaseTask } from './exit.ts';
import { signalPending } from './signal.ts';
import { EXIT_DEAD, EXIT_ZOMBIE, NO_TASK, Task, Tasklist, currentTask } from './task.ts';

/** wait4(2): do not sleep. */
export const WNOHANG = 1;

/** Register with the status of the child: exit code << 8, or a signal. */
export const REG_WAIT_STATUS = 30;

/**
 * do_wait(), one look. The caller holds Tasklist.lock.
 * @param pid - child, or -1 for any. @returns a child that is the caller's, -ECHILD, or NO_TASK.
 */
function* findZombie(task: number, pid: number): Op {
  let status = -ECHILD;
  let child = yield* read(Task.firstChild.at(task));
  while (child !== NO_TASK) {
    if (pid === -1 || (yield* read(Task.pid.at(child))) === pid) {
      status = NO_TASK;
      const state = yield* cmpxchg(Task.state.at(child), EXIT_ZOMBIE, EXIT_DEAD);
      if (state === EXIT_ZOMBIE) return child;
    }
    child = yield* read(Task.sibling.at(child));
  }
  return status;
}

/** wait_task_zombie(). @returns its pid; the status in REG_WAIT_STATUS. */
function* reap(v: number, child: number): Op {
  const pid = yield* read(Task.pid.at(child));
  const status = yield* read(Task.exitCode.at(child));
  yield* releaseTask(child);
  setReg(v, REG_WAIT_STATUS, status);
  return pid;
}

/**
 * wait4(2).
 * @param v - vCPU of the task. @param pid - a child, or -1 for any. @param options - 0 or WNOHANG.
 * @returns pid of a child that has ended, its status in REG_WAIT_STATUS; 0 with WNOHANG if none
 *   has; -ECHILD, -EINVAL, or -ERESTARTSYS after a signal.
 */
export function* sysWait4(v: number, pid: number, options: number): Op {
  if ((options & ~WNOHANG) !== 0) return -EINVAL;
  if (pid !== -1 && pid <= 0) return -ECHILD;
  const task = currentTask(v);
  const queue = Task.waitChldexit.at(task);
  const lock = Tasklist.lock.at(domainOf(v));
  for (;;) {
    const seen = yield* prepareToWait(queue);
    yield* readLock(lock);
    const child = yield* findZombie(task, pid);
    yield* readUnlock(lock);
    let result = child;
    if (child === NO_TASK && options === WNOHANG) result = 0;
    else if (child === NO_TASK && (yield* signalPending(v)) === 1) result = -ERESTARTSYS;
    else if (child === NO_TASK) yield* waitForWakeUp(queue, seen);
    yield* finishWait(queue);
    if (child >= 0) return yield* reap(v, child);
    if (result !== NO_TASK) return result;
  }
}
