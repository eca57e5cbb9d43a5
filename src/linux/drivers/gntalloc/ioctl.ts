/**
 * The system calls on an open gntalloc file: drivers/xen/gntalloc.c, gntalloc_open(),
 * gntalloc_ioctl() and gntalloc_release().
 *
 *   1. alloc: pages, each granted, at new offsets of the file. 2. mmap (mmap.ts). 3. dealloc: the
 *   file lets go of them. The page and its grant go when no mapping and no grantee is left.
 */
import { domainOf } from '../../../hardware/params.ts';
import { mutexLock, mutexUnlock } from '../../../shared/mutex.ts';
import type { Op } from '../../../shared/op.ts';
import { fetchAdd, read, readLocal, write, writeLocal } from '../../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../../shared/slab.ts';
import { EINVAL, ENOENT, ENOMEM, ENOSPC } from '../../errno.ts';
import { clearPage } from '../../mm/direct-map.ts';
import { allocPage } from '../../mm/page-alloc.ts';
import { NO_PAGE, pfnOf } from '../../mm/page.ts';
import { gnttabGrantForeignAccess } from '../grant-table.ts';
import { evtchnGet, evtchnPut } from '../events.ts';
import { listAddTail, listDel, listEmpty } from '../list.ts';
import {
  Gntalloc,
  GntallocFile,
  GntallocFileBitmap,
  GntallocGref,
  GntallocGrefBitmap,
  NO_GREF,
  delGref,
  doCleanup,
  dropGrefUser,
  findGrefs,
  grefOfFileNode,
} from './gref.ts';
import { UNMAP_NOTIFY_CLEAR_BYTE, UNMAP_NOTIFY_SEND_EVENT } from '../../uapi/gntdev.ts';

/** Grefs that a domain may have at once: the driver's parameter `limit`. */
export const GNTALLOC_LIMIT = 1024;

/** drivers/xen/gntalloc.c: gntalloc_open(). @returns the file, or -ENOMEM. */
export function* gntallocOpen(): Op {
  const file = yield* slabAlloc(GntallocFileBitmap.value.word, GntallocFile.users.count);
  if (file < 0) return -ENOMEM;
  const head = GntallocFile.fileNext.at(file);
  yield* write(head, head);
  yield* write(head + 1, head);
  yield* write(GntallocFile.index.at(file), 0);
  yield* write(GntallocFile.users.at(file), 1);
  return file;
}

/** drivers/xen/gntalloc.c: gntalloc_release() */
function* gntallocRelease(v: number, file: number): Op<void> {
  const d = domainOf(v);
  const head = GntallocFile.fileNext.at(file);
  yield* mutexLock(Gntalloc.mutex.at(d));
  while ((yield* listEmpty(head)) === 0) {
    const node = yield* read(head);
    const gref = grefOfFileNode(node);
    yield* listDel(node);
    if ((yield* dropGrefUser(gref)) === 0) yield* delGref(v, gref);
  }
  yield* mutexUnlock(Gntalloc.mutex.at(d));
  yield* slabFree(GntallocFileBitmap.value.word, file);
}

/** get_file(). @param file - file that the caller has a reference of. */
export function* gntallocGetFile(file: number): Op<void> {
  yield* fetchAdd(GntallocFile.users.at(file), 1);
}

/** fput(). @param file - file; the last reference releases it. */
export function* gntallocPutFile(v: number, file: number): Op<void> {
  if ((yield* fetchAdd(GntallocFile.users.at(file), -1)) === 1) yield* gntallocRelease(v, file);
}

/** One page with its grant, on no list. @returns the gref, or -ENOMEM if there is none. */
function* newGref(v: number, domid: number, readonly: number, index: number): Op {
  const gref = yield* slabAlloc(GntallocGrefBitmap.value.word, GntallocGref.users.count);
  if (gref < 0) return -ENOMEM;
  yield* write(GntallocGref.users.at(gref), 1);
  yield* write(GntallocGref.fileIndex.at(gref), index);
  yield* write(GntallocGref.notifyFlags.at(gref), 0);
  yield* write(GntallocGref.ref.at(gref), 0);
  const pg = yield* allocPage(v);
  yield* write(GntallocGref.page.at(gref), pg);
  if (pg === NO_PAGE) return gref;
  yield* clearPage(v, pg);
  const ref = yield* gnttabGrantForeignAccess(v, domid, pfnOf(pg), readonly);
  if (ref > 0) yield* write(GntallocGref.ref.at(gref), ref);
  return gref;
}

/**
 * The second half of drivers/xen/gntalloc.c: add_grefs(): all of a call go on the lists together,
 * or all are given up; one that the grantee has guessed and mapped stays on the domain's list.
 * @param grefs - word of an array of them. @param ok - 1 if the call succeeded.
 */
function* publishGrefs(
  v: number,
  file: number,
  grefs: number,
  count: number,
  ok: number,
): Op<void> {
  const d = domainOf(v);
  yield* mutexLock(Gntalloc.mutex.at(d));
  for (let i = 0; i < count; i++) {
    const gref = readLocal(grefs + i);
    yield* listAddTail(GntallocGref.nextGref.at(gref), Gntalloc.grefNext.at(d));
    if (ok !== 0) {
      yield* listAddTail(GntallocGref.nextFile.at(gref), GntallocFile.fileNext.at(file));
      writeLocal(grefs + i, yield* read(GntallocGref.ref.at(gref)));
    } else {
      yield* dropGrefUser(gref);
      yield* delGref(v, gref);
    }
  }
  yield* mutexUnlock(Gntalloc.mutex.at(d));
}

