/**
 * drivers/xen/gntalloc.c: gntalloc_ioctl(): from a program's call to the driver's function, with
 * the copies of the argument from and to user space (uapi/gntalloc.ts).
 */
import type { Op } from '../../../shared/op.ts';
import { read, write } from '../../../shared/operations.ts';
import { EFAULT, ENOTTY } from '../../errno.ts';
import {
  ALLOC_GREF_COUNT,
  ALLOC_GREF_DOMID,
  ALLOC_GREF_FLAGS,
  ALLOC_GREF_IDS,
  ALLOC_GREF_INDEX,
  DEALLOC_GREF_COUNT,
  DEALLOC_GREF_INDEX,
  GNTALLOC_FLAG_WRITABLE,
  IOCTL_GNTALLOC_ALLOC_GREF,
  IOCTL_GNTALLOC_DEALLOC_GREF,
  IOCTL_GNTALLOC_SET_UNMAP_NOTIFY,
} from '../../uapi/gntalloc.ts';
import {
  UNMAP_NOTIFY_ACTION,
  UNMAP_NOTIFY_INDEX,
  UNMAP_NOTIFY_OFFSET,
  UNMAP_NOTIFY_PORT,
} from '../../uapi/gntdev.ts';
import { gntallocAllocGref, gntallocDeallocGref, gntallocSetUnmapNotify } from './ioctl.ts';

function* allocGref(v: number, file: number, arg: number): Op {
  const domid = yield* read(arg + ALLOC_GREF_DOMID);
  const flags = yield* read(arg + ALLOC_GREF_FLAGS);
  const readonly = (flags & GNTALLOC_FLAG_WRITABLE) === 0 ? 1 : 0;
  const count = yield* read(arg + ALLOC_GREF_COUNT);
  const index = yield* gntallocAllocGref(v, file, domid, readonly, count, arg + ALLOC_GREF_IDS);
  if (index < 0) return index;
  yield* write(arg + ALLOC_GREF_INDEX, index);
  return 0;
}

function* setUnmapNotify(v: number, file: number, arg: number): Op {
  const index = yield* read(arg + UNMAP_NOTIFY_INDEX);
  const offset = yield* read(arg + UNMAP_NOTIFY_OFFSET);
  const action = yield* read(arg + UNMAP_NOTIFY_ACTION);
  const port = yield* read(arg + UNMAP_NOTIFY_PORT);
  return yield* gntallocSetUnmapNotify(v, file, index, offset, action, port);
}

/** One of the driver's calls. @param arg - not 0. */
function* known(v: number, file: number, cmd: number, arg: number): Op {
  switch (cmd) {
    case IOCTL_GNTALLOC_ALLOC_GREF:
      return yield* allocGref(v, file, arg);
    case IOCTL_GNTALLOC_DEALLOC_GREF: {
      const index = yield* read(arg + DEALLOC_GREF_INDEX);
      return yield* gntallocDeallocGref(v, file, index, yield* read(arg + DEALLOC_GREF_COUNT));
    }
    default:
      return yield* setUnmapNotify(v, file, arg);
  }
}

/**
 * drivers/xen/gntalloc.c: gntalloc_ioctl()
 * @param v - vCPU of the task. @param file - record of the open file. @param cmd -
 * IOCTL_GNTALLOC_*.
 * @param arg - word of the argument in the task's memory, 0: NULL.
 * @returns 0 or a negative errno: -ENOTTY if the driver has no such call.
 */
export function* gntallocIoctl(v: number, file: number, cmd: number, arg: number): Op {
  const isKnown =
    cmd === IOCTL_GNTALLOC_ALLOC_GREF ||
    cmd === IOCTL_GNTALLOC_DEALLOC_GREF ||
    cmd === IOCTL_GNTALLOC_SET_UNMAP_NOTIFY;
  if (!isKnown) return -ENOTTY;
  if (arg === 0) return -EFAULT;
  return yield* known(v, file, cmd, arg);
}
