/**
 * Signals (kernel/signal.c). A signal waits in sigPending until its task goes back to user mode:
 * then its handler is entered, or the default action is taken, which for most ends the task.
 *
 * Handlers are the program's, and programs are not simulated: that one was entered is noted in
 * frameSigno and frameCode, as the kernel notes it on the user's stack.
 *
 * Not modelled: queues of several siginfo, real-time signals, job control, alternate stacks.
 */
import { domainOf } from '../../hardware/params.ts';
import type { Op } from '../../shared/op.ts';
import { read, readOnce, write, writeOnce } from '../../shared/operations.ts';
import { readLock, readUnlock } from '../../shared/rwlock.ts';
import { spinLock, spinUnlock } from '../../shared/spinlock.ts';
import { wakeUp } from '../../shared/wait-queue.ts';
import { EINVAL, ESRCH } from '../errno.ts';
import { SIGKILL } from '../mm/fault-codes.ts';
import { doExit } from './exit.ts';
import {
  KERNEL_ONLY_MASK,
  SIGNALS,
  SIG_HANDLER,
  SIG_IGN,
  SYNCHRONOUS_MASK,
  isIgnoredByDefault,
  sigmask,
} from './signal-numbers.ts';
import { NO_TASK, PF_EXITING, Task, Tasklist, currentTask, findTaskByPid } from './task.ts';

/** kernel/signal.c: sig_ignored(): nobody would ever notice it. The caller holds sigLock. */
function* sigIgnored(task: number, signo: number): Op {
  const bit = sigmask(signo);
  if (((yield* read(Task.sigBlocked.at(task))) & bit) !== 0) return 0;
  if (((yield* read(Task.sigIgnored.at(task))) & bit) !== 0) return 1;
  if (((yield* read(Task.sigHandled.at(task))) & bit) !== 0) return 0;
  return isIgnoredByDefault(signo) ? 1 : 0;
}

/**
 * kernel/signal.c: send_signal_locked() and signal_wake_up(). The caller keeps the task.
 * @param task - whom. @param signo - 1 … SIGNALS.
 */
export function* sendSignal(task: number, signo: number): Op<void> {
  yield* spinLock(Task.sigLock.at(task));
  const ignored = yield* sigIgnored(task, signo);
  if (ignored === 0) {
    const pending = yield* read(Task.sigPending.at(task));
    yield* writeOnce(Task.sigPending.at(task), pending | sigmask(signo));
  }
  yield* spinUnlock(Task.sigLock.at(task));
  if (ignored === 0) yield* wakeUp(Task.waitChldexit.at(task));
}

/**
 * kernel/signal.c: force_sig_fault(): the running task did it itself. A signal that it blocks or
 * ignores ends it.
 * @param v - its vCPU. @param signo - SIGSEGV, SIGBUS. @param code - si_code.
 */
export function* forceSigFault(v: number, signo: number, code: number): Op<void> {
  const task = currentTask(v);
  const bit = sigmask(signo);
  yield* spinLock(Task.sigLock.at(task));
  const blocked = yield* read(Task.sigBlocked.at(task));
  const ignored = yield* read(Task.sigIgnored.at(task));
  if (((blocked | ignored) & bit) !== 0) {
    yield* write(Task.sigBlocked.at(task), blocked & ~bit);
    yield* write(Task.sigIgnored.at(task), ignored & ~bit);
    const handled = yield* read(Task.sigHandled.at(task));
    yield* write(Task.sigHandled.at(task), handled & ~bit);
  }
  yield* write(Task.infoSigno.at(task), signo);
  yield* write(Task.infoCode.at(task), code);
  const pending = yield* read(Task.sigPending.at(task));
  yield* writeOnce(Task.sigPending.at(task), pending | bit);
  yield* spinUnlock(Task.sigLock.at(task));
}

/** @returns 1 if the running task has a signal to look at before it sleeps (signal_pending()). */
export function* signalPending(v: number): Op {
  const task = currentTask(v);
  const pending = yield* readOnce(Task.sigPending.at(task));
  return (pending & ~(yield* read(Task.sigBlocked.at(task)))) !== 0 ? 1 : 0;
}

/** kernel/signal.c: next_signal(). @param signals - a set, not empty. @returns the one to take. */
function nextSignal(signals: number): number {
  if ((signals & sigmask(SIGKILL)) !== 0) return SIGKILL;
  const first = (signals & SYNCHRONOUS_MASK) !== 0 ? signals & SYNCHRONOUS_MASK : signals;
  return 32 - Math.clz32(first & -first);
}

