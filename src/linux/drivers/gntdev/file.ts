/**
 * Open files of gntdev: drivers/xen/gntdev.c, gntdev_open() and gntdev_release(). A file lives as
 * long as its descriptor or a VMA of it (struct file: f_count).
 *
 * 3.12 registers one notifier for the whole address space at open, and empties the list of maps at
 * release without the lock, before it unregisters (the race that 30b03d05e074 fixed).
 */
import { kernelBase } from '../../../hardware/params.ts';
import type { Op } from '../../../shared/op.ts';
import { fetchAdd, read, warnOn, write } from '../../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../../shared/slab.ts';
import { designUnmapsWhenIdle } from '../../designs/design.ts';
import { ENOMEM } from '../../errno.ts';
import {
  NOTIFIER_GNTDEV,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
} from '../../mm/mmu-notifier.ts';
import { BUG_FREEABLE_MAPS } from '../bugs.ts';
import { listDel, listEmpty } from '../list.ts';
import {
  Gntdev,
  GntdevBitmap,
  gntdevLock,
  gntdevPutMap,
  gntdevUnlock,
  mapOfNode,
} from './grant-map.ts';

/** INIT_LIST_HEAD() of a file that nobody else knows. */
function* initList(head: number): Op<void> {
  yield* write(head, head);
  yield* write(head + 1, head);
}

/**
 * drivers/xen/gntdev.c: gntdev_open()
 * @param v - vCPU of the task. @param mm - its address space.
 * @returns the file, or -ENOMEM.
 */
export function* gntdevOpen(v: number, mm: number): Op {
  const fd = yield* slabAlloc(GntdevBitmap.value.word, Gntdev.users.count);
  if (fd < 0) return -ENOMEM;
  yield* initList(Gntdev.mapsNext.at(fd));
  yield* initList(Gntdev.freeableNext.at(fd));
  yield* write(Gntdev.mm.at(fd), mm);
  yield* write(Gntdev.notifier.at(fd), -1);
  yield* write(Gntdev.users.at(fd), 1);
  if (designUnmapsWhenIdle() !== 0) return fd;
  const count = kernelBase();
  const notifier = yield* mmuIntervalNotifierInsert(v, mm, 0, count, NOTIFIER_GNTDEV, fd);
  if (notifier < 0) {
    yield* slabFree(GntdevBitmap.value.word, fd);
    return notifier;
  }
  yield* write(Gntdev.notifier.at(fd), notifier);
  return fd;
}

/** get_file(). @param fd - file that the caller has a reference of. */
export function* gntdevGetFile(fd: number): Op<void> {
  yield* fetchAdd(Gntdev.users.at(fd), 1);
}

/** Takes the first map off the list. @returns it, or -1 if there is none. */
function* popMap(fd: number): Op {
  const head = Gntdev.mapsNext.at(fd);
  if ((yield* listEmpty(head)) !== 0) return -1;
  const node = yield* read(head);
  yield* listDel(node);
  return mapOfNode(node);
}

/** drivers/xen/gntdev.c: gntdev_release() */
function* gntdevRelease(v: number, fd: number): Op<void> {
  const locked = designUnmapsWhenIdle() !== 0;
  for (;;) {
    if (locked) yield* gntdevLock(fd);
    const map = yield* popMap(fd);
    if (locked) yield* gntdevUnlock(fd);
    if (map < 0) break;
    yield* gntdevPutMap(v, map, 0);
  }
  const left = yield* listEmpty(Gntdev.freeableNext.at(fd));
  warnOn(left === 0, BUG_FREEABLE_MAPS, fd, 0);
  const notifier = yield* read(Gntdev.notifier.at(fd));
  if (notifier >= 0) yield* mmuIntervalNotifierRemove(v, notifier);
  yield* slabFree(GntdevBitmap.value.word, fd);
}

/**
 * fput(): closing the descriptor, or a VMA that goes; the last one releases the file.
 * @param v - vCPU of the task. @param fd - file.
 */
export function* gntdevPutFile(v: number, fd: number): Op<void> {
  if ((yield* fetchAdd(Gntdev.users.at(fd), -1)) === 1) yield* gntdevRelease(v, fd);
}