/** Grefs of a failed call that were counted and not made. */
function* giveBack(d: number, count: number): Op<void> {
  yield* mutexLock(Gntalloc.mutex.at(d));
  yield* write(Gntalloc.grefSize.at(d), (yield* read(Gntalloc.grefSize.at(d))) - count);
  yield* mutexUnlock(Gntalloc.mutex.at(d));
}

/**
 * IOCTL_GNTALLOC_ALLOC_GREF. drivers/xen/gntalloc.c: gntalloc_ioctl_alloc()
 * @param v - vCPU of the task. @param file - file. @param domid - who may map the pages.
 * @param readonly - 0 or 1. @param count - pages. @param refs - word of an array for the grants.
 * @returns page offset of the first in the file, or -ENOMEM, -ENOSPC above the limit.
 */
export function* gntallocAllocGref(
  v: number,
  file: number,
  domid: number,
  readonly: number,
  count: number,
  refs: number,
): Op {
  const d = domainOf(v);
  yield* mutexLock(Gntalloc.mutex.at(d));
  yield* doCleanup(v, d);
  const size = yield* read(Gntalloc.grefSize.at(d));
  if (count < 0 || size + count > GNTALLOC_LIMIT) {
    yield* mutexUnlock(Gntalloc.mutex.at(d));
    return -ENOSPC;
  }
  yield* write(Gntalloc.grefSize.at(d), size + count);
  const index = yield* read(GntallocFile.index.at(file));
  yield* write(GntallocFile.index.at(file), index + count);
  yield* mutexUnlock(Gntalloc.mutex.at(d));
  let made = 0;
  let ok = 1;
  while (made < count && ok === 1) {
    const gref = yield* newGref(v, domid, readonly, index + made);
    if (gref < 0) {
      ok = 0;
    } else {
      if ((yield* read(GntallocGref.ref.at(gref))) === 0) ok = 0;
      writeLocal(refs + made++, gref);
    }
  }
  yield* publishGrefs(v, file, refs, made, ok);
  if (ok === 0) yield* giveBack(d, count - made);
  return ok === 1 ? index : -ENOMEM;
}

/**
 * IOCTL_GNTALLOC_DEALLOC_GREF. drivers/xen/gntalloc.c: gntalloc_ioctl_dealloc()
 * @param index - page offset of the first. @param count - pages. @returns 0 or -EINVAL.
 */
export function* gntallocDeallocGref(v: number, file: number, index: number, count: number): Op {
  const d = domainOf(v);
  let status = -EINVAL;
  yield* mutexLock(Gntalloc.mutex.at(d));
  if ((yield* findGrefs(file, index, count)) !== NO_GREF) {
    for (let i = 0; i < count; i++) {
      const gref = yield* findGrefs(file, index + i, 1);
      yield* listDel(GntallocGref.nextFile.at(gref));
      yield* dropGrefUser(gref);
    }
    status = 0;
  }
  yield* doCleanup(v, d);
  yield* mutexUnlock(Gntalloc.mutex.at(d));
  return status;
}

/**
 * IOCTL_GNTALLOC_SET_UNMAP_NOTIFY. drivers/xen/gntalloc.c: gntalloc_ioctl_unmap_notify()
 * @param index - page offset in the file. @param offset - word of the page to clear.
 * @param action - UNMAP_NOTIFY_*. @param port - event channel to send to.
 * @returns 0, -ENOENT or -EINVAL.
 */
export function* gntallocSetUnmapNotify(
  v: number,
  file: number,
  index: number,
  offset: number,
  action: number,
  port: number,
): Op {
  if ((action & ~(UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT)) !== 0) return -EINVAL;
  // A reference before anything changes: the port that goes may be the one that comes.
  let held = -1;
  if ((action & UNMAP_NOTIFY_SEND_EVENT) !== 0) {
    if ((yield* evtchnGet(domainOf(v), port)) !== 0) return -EINVAL;
    held = port;
  }
  yield* mutexLock(Gntalloc.mutex.at(domainOf(v)));
  const gref = yield* findGrefs(file, index, 1);
  if (gref !== NO_GREF) {
    const before = yield* read(GntallocGref.notifyFlags.at(gref));
    held = -1;
    if ((before & UNMAP_NOTIFY_SEND_EVENT) !== 0) {
      held = yield* read(GntallocGref.notifyPort.at(gref));
    }
    yield* write(GntallocGref.notifyFlags.at(gref), action);
    yield* write(GntallocGref.notifyOffset.at(gref), offset);
    yield* write(GntallocGref.notifyPort.at(gref), port);
  }
  yield* mutexUnlock(Gntalloc.mutex.at(domainOf(v)));
  if (held >= 0) yield* evtchnPut(v, held);
  return gref === NO_GREF ? -ENOENT : 0;
}
