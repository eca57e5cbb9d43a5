/**
 * io_uring, as far as it holds user pages (io_uring/rsrc.c of 6.1): registered buffers are pinned
 * for as long as the ring lives (FOLL_LONGTERM).
 *
 * io_pin_pages(): with mmap_lock held for reading: 1. pin all pages of the buffer, for writing.
 * 2. look at the VMAs they came from: a buffer may be anonymous memory or a file of tmpfs, no other
 * file's (-EOPNOTSUPP). 3. on an error unpin what was pinned. Between 1 and 3 the pages are held
 * like any other's.
 *
 * uringLock   mutex: the table of buffers
 * Not modelled: the rings and requests.
 */
import type { Op } from '../../shared/op.ts';
import { mutexLock, mutexUnlock } from '../../shared/mutex.ts';
import { read, readLocal, trace, write } from '../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../shared/slab.ts';
import { defineTable } from '../../shared/table.ts';
import { EBADF, EBUSY, EFAULT, EINVAL, ENOMEM, ENXIO, EOPNOTSUPP } from '../errno.ts';
import { FOLL_LONGTERM, FOLL_PIN, FOLL_WRITE, getUserPagesRemote, gupPut } from '../mm/gup.ts';
import { currentMm } from '../mm/mm-life.ts';
import { mmapReadLock, mmapReadUnlock } from '../mm/mm.ts';
import { Vma } from '../mm/vma.ts';
import { vmaLookup } from '../mm/vma-tree.ts';
import { VM_OPS_ANONYMOUS, VM_OPS_SHMEM } from '../mm/vm-ops.ts';
import { TRACE_GUP_PUT } from '../tracepoints.ts';
import { accessOk, pagesOfRange, vpnOf } from './copy-bytes.ts';
import { fdFile, fdget, fdput, installFile } from './fd-table.ts';
import { FILE_OPS_URING } from './file-ops.ts';
import { FILE_RECORD, File, NO_FILE, O_RDWR, allocFile, fileKind, fileObject } from './file.ts';
import { IOVEC_WORDS } from './iov-iter.ts';

/** include/uapi/linux/io_uring.h: opcodes of io_uring_register(2). */
export const IORING_REGISTER_BUFFERS = 0;
export const IORING_UNREGISTER_BUFFERS = 1;
/** IORING_MAX_ENTRIES */
const IORING_MAX_ENTRIES = 32768;

export const Uring = defineTable(
  'io_uring[%]',
  ['urings'],
  {
    uringLock: '[GST] uring_lock: mutex',
    buffers: '[GST] nr_user_bufs: buffers that are registered; uringLock',
    pages: '[GST] pages of all of them; uringLock',
  },
  { lineAligned: true },
);

export const UringPool = defineTable('io_uring_cache[%]', ['uringWords'], {
  value: '[GST] bitmap of the rings in use (kmalloc)',
});

/** Pages of the registered buffers of a ring: io_mapped_ubuf. */
export const UringPage = defineTable('io_uring[%].page[%]', ['urings', 'uringPages'], {
  value: '[GST] pinned page; uringLock',
});

/**
 * io_uring_setup(2)
 * @param v - vCPU of the task. @param entries - of the submission ring.
 * @returns a descriptor, -EINVAL, -ENOMEM, -EMFILE or -ENFILE.
 */
export function* sysIoUringSetup(v: number, entries: number): Op {
  if (entries <= 0 || entries > IORING_MAX_ENTRIES) return -EINVAL;
  const ring = yield* slabAlloc(UringPool.value.word, Uring.buffers.count);
  if (ring < 0) return -ENOMEM;
  yield* write(Uring.uringLock.at(ring), 0);
  yield* write(Uring.buffers.at(ring), 0);
  yield* write(Uring.pages.at(ring), 0);
  const file = yield* allocFile(FILE_OPS_URING, ring, O_RDWR);
  if (file < 0) {
    yield* slabFree(UringPool.value.word, ring);
    return file;
  }
  return yield* installFile(v, file, 1);
}

/** unpin_user_pages(). The caller holds uringLock. @param first, end - numbers of pages. */
function* unpinPages(v: number, ring: number, first: number, end: number): Op<void> {
  for (let i = first; i < end; i++) {
    const pg = yield* read(UringPage.value.at2(ring, i));
    trace(TRACE_GUP_PUT, pg, 0, 0);
    yield* gupPut(v, pg, FOLL_PIN);
  }
}

/** May the pages of this VMA be registered? Under mmap_lock. @returns 1 or 0. */
function* supported(mm: number, vpn: number): Op {
  const vma = yield* vmaLookup(mm, vpn);
  const ops = yield* read(Vma.ops.at(vma));
  return ops === VM_OPS_ANONYMOUS || ops === VM_OPS_SHMEM ? 1 : 0;
}

