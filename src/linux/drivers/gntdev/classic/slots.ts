/**
 * gntdev of the classic kernel (linux-2.6.18-xen, drivers/xen/gntdev/gntdev.c): a file is an array
 * of grants, each with a page over which it is mapped; there are no maps. A slot is free, or names
 * a grant that is not mapped yet, or one that is.
 *
 * ClassicFile.grantsSem   write: slots change; mmap and the ioctls. The VMA operations change slots
 *                         too, and do not take it.
 * ClassicSlot.state       SLOT_*; changed by the ioctls and mmap, and by zap_pte under the
 *                         page-table lock
 *
 * Not modelled: the list of free slots (the states say which are free), SET_MAX_GRANTS.
 */
import type { Op } from '../../../../shared/op.ts';
import { read, write } from '../../../../shared/operations.ts';
import { downWrite, upWrite } from '../../../../shared/rwsem.ts';
import { defineTable } from '../../../../shared/table.ts';
import { EBUSY, EINVAL, ENOMEM } from '../../../errno.ts';
import { NO_PAGE } from '../../../mm/page.ts';
import { allocBalloonedPages, freeBalloonedPages } from '../../balloon.ts';
import { INVALID_GRANT_HANDLE } from '../../map-refs.ts';

/** GNTDEV_SLOT_INVALID */
export const SLOT_INVALID = 0;
/** GNTDEV_SLOT_NOT_YET_MAPPED */
export const SLOT_NOT_YET_MAPPED = 1;
/** GNTDEV_SLOT_MAPPED */
export const SLOT_MAPPED = 2;

export const ClassicFile = defineTable('gntdev[%].classic', ['gntdevs'], {
  grantsSem: '[GST] rwsem grants_sem',
});

export const ClassicSlot = defineTable('gntdev[%].grants[%]', ['gntdevs', 'gntdevSlots'], {
  state: '[GST] SLOT_*',
  domid: '[GST] who grants it',
  ref: '[GST] grant reference',
  page: '[GST] foreign_pages[]: page over which it is mapped, NO_PAGE while the slot is free',
  kernelHandle: '[GST] of the kernel mapping',
  userHandle: '[GST] of the user mapping, -1 if not mapped',
});

/** A file without grants. @param fd - file. */
export function* initSlots(fd: number): Op<void> {
  for (let i = 0; i < ClassicSlot.state.count; i++) {
    yield* write(ClassicSlot.state.at2(fd, i), SLOT_INVALID);
    yield* write(ClassicSlot.page.at2(fd, i), NO_PAGE);
  }
}

/** find_contiguous_free_range(). @returns the first slot, or -ENOMEM. */
function* findFreeRange(fd: number, count: number): Op {
  let length = 0;
  for (let i = 0; i < ClassicSlot.state.count; i++) {
    length = (yield* read(ClassicSlot.state.at2(fd, i))) === SLOT_INVALID ? length + 1 : 0;
    if (length === count) return i + 1 - count;
  }
  return -ENOMEM;
}

/**
 * A slot gets its page. In life all pages of a file come with its first grant. @returns 0 or less.
 */
function* fillSlot(v: number, fd: number, slot: number, domid: number, ref: number): Op {
  const pageWord = ClassicSlot.page.at2(fd, slot);
  if ((yield* read(pageWord)) === NO_PAGE) {
    const status = yield* allocBalloonedPages(v, 1, pageWord);
    if (status !== 0) return status;
  }
  yield* write(ClassicSlot.domid.at2(fd, slot), domid);
  yield* write(ClassicSlot.ref.at2(fd, slot), ref);
  yield* write(ClassicSlot.userHandle.at2(fd, slot), INVALID_GRANT_HANDLE);
  yield* write(ClassicSlot.kernelHandle.at2(fd, slot), INVALID_GRANT_HANDLE);
  yield* write(ClassicSlot.state.at2(fd, slot), SLOT_NOT_YET_MAPPED);
  return 0;
}

/** Slots back to SLOT_INVALID. */
function* freeSlots(fd: number, first: number, count: number): Op<void> {
  for (let i = 0; i < count; i++) {
    yield* write(ClassicSlot.state.at2(fd, first + i), SLOT_INVALID);
  }
}

/**
 * IOCTL_GNTDEV_MAP_GRANT_REF. @param grants - word of `count` records { domid, ref }.
 * @returns first slot, which is the page offset for mmap; or a negative error.
 */
export function* mapGrantRefClassic(v: number, fd: number, grants: number, count: number): Op {
  yield* downWrite(ClassicFile.grantsSem.at(fd));
  const first = yield* findFreeRange(fd, count);
  let status = first < 0 ? first : 0;
  for (let i = 0; i < count && status === 0; i++) {
    const domid = yield* read(grants + 2 * i);
    const ref = yield* read(grants + 2 * i + 1);
    status = yield* fillSlot(v, fd, first + i, domid, ref);
    if (status < 0) yield* freeSlots(fd, first, i);
  }
  yield* upWrite(ClassicFile.grantsSem.at(fd));
  return status < 0 ? status : first;
}

/** IOCTL_GNTDEV_UNMAP_GRANT_REF: refused while one of the slots is mapped. @returns 0 or less. */
export function* unmapGrantRefClassic(fd: number, first: number, count: number): Op {
  let status = 0;
  yield* downWrite(ClassicFile.grantsSem.at(fd));
  for (let i = 0; i < count && status === 0; i++) {
    const state = yield* read(ClassicSlot.state.at2(fd, first + i));
    if (state === SLOT_INVALID) status = -EINVAL;
    if (state === SLOT_MAPPED) status = -EBUSY;
  }
  if (status === 0) yield* freeSlots(fd, first, count);
  yield* upWrite(ClassicFile.grantsSem.at(fd));
  return status;
}

/** gntdev_release(): the pages go back, whatever is mapped over them. */
export function* releaseClassic(v: number, fd: number): Op<void> {
  for (let i = 0; i < ClassicSlot.state.count; i++) {
    yield* freeBalloonedPages(v, 1, ClassicSlot.page.at2(fd, i));
  }
}
