/**
 * gntdev of 3.12 and 4.0, and Draft B: gntdev_put_map() of a PV guest. A map is on one of its
 * file's lists until the last reference is gone (populate_freeable_maps).
 */
import type { Op } from '../../../../shared/op.ts';
import { fetchAdd, read } from '../../../../shared/operations.ts';
import { listDel } from '../../list.ts';
import {
  GrantMap,
  gntdevFreeMap,
  gntdevLock,
  gntdevSendNotifyEvent,
  gntdevUnlock,
} from '../grant-map.ts';

/**
 * drivers/xen/gntdev.c: gntdev_put_map()
 * @param v - vCPU. @param map - map. @param listed - 1 if it is on one of its file's lists.
 */
export function* putListedMap(v: number, map: number, listed: number): Op<void> {
  if ((yield* fetchAdd(GrantMap.users.at(map), -1)) !== 1) return;
  yield* gntdevSendNotifyEvent(v, map);
  if (listed !== 0) {
    const fd = yield* read(GrantMap.gntdev.at(map));
    yield* gntdevLock(fd);
    yield* listDel(GrantMap.next.at(map));
    yield* gntdevUnlock(fd);
  }
  yield* gntdevFreeMap(v, map);
}
