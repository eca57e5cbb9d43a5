/**
 * The system calls on an open gntdev file: drivers/xen/gntdev.c, gntdev_ioctl(). A file is a range
 * of page offsets in which every map has its place.
 *
 *   1. map: a map with ballooned pages, on the list; nothing is mapped yet. 2. mmap (mmap.ts).
 *   3. munmap: the notifier unmaps the grants (invalidate.ts). 4. unmap: the map loses its place
 *   and goes when its last VMA is gone. 3 and 4 may come in either order.
 */
import { domainOf } from '../../../hardware/params.ts';
import { setReg } from '../../../hardware/vcpu.ts';
import type { Op } from '../../../shared/op.ts';
import { read, readLocal, write } from '../../../shared/operations.ts';
import { GNTMAP_readonly } from '../../../xen/public/grant-table.ts';
import { FIND_NORMAL_PAGE, VM_FOREIGN_ARRAY, design } from '../../designs/design.ts';
import { EFAULT, EINVAL, ENOENT, ENOMEM, ENOTTY } from '../../errno.ts';
import { mmapReadLock, mmapReadUnlock } from '../../mm/mm.ts';
import { findVma } from '../../mm/vma-tree.ts';
import { VM_OPS_GNTDEV } from '../../mm/vm-ops.ts';
import { Vma } from '../../mm/vma.ts';
import { evtchnGet, evtchnPut } from '../events.ts';
import { listAddTail, listDel } from '../list.ts';
import { mapGrantRefClassic, unmapGrantRefClassic } from './classic/slots.ts';
import { putListedMap } from './by-vma/put-map.ts';
import {
  Gntdev,
  GrantMap,
  GrantSlot,
  NO_MAP,
  gntdevAddMap,
  gntdevAllocMap,
  gntdevFindMapIndex,
  gntdevLock,
  gntdevUnlock,
  mapOfNode,
} from './grant-map.ts';
import { putMapToday } from './today/put-map.ts';
import { GRANT_REF_WORDS } from '../../uapi/gntdev.ts';
import { UNMAP_NOTIFY_CLEAR_BYTE, UNMAP_NOTIFY_SEND_EVENT } from '../../uapi/gntdev.ts';

/** Grants of one map at most: the driver's parameter `limit`, since 5.5 for each call. */
export const GNTDEV_LIMIT = 64 * 1024;

/** Register with the page count of gntdevGetOffsetForVaddr. */
export const REG_GNTDEV_COUNT = 31;

/**
 * IOCTL_GNTDEV_MAP_GRANT_REF. drivers/xen/gntdev.c: gntdev_ioctl_map_grant_ref()
 * @param v - vCPU of the task. @param fd - file. @param grants - word of `count` records
 *   { domid, ref }. @returns page offset for mmap, or a negative error.
 */
export function* gntdevMapGrantRef(v: number, fd: number, grants: number, count: number): Op {
  if (count <= 0 || (count > GNTDEV_LIMIT && design() === FIND_NORMAL_PAGE)) return -EINVAL;
  if (design() === VM_FOREIGN_ARRAY) return yield* mapGrantRefClassic(v, fd, grants, count);
  const map = yield* gntdevAllocMap(v, fd, count);
  if (map === NO_MAP) return -ENOMEM;
  for (let i = 0; i < count; i++) {
    const grant = grants + i * GRANT_REF_WORDS;
    yield* write(GrantSlot.domid.at2(map, i), readLocal(grant));
    yield* write(GrantSlot.ref.at2(map, i), readLocal(grant + 1));
  }
  yield* gntdevLock(fd);
  yield* gntdevAddMap(fd, map);
  const index = yield* read(GrantMap.index.at(map));
  yield* gntdevUnlock(fd);
  return index;
}

/**
 * IOCTL_GNTDEV_UNMAP_GRANT_REF. drivers/xen/gntdev.c: gntdev_ioctl_unmap_grant_ref(). While a map
 * is mapped, up to 4.20 it waits on the list of the freeable ones; today it is on none.
 * @param index - page offset of the map. @param count - its pages. @returns 0 or -ENOENT.
 */
export function* gntdevUnmapGrantRef(v: number, fd: number, index: number, count: number): Op {
  if (design() === VM_FOREIGN_ARRAY) return yield* unmapGrantRefClassic(fd, index, count);
  const today = design() === FIND_NORMAL_PAGE;
  yield* gntdevLock(fd);
  const map = yield* gntdevFindMapIndex(fd, index, count);
  if (map !== NO_MAP) {
    yield* listDel(GrantMap.next.at(map));
    if (!today) yield* listAddTail(GrantMap.next.at(map), Gntdev.freeableNext.at(fd));
  }
  yield* gntdevUnlock(fd);
  if (map === NO_MAP) return -ENOENT;
  if (today) yield* putMapToday(v, map);
  else yield* putListedMap(v, map, 1);
  return 0;
}

