/**
 * process_vm_readv(2), process_vm_writev(2) (mm/process_vm_access.c): between the buffers of the
 * caller and those of another process, or its own. The pages of the other side are pinned
 * (pin_user_pages_remote()) under its mmap_lock, and copied from or to after the lock was dropped.
 *
 * A side that ends early: what was copied until then counts; nothing at all: -EFAULT.
 */
import type { Op } from '../../shared/op.ts';
import { readLocal, trace } from '../../shared/operations.ts';
import { defineTable } from '../../shared/table.ts';
import { EFAULT, EINVAL, ESRCH } from '../errno.ts';
import { FOLL_PIN, FOLL_WRITE, getUserPagesRemote, gupPut } from '../mm/gup.ts';
import { mmput } from '../mm/mm-life.ts';
import { NO_MM, mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { getTaskMm } from '../process/task.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';
import { COPY_FAULT, offsetInPage, pageBytes, pagesOfRange, vpnOf } from './copy-bytes.ts';
import {
  IOVEC_WORDS,
  copyPageFromIter,
  copyPageToIter,
  importIovec,
  iovIterCount,
} from './iov-iter.ts';

/** From the other process. */
const VM_READV = 0;
/** Into the other process. */
const VM_WRITEV = 1;
/** include/uapi/linux/uio.h: UIO_MAXIOV. */
const UIO_MAXIOV = 1024;

/** Pages that are pinned at a time: PVM_MAX_PP_ARRAY_COUNT is 16. */
export const ProcessPage = defineTable('%v.process_page[%]', ['vcpus', 'processPages'], {
  value: '[VCPU] process_pages[]: a page of the other process',
});

/** mm/process_vm_access.c: process_vm_rw_pages(). @returns 0 or -EFAULT. */
function* rwPages(v: number, offset: number, bytes: number, rw: number): Op {
  let left = bytes;
  let at = offset;
  for (let i = 0; left > 0 && iovIterCount(v) > 0; i++) {
    const pg = readLocal(ProcessPage.value.at2(v, i));
    const step = Math.min(left, pageBytes() - at);
    const copied =
      rw === VM_WRITEV
        ? yield* copyPageFromIter(v, pg, at, step, COPY_FAULT)
        : yield* copyPageToIter(v, pg, at, step);
    left -= copied;
    if (copied < step && iovIterCount(v) > 0) return -EFAULT;
    at = 0;
  }
  return 0;
}

/** mm/gup.c: unpin_user_pages_dirty_lock() */
function* unpinPages(v: number, count: number): Op<void> {
  for (let i = 0; i < count; i++) {
    const pg = readLocal(ProcessPage.value.at2(v, i));
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* gupPut(v, pg, FOLL_PIN);
  }
}

/** mm/process_vm_access.c: process_vm_rw_single_vec(). @returns 0 or -EFAULT. */
function* rwSingleVec(v: number, mm: number, addr: number, bytes: number, rw: number): Op {
  const flags = FOLL_PIN | (rw === VM_WRITEV ? FOLL_WRITE : 0);
  const out = ProcessPage.value.at2(v, 0);
  let pages = pagesOfRange(addr, bytes);
  let vpn = vpnOf(addr);
  let offset = offsetInPage(addr);
  let left = bytes;
  while (pages > 0 && iovIterCount(v) > 0) {
    const want = Math.min(pages, ProcessPage.value.count);
    yield* mmapReadLock(mm);
    const pinned = yield* getUserPagesRemote(v, mm, vpn, want, flags, out);
    yield* mmapReadUnlock(mm);
    if (pinned <= 0) return -EFAULT;
    const step = Math.min(left, pinned * pageBytes() - offset);
    const status = yield* rwPages(v, offset, step, rw);
    yield* unpinPages(v, pinned);
    if (status < 0) return status;
    left -= step;
    offset = 0;
    pages -= pinned;
    vpn += pinned;
  }
  return 0;
}

/**
 * iovec_from_user() of the other side, whose addresses are looked at later.
 * @returns 0 or error.
 */
function checkRemote(rvec: number, nr: number): number {
  if (nr < 0 || nr > UIO_MAXIOV) return -EINVAL;
  for (let i = 0; i < nr; i++) {
    if (readLocal(rvec + i * IOVEC_WORDS + 1) < 0) return -EINVAL;
  }
  return 0;
}

/**
 * mm/process_vm_access.c: process_vm_rw_core()
 * @param v - vCPU of the task, with its iov_iter. @param mm - the other address space, kept.
 * @param rvec - word of `nr` records { address, bytes } of it. @param rw - VM_READV or VM_WRITEV.
 * @returns bytes, or -EFAULT if none.
 */
function* rwCore(v: number, mm: number, rvec: number, nr: number, rw: number): Op {
  const total = iovIterCount(v);
  let status = 0;
  for (let i = 0; i < nr && iovIterCount(v) > 0 && status === 0; i++) {
    const record = rvec + i * IOVEC_WORDS;
    const addr = readLocal(record);
    status = addr < 0 ? -EFAULT : yield* rwSingleVec(v, mm, addr, readLocal(record + 1), rw);
  }
  const done = total - iovIterCount(v);
  return done > 0 ? done : status;
}

/** mm/process_vm_access.c: process_vm_rw() */
function* processVmRw(
  v: number,
  pid: number,
  lvec: number,
  liovcnt: number,
  rvec: number,
  riovcnt: number,
  flags: number,
  rw: number,
): Op {
  if (flags !== 0) return -EINVAL;
  let status = importIovec(v, lvec, liovcnt);
  if (status < 0 || iovIterCount(v) === 0) return status;
  status = checkRemote(rvec, riovcnt);
  if (status < 0) return status;
  const mm = yield* getTaskMm(v, pid);
  if (mm === NO_MM) return -ESRCH;
  status = yield* rwCore(v, mm, rvec, riovcnt, rw);
  yield* mmput(v, mm);
  return status;
}

/**
 * process_vm_readv(2)
 * @param v - vCPU of the task. @param pid - the other process. @param lvec - word of `liovcnt`
 *   records { address, bytes } of the caller. @param rvec - of `riovcnt` records of the other.
 * @param flags - 0. @returns bytes; -EINVAL, -ESRCH, or -EFAULT if none could be copied.
 */
export function* sysProcessVmReadv(
  v: number,
  pid: number,
  lvec: number,
  liovcnt: number,
  rvec: number,
  riovcnt: number,
  flags: number,
): Op {
  return yield* processVmRw(v, pid, lvec, liovcnt, rvec, riovcnt, flags, VM_READV);
}

/** process_vm_writev(2). As process_vm_readv, into the other process. */
export function* sysProcessVmWritev(
  v: number,
  pid: number,
  lvec: number,
  liovcnt: number,
  rvec: number,
  riovcnt: number,
  flags: number,
): Op {
  return yield* processVmRw(v, pid, lvec, liovcnt, rvec, riovcnt, flags, VM_WRITEV);
}
