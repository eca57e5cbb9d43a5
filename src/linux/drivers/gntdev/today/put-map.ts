/**
 * gntdev of today (Linux 7.0, drivers/xen/gntdev.c): gntdev_put_map() on a PV guest, which maps of
 * `priv->maps` reach by the unmap ioctl, VMAs by their close, and unmaps when they are done.
 */
import type { Op } from '../../../../shared/op.ts';
import { fetchAdd, read } from '../../../../shared/operations.ts';
import { mmuIntervalNotifierRemove } from '../../../mm/mmu-notifier.ts';
import { GrantMap, gntdevFreeMap, gntdevSendNotifyEvent } from '../grant-map.ts';

/**
 * drivers/xen/gntdev.c: gntdev_put_map(). With the last reference: the notifier goes, which waits
 * for a callback that runs; the event; the map.
 * @param v - vCPU. @param map - map that the caller has a reference of.
 */
export function* putMapToday(v: number, map: number): Op<void> {
  if ((yield* fetchAdd(GrantMap.users.at(map), -1)) !== 1) return;
  const notifier = yield* read(GrantMap.notifier.at(map));
  if (notifier >= 0) yield* mmuIntervalNotifierRemove(v, notifier);
  yield* gntdevSendNotifyEvent(v, map);
  yield* gntdevFreeMap(v, map);
}