/** kernel/signal.c: dequeue_signal(). The caller holds sigLock. @returns a signal, 0 if none. */
function* dequeueSignal(task: number): Op {
  const pending = yield* read(Task.sigPending.at(task));
  const signals = pending & ~(yield* read(Task.sigBlocked.at(task)));
  if (signals === 0) return 0;
  const signo = nextSignal(signals);
  yield* writeOnce(Task.sigPending.at(task), pending & ~sigmask(signo));
  return signo;
}

/** arch/x86/kernel/signal.c: handle_signal(). The caller holds sigLock. */
function* handleSignal(task: number, signo: number): Op<void> {
  const ofFault = (yield* read(Task.infoSigno.at(task))) === signo;
  const code = ofFault ? yield* read(Task.infoCode.at(task)) : 0;
  yield* write(Task.infoSigno.at(task), 0);
  yield* write(Task.frameSigno.at(task), signo);
  yield* write(Task.frameCode.at(task), code);
}

/** kernel/signal.c: get_signal(), its inner part. @returns a signal that ends the task, or 0. */
function* takeSignals(task: number): Op {
  for (;;) {
    const signo = yield* dequeueSignal(task);
    if (signo === 0) return 0;
    const bit = sigmask(signo);
    if (((yield* read(Task.sigIgnored.at(task))) & bit) !== 0) continue;
    if (((yield* read(Task.sigHandled.at(task))) & bit) !== 0) yield* handleSignal(task, signo);
    else if (!isIgnoredByDefault(signo)) return signo;
  }
}

/**
 * kernel/entry/common.c: exit_to_user_mode_loop(): the end of every system call and fault.
 * @param v - vCPU of the task.
 * @returns 0, or the signal that ended the task: the vCPU runs none any more.
 */
export function* exitToUserMode(v: number): Op {
  const task = currentTask(v);
  if (task === NO_TASK || (yield* readOnce(Task.sigPending.at(task))) === 0) return 0;
  yield* spinLock(Task.sigLock.at(task));
  const fatal = yield* takeSignals(task);
  yield* spinUnlock(Task.sigLock.at(task));
  if (fatal !== 0) yield* doExit(v, fatal);
  return fatal;
}

/**
 * kill(2), of one process.
 * @param v - vCPU of the task that calls. @param pid - process. @param signo - or 0: does it exist?
 * @returns 0, -EINVAL or -ESRCH.
 */
export function* sysKill(v: number, pid: number, signo: number): Op {
  if (signo < 0 || signo > SIGNALS) return -EINVAL;
  const d = domainOf(v);
  yield* readLock(Tasklist.lock.at(d));
  const task = pid > 0 ? yield* findTaskByPid(d, pid) : NO_TASK;
  if (task !== NO_TASK && signo !== 0) {
    if (((yield* read(Task.flags.at(task))) & PF_EXITING) === 0) yield* sendSignal(task, signo);
  }
  yield* readUnlock(Tasklist.lock.at(d));
  return task === NO_TASK ? -ESRCH : 0;
}

/**
 * rt_sigaction(2), without flags.
 * @param v - vCPU of the task. @param signo - signal. @param action - SIG_DFL, SIG_IGN,
 * SIG_HANDLER.
 * @returns 0 or -EINVAL.
 */
export function* sysSigaction(v: number, signo: number, action: number): Op {
  if (signo < 1 || signo > SIGNALS || (sigmask(signo) & KERNEL_ONLY_MASK) !== 0) return -EINVAL;
  const task = currentTask(v);
  const bit = sigmask(signo);
  yield* spinLock(Task.sigLock.at(task));
  const ignored = (yield* read(Task.sigIgnored.at(task))) & ~bit;
  const handled = (yield* read(Task.sigHandled.at(task))) & ~bit;
  yield* write(Task.sigIgnored.at(task), action === SIG_IGN ? ignored | bit : ignored);
  yield* write(Task.sigHandled.at(task), action === SIG_HANDLER ? handled | bit : handled);
  yield* spinUnlock(Task.sigLock.at(task));
  return 0;
}

/** rt_sigprocmask(2), SIG_SETMASK. @param blocked - set of signals. @returns the set before. */
export function* sysSigsetmask(v: number, blocked: number): Op {
  const task = currentTask(v);
  yield* spinLock(Task.sigLock.at(task));
  const before = yield* read(Task.sigBlocked.at(task));
  yield* write(Task.sigBlocked.at(task), blocked & ~KERNEL_ONLY_MASK);
  yield* spinUnlock(Task.sigLock.at(task));
  return before;
}
