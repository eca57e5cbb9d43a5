/**
 * fork (kernel/fork.c: kernel_clone(), copy_process()).
 *
 * 1. a record. 2. files: a copy of the table (or the same one, CLONE_FILES). 3. handlers of
 * signals; none is pending. 4. mm: a copy (dup-mmap.ts). 5. under tasklist_lock: a number, and the
 * place among the parent's children. From now on others find it. A failure undoes what was done, in
 * reverse.
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { writeLock, writeUnlock } from '../../shared/rwlock.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { EAGAIN, ENOMEM } from '../errno.ts';
import { dupFd, getFiles, putFiles } from '../fs/fd-table.ts';
import { NO_FILES, filesAlloc } from '../fs/files-struct.ts';
import { dupMm } from '../mm/dup-mmap.ts';
import { NO_MM } from '../mm/mm.ts';
import { mmCreate, mmput } from '../mm/mm-life.ts';
import { SIGCHLD } from './signal-numbers.ts';
import { NO_TASK, Task, Tasklist, currentTask, taskAlloc, taskFree } from './task.ts';

/** clone(2): parent and child share the table of open files. */
export const CLONE_FILES = 0x400;

/** kernel/fork.c: copy_files(). @returns 0 or -ENOMEM. */
function* copyFiles(task: number, parent: number, flags: number): Op {
  const old = yield* read(Task.files.at(parent));
  if (old === NO_FILES) return 0;
  let files = old;
  if ((flags & CLONE_FILES) !== 0) yield* getFiles(old);
  else files = yield* dupFd(old);
  yield* write(Task.files.at(task), files);
  return files === NO_FILES ? -ENOMEM : 0;
}

/** kernel/fork.c: copy_sighand(); nothing is pending (init_sigpending()). */
function* copySighand(task: number, parent: number): Op<void> {
  yield* spinLock(Task.sigLock.at(parent));
  yield* write(Task.sigHandled.at(task), yield* read(Task.sigHandled.at(parent)));
  yield* write(Task.sigIgnored.at(task), yield* read(Task.sigIgnored.at(parent)));
  yield* spinUnlock(Task.sigLock.at(parent));
  yield* write(Task.sigBlocked.at(task), yield* read(Task.sigBlocked.at(parent)));
}

/** kernel/fork.c: copy_mm(). @returns 0 or -ENOMEM. */
function* copyMm(v: number, task: number, parent: number): Op {
  const old = yield* read(Task.mm.at(parent));
  if (old === NO_MM) return 0;
  const mm = yield* dupMm(v, old);
  yield* write(Task.mm.at(task), mm);
  return mm === NO_MM ? -ENOMEM : 0;
}

/** Step 5. @param parent - or NO_TASK: init's child. */
function* linkTask(d: number, task: number, parent: number): Op<void> {
  yield* writeLock(Tasklist.lock.at(d));
  const pid = (yield* read(Tasklist.lastPid.at(d))) + 1;
  yield* write(Tasklist.lastPid.at(d), pid);
  yield* write(Task.parent.at(task), parent);
  if (parent !== NO_TASK) {
    yield* write(Task.sibling.at(task), yield* read(Task.firstChild.at(parent)));
    yield* write(Task.firstChild.at(parent), task);
  }
  yield* write(Task.pid.at(task), pid);
  yield* writeUnlock(Tasklist.lock.at(d));
}

/** The undoing of copyFiles. */
function* giveBackFiles(v: number, task: number): Op<void> {
  const files = yield* read(Task.files.at(task));
  if (files !== NO_FILES) yield* putFiles(v, files);
}

/**
 * kernel/fork.c: copy_process() of the running task.
 * @param v - vCPU of the parent. @param flags - CLONE_FILES or 0.
 * @returns the child, which no vCPU runs yet; or -EAGAIN, -ENOMEM.
 */
export function* copyProcess(v: number, flags: number): Op {
  const parent = currentTask(v);
  const task = yield* taskAlloc(v);
  if (task === NO_TASK) return -EAGAIN;
  yield* write(Task.exitSignal.at(task), SIGCHLD);
  let status = yield* copyFiles(task, parent, flags);
  if (status === 0) {
    yield* copySighand(task, parent);
    status = yield* copyMm(v, task, parent);
    if (status !== 0) yield* giveBackFiles(v, task);
  }
  if (status !== 0) {
    yield* taskFree(task);
    return status;
  }
  yield* linkTask(domainOf(v), task, parent);
  return task;
}

/** The undoing of a first process. @returns -ENOMEM. */
function* abandon(v: number, task: number, mm: number): Op {
  if (mm !== NO_MM) yield* mmput(v, mm);
  yield* taskFree(task);
  return -ENOMEM;
}

/**
 * A first process, as init starts one: an empty address space and no open files.
 * @param v - vCPU of its domain. @returns the task, which no vCPU runs yet; or -EAGAIN, -ENOMEM.
 */
export function* spawnProcess(v: number): Op {
  const task = yield* taskAlloc(v);
  if (task === NO_TASK) return -EAGAIN;
  const mm = yield* mmCreate(v);
  const files = mm === NO_MM ? NO_FILES : yield* filesAlloc();
  if (files === NO_FILES) return yield* abandon(v, task, mm);
  yield* write(Task.exitSignal.at(task), SIGCHLD);
  yield* write(Task.mm.at(task), mm);
  yield* write(Task.files.at(task), files);
  yield* linkTask(domainOf(v), task, NO_TASK);
  return task;
}
