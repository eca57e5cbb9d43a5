/**
 * exec (fs/exec.c: begin_new_exec(), exec_mmap()), without a program: the new address space is
 * empty.
 *
 * 1. an address space. 2. a table of open files of one's own. 3. `current->mm` changes, and the
 * vCPU loads it. 4. the last user of the old one unmaps all. 5. descriptors with close-on-exec are
 * closed. 6. handlers are forgotten. So, as at exit, mappings go before descriptors.
 */
import type { Op } from '../../shared/op.ts';
import { read, write } from '../../shared/operations.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { ENOMEM } from '../errno.ts';
import { doCloseOnExec, unshareFiles } from '../fs/fd-table.ts';
import { NO_FILES, setCurrentFiles } from '../fs/files-struct.ts';
import { NO_MM, mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { mmCreate, mmput, switchMm } from '../mm/mm-life.ts';
import { Task, currentTask } from './task.ts';

/** fs/exec.c: exec_mmap(). @param mm - the new address space. */
function* execMmap(v: number, task: number, mm: number): Op<void> {
  const old = yield* read(Task.mm.at(task));
  if (old !== NO_MM) yield* mmapReadLock(old);
  yield* spinLock(Task.allocLock.at(task));
  yield* write(Task.mm.at(task), mm);
  yield* switchMm(v, mm);
  yield* spinUnlock(Task.allocLock.at(task));
  if (old === NO_MM) return;
  yield* mmapReadUnlock(old);
  yield* mmput(v, old);
}

/** kernel/signal.c: flush_signal_handlers(): what is ignored stays so. */
function* flushSignalHandlers(task: number): Op<void> {
  yield* spinLock(Task.sigLock.at(task));
  yield* write(Task.sigHandled.at(task), 0);
  yield* spinUnlock(Task.sigLock.at(task));
}

/**
 * execve(2).
 * @param v - vCPU of the task. @returns 0, or -ENOMEM with nothing changed.
 */
export function* sysExecve(v: number): Op {
  const task = currentTask(v);
  const mm = yield* mmCreate(v);
  if (mm === NO_MM) return -ENOMEM;
  const files = yield* unshareFiles(v, yield* read(Task.files.at(task)));
  if (files === NO_FILES) {
    yield* mmput(v, mm);
    return -ENOMEM;
  }
  yield* write(Task.files.at(task), files);
  setCurrentFiles(v, files);
  yield* execMmap(v, task, mm);
  yield* doCloseOnExec(v, files);
  yield* flushSignalHandlers(task);
  return 0;
}