/** io_uring/rsrc.c: io_pin_pages(). @returns pages, or a negative errno. */
function* ioPinPages(v: number, ring: number, addr: number, bytes: number): Op {
  const mm = currentMm(v);
  const vpn = vpnOf(addr);
  const count = pagesOfRange(addr, bytes);
  const first = yield* read(Uring.pages.at(ring));
  if (first + count > UringPage.value.count) return -ENOMEM;
  const flags = FOLL_PIN | FOLL_WRITE | FOLL_LONGTERM;
  yield* mmapReadLock(mm);
  const out = UringPage.value.at2(ring, first);
  const pinned = yield* getUserPagesRemote(v, mm, vpn, count, flags, out);
  let status = pinned === count ? 0 : pinned < 0 ? pinned : -EFAULT;
  for (let i = 0; i < count && status === 0; i++) {
    if ((yield* supported(mm, vpn + i)) === 0) status = -EOPNOTSUPP;
  }
  yield* mmapReadUnlock(mm);
  if (status === 0) return count;
  if (pinned > 0) yield* unpinPages(v, ring, first, first + pinned);
  return status;
}

/** io_uring/rsrc.c: io_sqe_buffers_unregister(). The caller holds uringLock. @returns 0, -ENXIO. */
function* unregisterBuffers(v: number, ring: number): Op {
  if ((yield* read(Uring.buffers.at(ring))) === 0) return -ENXIO;
  yield* unpinPages(v, ring, 0, yield* read(Uring.pages.at(ring)));
  yield* write(Uring.pages.at(ring), 0);
  yield* write(Uring.buffers.at(ring), 0);
  return 0;
}

/** io_uring/rsrc.c: io_sqe_buffers_register(): all or none. The caller holds uringLock. */
function* registerBuffers(v: number, ring: number, iov: number, nr: number): Op {
  if ((yield* read(Uring.buffers.at(ring))) > 0) return -EBUSY;
  if (nr <= 0) return -EINVAL;
  let status = 0;
  for (let i = 0; i < nr && status >= 0; i++) {
    const addr = readLocal(iov + i * IOVEC_WORDS);
    const bytes = readLocal(iov + i * IOVEC_WORDS + 1);
    if (bytes <= 0 || !accessOk(addr, bytes)) status = -EFAULT;
    else status = yield* ioPinPages(v, ring, addr, bytes);
    if (status < 0) continue;
    yield* write(Uring.pages.at(ring), (yield* read(Uring.pages.at(ring))) + status);
    yield* write(Uring.buffers.at(ring), i + 1);
  }
  if (status >= 0) return 0;
  yield* unregisterBuffers(v, ring);
  return status;
}

function* doRegister(v: number, ring: number, opcode: number, arg: number, nr: number): Op {
  switch (opcode) {
    case IORING_REGISTER_BUFFERS:
      if (arg === 0) return -EFAULT;
      return yield* registerBuffers(v, ring, arg, nr);
    case IORING_UNREGISTER_BUFFERS:
      if (arg !== 0 || nr !== 0) return -EINVAL;
      return yield* unregisterBuffers(v, ring);
    default:
      return -EINVAL;
  }
}

/**
 * io_uring_register(2), of buffers.
 * @param v - vCPU of the task. @param fd - a ring. @param opcode - IORING_*. @param arg - word of
 *   `nr` records { address, bytes }, 0: NULL. @returns 0 or a negative errno.
 */
export function* sysIoUringRegister(
  v: number,
  fd: number,
  opcode: number,
  arg: number,
  nr: number,
): Op {
  const found = yield* fdget(v, fd);
  if (found === NO_FILE) return -EBADF;
  const file = fdFile(found);
  let status = -EOPNOTSUPP;
  const f = fileObject(file);
  if (fileKind(file) === FILE_RECORD && (yield* read(File.kind.at(f))) === FILE_OPS_URING) {
    const ring = yield* read(File.object.at(f));
    yield* mutexLock(Uring.uringLock.at(ring));
    status = yield* doRegister(v, ring, opcode, arg, nr);
    yield* mutexUnlock(Uring.uringLock.at(ring));
  }
  yield* fdput(v, found);
  return status;
}

/** io_uring/io_uring.c: io_uring_release(). @param ring - object of the file. */
export function* uringRelease(v: number, ring: number): Op<void> {
  yield* mutexLock(Uring.uringLock.at(ring));
  yield* unregisterBuffers(v, ring);
  yield* mutexUnlock(Uring.uringLock.at(ring));
  yield* slabFree(UringPool.value.word, ring);
}
