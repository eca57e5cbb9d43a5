/**
 * ptrace(2), as far as it reads and writes the memory of another process (kernel/ptrace.c):
 * attach, peek, poke, detach. A word is sizeof(long) bytes: PTRACE_WORD_BYTES of the caller's
 * array.
 *
 * Task.tracer   pid of who traces it; changed under Tasklist.lock write
 *
 * Not modelled: stopping. A task that no vCPU runs is as good as stopped; one that runs on a vCPU
 * of its own goes on, and its memory is reached all the same, as through /proc/pid/mem.
 */
import { cpuLoad, cpuStore } from '../../hardware/access.ts';
import { domainOf } from '../../hardware/params.ts';
import { REG_VALUE, reg } from '../../hardware/vcpu.ts';
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace, warnOn, write, writeLocal } from '../../shared/operations.ts';
import { readLock, readUnlock, writeLock, writeUnlock } from '../../shared/rwlock.ts';
import { EIO, EPERM, ESRCH } from '../errno.ts';
import { kmap, offsetInPage, pageBytes, vpnOf } from '../fs/copy-bytes.ts';
import { RemotePage } from '../fs/access-vm.ts';
import { BUG_DIRECT_MAP } from '../mm/bugs.ts';
import { FOLL_FORCE, FOLL_WRITE, getUserPagesRemote } from '../mm/gup.ts';
import { mmput } from '../mm/mm-life.ts';
import { NO_MM, mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { putPage } from '../mm/page.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';
import {
  NO_TASK,
  TASK_RUNNING,
  Task,
  Tasklist,
  currentTask,
  findTaskByPid,
  getTaskMm,
} from './task.ts';

/** include/uapi/linux/ptrace.h: requests. */
export const PTRACE_TRACEME = 0;
export const PTRACE_PEEKTEXT = 1;
export const PTRACE_PEEKDATA = 2;
export const PTRACE_POKETEXT = 4;
export const PTRACE_POKEDATA = 5;
export const PTRACE_ATTACH = 16;
export const PTRACE_DETACH = 17;

/** sizeof(long), or what a page of a tiny machine has. */
export function ptraceWordBytes(): number {
  return Math.min(8, pageBytes());
}

/** kernel/ptrace.c: ptrace_attach(). The caller holds Tasklist.lock for writing. */
function* attach(d: number, me: number, child: number): Op {
  if (child === NO_TASK) return -ESRCH;
  if (child === me || (yield* read(Task.state.at(child))) !== TASK_RUNNING) return -EPERM;
  const tracer = yield* read(Task.tracer.at(child));
  // A tracer that has ended traces nobody any more (exit_ptrace()).
  if (tracer !== 0 && (yield* findTaskByPid(d, tracer)) !== NO_TASK) return -EPERM;
  yield* write(Task.tracer.at(child), yield* read(Task.pid.at(me)));
  return 0;
}

/** kernel/ptrace.c: ptrace_detach(). The caller holds Tasklist.lock for writing. */
function* detach(me: number, child: number): Op {
  if (child === NO_TASK) return -ESRCH;
  if ((yield* read(Task.tracer.at(child))) !== (yield* read(Task.pid.at(me)))) return -ESRCH;
  yield* write(Task.tracer.at(child), 0);
  return 0;
}

/** kernel/ptrace.c: ptrace_traceme(). The caller holds Tasklist.lock for writing. */
function* traceme(me: number): Op {
  const parent = yield* read(Task.parent.at(me));
  if (parent === NO_TASK || (yield* read(Task.tracer.at(me))) !== 0) return -EPERM;
  yield* write(Task.tracer.at(me), yield* read(Task.pid.at(parent)));
  return 0;
}

/** What changes who traces whom. @returns 0, -ESRCH or -EPERM. */
function* changeTracer(v: number, request: number, pid: number): Op {
  const d = domainOf(v);
  const me = currentTask(v);
  yield* writeLock(Tasklist.lock.at(d));
  const child = pid > 0 ? yield* findTaskByPid(d, pid) : NO_TASK;
  let status = 0;
  if (request === PTRACE_TRACEME) status = yield* traceme(me);
  else if (request === PTRACE_ATTACH) status = yield* attach(d, me, child);
  else status = yield* detach(me, child);
  yield* writeUnlock(Tasklist.lock.at(d));
  return status;
}

/** kernel/ptrace.c: ptrace_check_attach(). @returns 0, or -ESRCH if the caller traces no such. */
function* checkAttach(v: number, pid: number): Op {
  const d = domainOf(v);
  yield* readLock(Tasklist.lock.at(d));
  const child = pid > 0 ? yield* findTaskByPid(d, pid) : NO_TASK;
  const tracer = child === NO_TASK ? 0 : yield* read(Task.tracer.at(child));
  const mine = tracer !== 0 && tracer === (yield* read(Task.pid.at(currentTask(v))));
  yield* readUnlock(Tasklist.lock.at(d));
  return mine ? 0 : -ESRCH;
}

/** Between a page and the caller's words, through the kernel's address of the page. */
function* copyWords(
  v: number,
  pg: number,
  offset: number,
  count: number,
  data: number,
  writes: number,
): Op<void> {
  for (let i = 0; i < count; i++) {
    const fault =
      writes === 1
        ? yield* cpuStore(v, kmap(pg), offset + i, readLocal(data + i))
        : yield* cpuLoad(v, kmap(pg), offset + i);
    warnOn(fault !== 0, BUG_DIRECT_MAP, pg, fault);
    if (writes === 0) writeLocal(data + i, reg(v, REG_VALUE));
  }
}

/**
 * kernel/ptrace.c: ptrace_access_vm(): as __access_remote_vm().
 * @param data - word of ptraceWordBytes() words. @param writes - 1: into the process.
 * @returns bytes.
 */
function* accessVm(v: number, mm: number, addr: number, data: number, writes: number): Op {
  const bytes = ptraceWordBytes();
  const flags = FOLL_FORCE | (writes === 1 ? FOLL_WRITE : 0);
  const out = RemotePage.value.at(v);
  let done = 0;
  yield* mmapReadLock(mm);
  while (done < bytes) {
    if ((yield* getUserPagesRemote(v, mm, vpnOf(addr + done), 1, flags, out)) <= 0) break;
    const pg = readLocal(out);
    const offset = offsetInPage(addr + done);
    const step = Math.min(bytes - done, pageBytes() - offset);
    yield* copyWords(v, pg, offset, step, data + done, writes);
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* putPage(v, pg);
    done += step;
  }
  yield* mmapReadUnlock(mm);
  return done;
}

/** kernel/ptrace.c: generic_ptrace_peekdata(), generic_ptrace_pokedata(). @returns 0 or error. */
function* peekPoke(v: number, pid: number, addr: number, data: number, writes: number): Op {
  const status = yield* checkAttach(v, pid);
  if (status < 0) return status;
  const mm = yield* getTaskMm(v, pid);
  if (mm === NO_MM) return -EIO;
  const done = addr < 0 ? 0 : yield* accessVm(v, mm, addr, data, writes);
  yield* mmput(v, mm);
  return done === ptraceWordBytes() ? 0 : -EIO;
}

/**
 * ptrace(2)
 * @param v - vCPU of the task. @param request - PTRACE_*. @param pid - the other process.
 * @param addr - address in it. @param data - word of an array of ptraceWordBytes() words, which a
 *   peek fills and a poke reads. @returns 0, -ESRCH, -EPERM or -EIO.
 */
export function* sysPtrace(
  v: number,
  request: number,
  pid: number,
  addr: number,
  data: number,
): Op {
  switch (request) {
    case PTRACE_TRACEME:
    case PTRACE_ATTACH:
    case PTRACE_DETACH:
      return yield* changeTracer(v, request, pid);
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
      return yield* peekPoke(v, pid, addr, data, 0);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
      return yield* peekPoke(v, pid, addr, data, 1);
    default:
      return -EIO;
  }
}
