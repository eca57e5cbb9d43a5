/**
 * drivers/xen/gntdev.c: gntdev_ioctl(): from a program's call to the driver's function, with the
 * copies of the argument from and to user space (uapi/gntdev.ts).
 *
 * Which calls there are is a matter of time: SET_UNMAP_NOTIFY came in 2.6.39, GRANT_COPY in 4.8.
 * SET_MAX_GRANTS is of the classic kernel's driver; Linux' own never had it.
 */
import { reg } from '../../../hardware/vcpu.ts';
import type { Op } from '../../../shared/op.ts';
import { read, write } from '../../../shared/operations.ts';
import { FIND_NORMAL_PAGE, design } from '../../designs/design.ts';
import { EFAULT, ENOTTY } from '../../errno.ts';
import {
  GET_OFFSET_COUNT,
  GET_OFFSET_OFFSET,
  GET_OFFSET_VADDR,
  GRANT_COPY_COUNT,
  GRANT_COPY_SEGMENTS,
  IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR,
  IOCTL_GNTDEV_GRANT_COPY,
  IOCTL_GNTDEV_MAP_GRANT_REF,
  IOCTL_GNTDEV_SET_UNMAP_NOTIFY,
  IOCTL_GNTDEV_UNMAP_GRANT_REF,
  MAP_GRANT_REF_COUNT,
  MAP_GRANT_REF_INDEX,
  MAP_GRANT_REF_REFS,
  UNMAP_GRANT_REF_COUNT,
  UNMAP_GRANT_REF_INDEX,
  UNMAP_NOTIFY_ACTION,
  UNMAP_NOTIFY_INDEX,
  UNMAP_NOTIFY_OFFSET,
  UNMAP_NOTIFY_PORT,
} from '../../uapi/gntdev.ts';
import { gntdevGrantCopy } from './grant-copy.ts';
import {
  REG_GNTDEV_COUNT,
  gntdevGetOffsetForVaddr,
  gntdevMapGrantRef,
  gntdevSetUnmapNotify,
  gntdevUnmapGrantRef,
} from './ioctl.ts';

function* mapGrantRef(v: number, fd: number, arg: number): Op {
  const count = yield* read(arg + MAP_GRANT_REF_COUNT);
  const index = yield* gntdevMapGrantRef(v, fd, arg + MAP_GRANT_REF_REFS, count);
  if (index < 0) return index;
  yield* write(arg + MAP_GRANT_REF_INDEX, index);
  return 0;
}

function* unmapGrantRef(v: number, fd: number, arg: number): Op {
  const index = yield* read(arg + UNMAP_GRANT_REF_INDEX);
  return yield* gntdevUnmapGrantRef(v, fd, index, yield* read(arg + UNMAP_GRANT_REF_COUNT));
}

function* getOffset(v: number, mm: number, arg: number): Op {
  const index = yield* gntdevGetOffsetForVaddr(v, mm, yield* read(arg + GET_OFFSET_VADDR));
  if (index < 0) return index;
  yield* write(arg + GET_OFFSET_OFFSET, index);
  yield* write(arg + GET_OFFSET_COUNT, reg(v, REG_GNTDEV_COUNT));
  return 0;
}

function* setUnmapNotify(v: number, fd: number, arg: number): Op {
  const page = yield* read(arg + UNMAP_NOTIFY_INDEX);
  const offset = yield* read(arg + UNMAP_NOTIFY_OFFSET);
  const action = yield* read(arg + UNMAP_NOTIFY_ACTION);
  const port = yield* read(arg + UNMAP_NOTIFY_PORT);
  return yield* gntdevSetUnmapNotify(v, fd, page, offset, action, port);
}

function* grantCopy(v: number, mm: number, arg: number): Op {
  const segments = yield* read(arg + GRANT_COPY_SEGMENTS);
  return yield* gntdevGrantCopy(v, mm, segments, yield* read(arg + GRANT_COPY_COUNT));
}

/** Is it a call of the driver under study? */
function isKnown(cmd: number): boolean {
  switch (cmd) {
    case IOCTL_GNTDEV_MAP_GRANT_REF:
    case IOCTL_GNTDEV_UNMAP_GRANT_REF:
    case IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR:
    case IOCTL_GNTDEV_SET_UNMAP_NOTIFY:
      return true;
    case IOCTL_GNTDEV_GRANT_COPY:
      return design() === FIND_NORMAL_PAGE;
    default:
      return false;
  }
}

/**
 * drivers/xen/gntdev.c: gntdev_ioctl()
 * @param v - vCPU of the task. @param mm - its address space. @param fd - record of the open file.
 * @param cmd - IOCTL_GNTDEV_*. @param arg - word of the argument in the task's memory, 0: NULL.
 * @returns 0 or a negative errno: -ENOTTY if the driver has no such call, -EFAULT for NULL.
 */
export function* gntdevIoctl(v: number, mm: number, fd: number, cmd: number, arg: number): Op {
  if (!isKnown(cmd)) return -ENOTTY;
  if (arg === 0) return -EFAULT;
  switch (cmd) {
    case IOCTL_GNTDEV_MAP_GRANT_REF:
      return yield* mapGrantRef(v, fd, arg);
    case IOCTL_GNTDEV_UNMAP_GRANT_REF:
      return yield* unmapGrantRef(v, fd, arg);
    case IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR:
      return yield* getOffset(v, mm, arg);
    case IOCTL_GNTDEV_SET_UNMAP_NOTIFY:
      return yield* setUnmapNotify(v, fd, arg);
    default:
      return yield* grantCopy(v, mm, arg);
  }
}
