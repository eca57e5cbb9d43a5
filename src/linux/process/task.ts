/**
 * Processes (include/linux/sched.h: struct task_struct; kernel/fork.c). A process has one thread.
 * A vCPU runs one of them at a time, and changes only where it says so (switch.ts).
 *
 * Tasklist.lock   tasklist_lock, a rwlock: who is whose child, and who has ended. Write: fork adds,
 *                 exit changes parents and state, wait removes. Read: signals find a task by pid.
 * Task.sigLock    siglock: pending signals and what is done with them.
 *
 * mm, files       belong to the task itself; nobody else changes them. Others who look at a task's
 *                 mm hold allocLock (task_lock) until they have a reference of it.
 * state           TASK_RUNNING, then EXIT_ZOMBIE under Tasklist.lock write; a zombie has neither
 *                 mm nor files. Who waits for it frees the record.
 *
 * Not modelled: threads of one process, process groups, sessions, namespaces, credentials (all are
 * root), priorities.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, write, writeLocal } from '../../shared/operations.ts';
import { readLock, readUnlock } from '../../shared/rwlock.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { defineTable } from '../../shared/table.ts';
import { domainOf } from '../../hardware/params.ts';
import { NO_FILES } from '../fs/files-struct.ts';
import { mmget } from '../mm/mm-life.ts';
import { NO_MM } from '../mm/mm.ts';

/** No task: the null pointer. */
export const NO_TASK = -1;

/** Task.state: it runs, or could. */
export const TASK_RUNNING = 0;
/** Task.state: it has ended, and its parent does not know yet. */
export const EXIT_ZOMBIE = 32;
/** Task.state: nobody waits for it any more. */
export const EXIT_DEAD = 16;

/** Task.flags: PF_EXITING, it gives back what it has. */
export const PF_EXITING = 4;

export const Task = defineTable(
  'task[%]',
  ['tasks'],
  {
    state: '[GST] TASK_*, EXIT_*; Tasklist.lock write',
    flags: '[GST] PF_*; the task itself',
    domain: '[GST] domain whose kernel it belongs to; constant',
    pid: '[GST] process number, 0 once nobody finds it any more; Tasklist.lock write',
    mm: '[GST] address space with a reference, NO_MM after exit; the task itself, allocLock',
    files: '[GST] table of open files with a reference, NO_FILES after exit; the task itself',
    allocLock: '[GST] alloc_lock: spinlock, mm against others who look at it',
    parent: '[GST] real_parent, NO_TASK: init, which waits for everybody; Tasklist.lock',
    firstChild: '[GST] children, through sibling; Tasklist.lock',
    sibling: '[GST] next child of the same parent; Tasklist.lock',
    tracer: '[GST] pid of who traces it, 0 if nobody does (ptrace.ts); Tasklist.lock write',
    exitCode: '[GST] status for wait4: exit code << 8 or signal; before state',
    exitSignal: '[GST] signal that the parent gets at exit; constant',
    waitChldexit: '[GST] wait queue of its wait4()',
    sigLock: '[GST] siglock: spinlock of the words below',
    sigPending: '[GST] signals that wait, bit (number - 1); read without the lock',
    sigBlocked: '[GST] blocked signals',
    sigHandled: '[GST] signals with a handler of the program',
    sigIgnored: '[GST] signals with SIG_IGN',
    infoSigno: '[GST] siginfo of the last fault: signal',
    infoCode: '[GST] siginfo of the last fault: si_code',
    frameSigno: '[GST] signal whose handler was entered last, 0 if none; the task itself',
    frameCode: '[GST] its si_code',
  },
  { lineAligned: true },
);

export const TaskPool = defineTable('task_cache[%]', ['taskWords'], {
  value: '[GST] bitmap of the tasks in use (slab.ts)',
});

export const Tasklist = defineTable('d%.tasklist', ['domains'], {
  lock: '[GST] tasklist_lock: rwlock',
  lastPid: '[GST] pid that was given last; lock write',
});

export const CurrentTask = defineTable('%v.task', ['vcpus'], {
  value: '[VCPU] task that runs, + 1; 0: the kernel alone',
});

/** The task that runs on a vCPU, NO_TASK if there is none. */
export function currentTask(v: number): number {
  return readLocal(CurrentTask.value.at(v)) - 1;
}

/** kernel/fork.c: dup_task_struct(). @returns a task that nobody knows, or NO_TASK. */
export function* taskAlloc(v: number): Op {
  const task = yield* slabAlloc(TaskPool.value.word, Task.state.count);
  if (task < 0) return NO_TASK;
  for (let word = Task.state.at(task); word <= Task.frameCode.at(task); word++) {
    writeLocal(word, 0);
  }
  yield* write(Task.domain.at(task), domainOf(v));
  yield* write(Task.mm.at(task), NO_MM);
  yield* write(Task.files.at(task), NO_FILES);
  yield* write(Task.parent.at(task), NO_TASK);
  yield* write(Task.firstChild.at(task), NO_TASK);
  yield* write(Task.sibling.at(task), NO_TASK);
  return task;
}

/** kernel/fork.c: free_task(). @param task - that nobody knows any more. */
export function* taskFree(task: number): Op<void> {
  yield* slabFree(TaskPool.value.word, task);
}

/**
 * kernel/pid.c: find_task_by_vpid(). The caller holds Tasklist.lock.
 * @param d - domain. @param pid - above 0. @returns the task, perhaps a zombie; or NO_TASK.
 */
export function* findTaskByPid(d: number, pid: number): Op {
  for (let task = 0; task < Task.state.count; task++) {
    if ((yield* read(Task.pid.at(task))) !== pid) continue;
    if ((yield* read(Task.domain.at(task))) === d) return task;
  }
  return NO_TASK;
}

/**
 * kernel/fork.c: get_task_mm(), of a process by its number, as process_vm_readv() and ptrace() do.
 * @param v - vCPU that asks. @param pid - process of its domain.
 * @returns its address space with a reference (mmput), NO_MM if there is no such process or it has
 *   none any more.
 */
export function* getTaskMm(v: number, pid: number): Op {
  const d = domainOf(v);
  let mm = NO_MM;
  yield* readLock(Tasklist.lock.at(d));
  const task = yield* findTaskByPid(d, pid);
  if (task !== NO_TASK) {
    yield* spinLock(Task.allocLock.at(task));
    mm = yield* read(Task.mm.at(task));
    if (mm !== NO_MM) yield* mmget(mm);
    yield* spinUnlock(Task.allocLock.at(task));
  }
  yield* readUnlock(Tasklist.lock.at(d));
  return mm;
}
