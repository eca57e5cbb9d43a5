/**
 * Open files of gntdev: drivers/xen/gntdev.c, gntdev_open() and gntdev_release(). A file lives as
 * long as its descriptor or a VMA of it (struct file: f_count).
 *
 * 3.12 and 4.0 register one notifier for the whole address space at open, and empty the list of
 * maps at release without the lock, before they unregister (the race that 30b03d05e074 fixed).
 */
import { kernelBase } from '../../../hardware/params.ts';
import type { Op } from '../../../shared/op.ts';
import { fetchAdd, read, warnOn, write } from '../../../shared/operations.ts';
import { slabAlloc, slabFree } from '../../../shared/slab.ts';
import {
  FIND_NORMAL_PAGE,
  FIND_SPECIAL_PAGE,
  M2P_OVERRIDE,
  VM_FOREIGN_ARRAY,
  design,
} from '../../designs/design.ts';
import { ENOMEM } from '../../errno.ts';
import {
  NOTIFIER_GNTDEV,
  mmuIntervalNotifierInsert,
  mmuIntervalNotifierRemove,
} from '../../mm/mmu-notifier.ts';
import { BUG_FREEABLE_MAPS } from '../bugs.ts';
import { listDel, listEmpty } from '../list.ts';
import { initSlots, releaseClassic } from './classic/slots.ts';
import { putListedMap } from './by-vma/put-map.ts';
import { Gntdev, GntdevBitmap, gntdevLock, gntdevUnlock, mapOfNode } from './grant-map.ts';
import { putMapToday } from './today/put-map.ts';

/** Has the file a notifier of the address space? Else each map has its own, or nobody has one. */
function watchesAddressSpace(): boolean {
  const generation = design();
  return generation === M2P_OVERRIDE || generation === FIND_SPECIAL_PAGE;
}

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
  if (design() === VM_FOREIGN_ARRAY) yield* initSlots(fd);
  if (!watchesAddressSpace()) return fd;
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

/** Drops the list's reference of a map that is on no list any more. */
function* dropMap(v: number, map: number): Op<void> {
  if (design() === FIND_NORMAL_PAGE) yield* putMapToday(v, map);
  else yield* putListedMap(v, map, 0);
}

/** drivers/xen/gntdev.c: gntdev_release(), its loop over the list of maps. */
export function* dropMaps(v: number, fd: number): Op<void> {
  for (;;) {
    const map = yield* popMap(fd);
    if (map < 0) return;
    yield* dropMap(v, map);
  }
}

/** drivers/xen/gntdev.c: gntdev_release() */
export function* gntdevRelease(v: number, fd: number): Op<void> {
  if (design() === VM_FOREIGN_ARRAY) yield* releaseClassic(v, fd);
  const locked = !watchesAddressSpace();
  if (locked) yield* gntdevLock(fd);
  yield* dropMaps(v, fd);
  if (locked) yield* gntdevUnlock(fd);
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