/** The offset of the map of a VMA. */
function* offsetOfMap(v: number, vma: number): Op {
  const map = yield* read(Vma.privateData.at(vma));
  if (map === NO_MAP) return -EINVAL;
  setReg(v, REG_GNTDEV_COUNT, yield* read(GrantMap.count.at(map)));
  return yield* read(GrantMap.index.at(map));
}

/** Classic: the offset of the VMA, which must begin at the address. */
function* offsetOfVma(v: number, vma: number, vpn: number): Op {
  const start = yield* read(Vma.vmStart.at(vma));
  if (start !== vpn) return -EFAULT;
  setReg(v, REG_GNTDEV_COUNT, (yield* read(Vma.vmEnd.at(vma))) - start);
  return yield* read(Vma.pgoff.at(vma));
}

/**
 * IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR. drivers/xen/gntdev.c: gntdev_ioctl_get_offset_for_vaddr()
 * @param mm - address space of the task. @param vpn - address in a mapping.
 * @returns page offset of its map, the count in REG_GNTDEV_COUNT; or -EINVAL.
 */
export function* gntdevGetOffsetForVaddr(v: number, mm: number, vpn: number): Op {
  let index = -EINVAL;
  yield* mmapReadLock(mm);
  const vma = yield* findVma(mm, vpn);
  if (vma >= 0 && (yield* read(Vma.ops.at(vma))) === VM_OPS_GNTDEV) {
    if (design() === VM_FOREIGN_ARRAY) index = yield* offsetOfVma(v, vma, vpn);
    else index = yield* offsetOfMap(v, vma);
  }
  yield* mmapReadUnlock(mm);
  return index;
}

/** The map whose range of offsets has a page. The caller holds the lock. */
function* findMapAround(fd: number, page: number): Op {
  const head = Gntdev.mapsNext.at(fd);
  let node = yield* read(head);
  while (node !== head) {
    const map = mapOfNode(node);
    const begin = yield* read(GrantMap.index.at(map));
    if (page >= begin && page < begin + (yield* read(GrantMap.count.at(map)))) return map;
    node = yield* read(node);
  }
  return NO_MAP;
}

/**
 * IOCTL_GNTDEV_SET_UNMAP_NOTIFY. drivers/xen/gntdev.c: gntdev_ioctl_notify()
 * @param page - page offset in the file. @param offset - word of that page to clear at unmap.
 * @param action - UNMAP_NOTIFY_*. @param port - event channel of the domain to send to.
 * @returns 0, -EINVAL or -ENOENT; -ENOTTY in the classic driver, which has no such call.
 */
export function* gntdevSetUnmapNotify(
  v: number,
  fd: number,
  page: number,
  offset: number,
  action: number,
  port: number,
): Op {
  if (design() === VM_FOREIGN_ARRAY) return -ENOTTY;
  if ((action & ~(UNMAP_NOTIFY_CLEAR_BYTE | UNMAP_NOTIFY_SEND_EVENT)) !== 0) return -EINVAL;
  // A reference before anything changes: the port that goes may be the one that comes.
  let held = -1;
  if ((action & UNMAP_NOTIFY_SEND_EVENT) !== 0) {
    if ((yield* evtchnGet(domainOf(v), port)) !== 0) return -EINVAL;
    held = port;
  }
  let status = -ENOENT;
  yield* gntdevLock(fd);
  const map = yield* findMapAround(fd, page);
  if (map !== NO_MAP) {
    const readonly = ((yield* read(GrantMap.flags.at(map))) & GNTMAP_readonly) !== 0;
    if (readonly && (action & UNMAP_NOTIFY_CLEAR_BYTE) !== 0) {
      status = -EINVAL;
    } else {
      const before = yield* read(GrantMap.notifyFlags.at(map));
      held = -1;
      if ((before & UNMAP_NOTIFY_SEND_EVENT) !== 0) {
        held = yield* read(GrantMap.notifyPort.at(map));
      }
      yield* write(GrantMap.notifyFlags.at(map), action);
      yield* write(GrantMap.notifyPage.at(map), page - (yield* read(GrantMap.index.at(map))));
      yield* write(GrantMap.notifyOffset.at(map), offset);
      yield* write(GrantMap.notifyPort.at(map), port);
      status = 0;
    }
  }
  yield* gntdevUnlock(fd);
  if (held >= 0) yield* evtchnPut(v, held);
  return status;
}
