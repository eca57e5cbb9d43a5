/**
 * The end of a process (kernel/exit.c: do_exit(), exit_notify(), release_task()).
 *
 * 1. PF_EXITING. 2. exit_mm: the task has no address space any more; the last user of it unmaps
 * all. 3. exit_files: the last user of the table closes all. 4. exit_notify, under tasklist_lock:
 * children become init's; the task becomes a zombie and its parent is told, or nobody wants to know
 * and it is gone. So mappings go before descriptors.
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, write, writeLocal, writeOnce } from '../../shared/operations.ts';
import { writeLock, writeUnlock } from '../../shared/rwlock.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { wakeUp } from '../../shared/wait-queue.ts';
import { putFiles } from '../fs/fd-table.ts';
import { NO_FILES, setCurrentFiles } from '../fs/files-struct.ts';
import { NO_MM, mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { mmput, switchMm } from '../mm/mm-life.ts';
import { sendSignal } from './signal.ts';
import { SIGCHLD, sigmask } from './signal-numbers.ts';
import {
  CurrentTask,
  EXIT_DEAD,
  EXIT_ZOMBIE,
  NO_TASK,
  PF_EXITING,
  Task,
  Tasklist,
  currentTask,
  taskFree,
} from './task.ts';

/** kernel/exit.c: exit_mm(). The kernel's page tables are loaded before the user's go. */
function* exitMm(v: number, task: number): Op<void> {
  const mm = yield* read(Task.mm.at(task));
  if (mm === NO_MM) return;
  yield* mmapReadLock(mm);
  yield* spinLock(Task.allocLock.at(task));
  yield* write(Task.mm.at(task), NO_MM);
  yield* spinUnlock(Task.allocLock.at(task));
  yield* mmapReadUnlock(mm);
  yield* switchMm(v, NO_MM);
  yield* mmput(v, mm);
}

/** kernel/exit.c: exit_files(). */
function* exitFiles(v: number, task: number): Op<void> {
  const files = yield* read(Task.files.at(task));
  if (files === NO_FILES) return;
  yield* write(Task.files.at(task), NO_FILES);
  setCurrentFiles(v, NO_FILES);
  yield* putFiles(v, files);
}

/** kernel/exit.c: __unhash_process(). The caller holds Tasklist.lock for writing. */
function* unlinkTask(task: number): Op<void> {
  yield* write(Task.pid.at(task), 0);
  const parent = yield* read(Task.parent.at(task));
  if (parent === NO_TASK) return;
  const sibling = yield* read(Task.sibling.at(task));
  let word = Task.firstChild.at(parent);
  let child = yield* read(word);
  while (child !== task) {
    word = Task.sibling.at(child);
    child = yield* read(word);
  }
  yield* write(word, sibling);
}

/** kernel/exit.c: release_task(). @param task - EXIT_DEAD, of the caller alone. */
export function* releaseTask(task: number): Op<void> {
  const lock = Tasklist.lock.at(yield* read(Task.domain.at(task)));
  yield* writeLock(lock);
  yield* unlinkTask(task);
  yield* writeUnlock(lock);
  yield* taskFree(task);
}

/** forget_original_parent(): init waits for what has ended. The caller holds the lock. */
function* forgetChildren(task: number): Op<void> {
  let child = yield* read(Task.firstChild.at(task));
  yield* write(Task.firstChild.at(task), NO_TASK);
  while (child !== NO_TASK) {
    const next = yield* read(Task.sibling.at(child));
    yield* write(Task.parent.at(child), NO_TASK);
    yield* write(Task.sibling.at(child), NO_TASK);
    if ((yield* read(Task.state.at(child))) === EXIT_ZOMBIE) {
      yield* write(Task.state.at(child), EXIT_DEAD);
      yield* unlinkTask(child);
      yield* taskFree(child);
    }
    child = next;
  }
}

/** kernel/signal.c: do_notify_parent(). @returns 1 if the parent does not want to know. */
function* doNotifyParent(task: number, parent: number): Op {
  if (parent === NO_TASK) return 1;
  const ignored = yield* read(Task.sigIgnored.at(parent));
  yield* sendSignal(parent, yield* read(Task.exitSignal.at(task)));
  yield* wakeUp(Task.waitChldexit.at(parent));
  return (ignored & sigmask(SIGCHLD)) !== 0 ? 1 : 0;
}

/** kernel/exit.c: exit_notify(). */
function* exitNotify(v: number, task: number): Op<void> {
  const lock = Tasklist.lock.at(domainOf(v));
  yield* writeLock(lock);
  yield* forgetChildren(task);
  yield* writeOnce(Task.state.at(task), EXIT_ZOMBIE);
  const autoreap = yield* doNotifyParent(task, yield* read(Task.parent.at(task)));
  if (autoreap === 1) yield* writeOnce(Task.state.at(task), EXIT_DEAD);
  yield* writeUnlock(lock);
  if (autoreap === 1) yield* releaseTask(task);
}

/**
 * kernel/exit.c: do_exit(). Afterwards the vCPU runs the kernel alone.
 * @param v - vCPU of the task. @param code - exit code << 8, or the signal that ends it.
 */
export function* doExit(v: number, code: number): Op<void> {
  const task = currentTask(v);
  yield* write(Task.flags.at(task), (yield* read(Task.flags.at(task))) | PF_EXITING);
  yield* write(Task.exitCode.at(task), code);
  yield* exitMm(v, task);
  yield* exitFiles(v, task);
  yield* exitNotify(v, task);
  writeLocal(CurrentTask.value.at(v), 0);
}

/** exit_group(2). @param v - vCPU of the task. @param code - exit code, of which 8 bits count. */
export function* sysExit(v: number, code: number): Op<void> {
  yield* doExit(v, (code & 0xff) << 8);
}
