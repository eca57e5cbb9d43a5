/**
 * Memory of a process, by the kernel for somebody else (mm/memory.c: __access_remote_vm();
 * fs/proc/base.c: mem_rw()): /proc/pid/mem and ptrace. Page by page, with mmap_lock held for
 * reading: get_user_pages, and the copy through the kernel's address of the page.
 */
import type { Op } from '../../shared/op.ts';
import { read, readLocal, trace } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { EFAULT, EIO, ENOMEM } from '../errno.ts';
import { FOLL_FORCE, FOLL_WRITE, getUserPagesRemote } from '../mm/gup.ts';
import { mmgetNotZero, mmput } from '../mm/mm-life.ts';
import { mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { allocPage } from '../mm/page-alloc.ts';
import { NO_PAGE, putPage } from '../mm/page.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';
import {
  COPY_ATOMIC,
  COPY_FAULT,
  copyBytes,
  kmap,
  offsetInPage,
  pageBytes,
  vpnOf,
} from './copy-bytes.ts';
import { File } from './file.ts';
import { copyPageFromIter, copyPageToIter, iovIterCount } from './iov-iter.ts';

/** The page in hand: on the kernel stack of the task. */
export const RemotePage = defineTable('%v.remote_page', ['vcpus'], {
  value: '[VCPU] page of the other process',
});

/**
 * mm/memory.c: __access_remote_vm()
 * @param v - vCPU that runs this. @param mm - address space with a reference of the caller.
 * @param addr - address in it. @param vpn - kernel vpn of the caller's buffer, from its start.
 * @param bytes - how many. @param flags - FOLL_WRITE: into the process; FOLL_FORCE.
 * @returns bytes copied.
 */
export function* accessRemoteVm(
  v: number,
  mm: number,
  addr: number,
  vpn: number,
  bytes: number,
  flags: number,
): Op {
  let done = 0;
  yield* mmapReadLock(mm);
  while (done < bytes) {
    const at = addr + done;
    const out = RemotePage.value.at(v);
    if ((yield* getUserPagesRemote(v, mm, vpnOf(at), 1, flags, out)) <= 0) break;
    const pg = readLocal(out);
    const offset = offsetInPage(at);
    const step = Math.min(bytes - done, pageBytes() - offset);
    const page = kmap(pg);
    if ((flags & FOLL_WRITE) !== 0) {
      yield* copyBytes(v, mm, page, offset, vpn, done, step, COPY_ATOMIC);
    } else {
      yield* copyBytes(v, mm, vpn, done, page, offset, step, COPY_ATOMIC);
    }
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* putPage(v, pg);
    done += step;
  }
  yield* mmapReadUnlock(mm);
  return done;
}

/** One page of mem_rw(). @param page - of the kernel. @returns bytes, 0, or -EFAULT. */
function* memRwPage(v: number, mm: number, page: number, addr: number, writes: number): Op {
  const want = Math.min(iovIterCount(v), pageBytes());
  if (writes === 1 && (yield* copyPageFromIter(v, page, 0, want, COPY_FAULT)) < want)
    return -EFAULT;
  const flags = FOLL_FORCE | (writes === 1 ? FOLL_WRITE : 0);
  const done = yield* accessRemoteVm(v, mm, addr, kmap(page), want, flags);
  if (writes === 1 || done === 0) return done;
  return (yield* copyPageToIter(v, page, 0, done)) < done ? -EFAULT : done;
}

/** mem_rw(), its loop. @returns bytes, -EIO if none, or -EFAULT. */
function* memRwLoop(v: number, mm: number, page: number, pos: number, writes: number): Op {
  let copied = 0;
  while (iovIterCount(v) > 0) {
    const done = yield* memRwPage(v, mm, page, pos + copied, writes);
    if (done < 0) return done;
    if (done === 0) return copied > 0 ? copied : -EIO;
    copied += done;
  }
  return copied;
}

/**
 * fs/proc/base.c: mem_rw()
 * @param v - vCPU of the task, with its iov_iter. @param f - file; its object is the address space,
 *   which it keeps from being freed but not from being emptied. @param pos - address.
 * @param writes - 1: into the process. @returns bytes, 0 if the process is gone, or an error.
 */
export function* memRw(v: number, f: number, pos: number, writes: number): Op {
  const mm = yield* read(File.object.at(f));
  if (mm < 0 || iovIterCount(v) === 0) return 0;
  const page = yield* allocPage(v);
  if (page === NO_PAGE) return -ENOMEM;
  let copied = 0;
  if ((yield* mmgetNotZero(mm)) === 1) {
    copied = yield* memRwLoop(v, mm, page, pos, writes);
    yield* mmput(v, mm);
  }
  yield* putPage(v, page);
  return copied;
}
